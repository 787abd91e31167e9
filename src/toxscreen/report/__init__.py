"""A Page, rendered: one renderer a file, and nothing is computed in any of them."""
