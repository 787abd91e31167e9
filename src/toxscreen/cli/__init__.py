"""The command line: a door. One command a file; `main` parses, prints and turns errors into exit statuses."""
