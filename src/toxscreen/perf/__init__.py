"""Two revisions of a project side by side: their places, processes in pairs, what these measured."""
