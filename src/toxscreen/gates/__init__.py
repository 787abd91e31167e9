"""Pure decisions: evidence and limits become verdicts. Nothing here reads a file, a clock or git."""
