"""From files to findings: what was measured is read and judged here, nothing is measured anew. Knows no pytest."""
