"""Every setting, declared once: key, type, default, where else it may be given, and where a value came from."""

from toxscreen.settings.options import CATEGORY_OPTIONS, SERVICE_OPTIONS, TOP_OPTIONS, Option
from toxscreen.settings.reading import (
    BUILT_IN,
    DEFAULT,
    FILE,
    STATE,
    TABLE,
    Reader,
    Settings,
    find_root,
    line_of,
    load,
    state_folder,
)

__all__ = [
    "BUILT_IN",
    "CATEGORY_OPTIONS",
    "DEFAULT",
    "FILE",
    "SERVICE_OPTIONS",
    "STATE",
    "TABLE",
    "TOP_OPTIONS",
    "Option",
    "Reader",
    "Settings",
    "find_root",
    "line_of",
    "load",
    "state_folder",
]
