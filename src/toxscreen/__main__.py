"""``python -m toxscreen`` is the command ``toxscreen``."""

from __future__ import annotations

import sys

from toxscreen.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
