"""Our own tox plugin, from these sources: the project is its own first user, and tox needs nothing installed for it.

Elsewhere `requires = toxscreen[tox]` in tox.ini does this; a project cannot require itself before it is built.
"""

import sys
from pathlib import Path

# What tox itself runs on may be too old for the plugin; then there is no core budget, and all else works.
if sys.version_info >= (3, 11):  # noqa: UP036 - see above
    sys.path.insert(0, str(Path(__file__).parent / "src"))
    from toxscreen.tox_plugin import (
        tox_add_core_config,
        tox_after_run_commands,
        tox_before_run_commands,
        tox_env_teardown,
    )

    __all__ = ["tox_add_core_config", "tox_after_run_commands", "tox_before_run_commands", "tox_env_teardown"]
