"""What looks like a test, held against what pytest collected: every difference is explained, or found."""
