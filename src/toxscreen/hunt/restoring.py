"""How a test puts back what it changes, and how a fixture does: a recipe for each kind of process state."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Final

from toxscreen.hunt.restoring_objects import Recipe, of_object, short
from toxscreen.model import Culprit

_NAME: Final = re.compile(r"[^\W\d]\w*")


def recipe(culprit: Culprit) -> Recipe:
    """How to put back one piece of state.

    Args:
        culprit: what leaked.
    """
    by_kind = _BY_KIND.get(culprit.kind)
    if by_kind is not None:
        return by_kind(culprit)
    return _SIMPLE.get(culprit.kind) or Recipe(f"a fixture that puts {culprit.path} back after its yield")


def _again(use: str, module: str, get: str, put: str) -> Recipe:
    """Of what is read and set by calls."""
    return Recipe(use, (f"before = {get}", "yield", put), (module,))


#: Kinds of which there is one piece.
_SIMPLE: Final = {
    "working-directory": _again("monkeypatch.chdir(...)", "os", "os.getcwd()", "os.chdir(before)"),
    "import-path": _again("monkeypatch.syspath_prepend(...)", "sys", "sys.path[:]", "sys.path[:] = before"),
    "arguments": _again("monkeypatch.setattr(sys, 'argv', [...])", "sys", "sys.argv[:]", "sys.argv[:] = before"),
    "warnings": Recipe(
        "with warnings.catch_warnings(): ...", ("with warnings.catch_warnings():", "    yield"), ("warnings",)
    ),
    "locale": _again(
        "a fixture that calls locale.setlocale(locale.LC_ALL, before) after its yield",
        "locale",
        "locale.setlocale(locale.LC_ALL)",
        "locale.setlocale(locale.LC_ALL, before)",
    ),
    "time-zone": Recipe(
        "monkeypatch.setenv('TZ', ...), and time.tzset() again after monkeypatch.undo()",
        (
            "before = os.environ.get('TZ')",
            "yield",
            "if before is None:",
            "    os.environ.pop('TZ', None)",
            "else:",
            "    os.environ['TZ'] = before",
            "time.tzset()",
        ),
        ("os", "time"),
    ),
    "umask": Recipe(
        "before = os.umask(...), and os.umask(before) in a fixture after its yield",
        ("before = os.umask(0o077)", "os.umask(before)", "yield", "os.umask(before)"),
        ("os",),
    ),
    "decimal": Recipe(
        "with decimal.localcontext() as context: ...", ("with decimal.localcontext():", "    yield"), ("decimal",)
    ),
    "recursion-limit": _again(
        "a fixture that calls sys.setrecursionlimit(before) after its yield",
        "sys",
        "sys.getrecursionlimit()",
        "sys.setrecursionlimit(before)",
    ),
    "socket-timeout": _again(
        "a timeout of its own for each socket: settimeout(...)",
        "socket",
        "socket.getdefaulttimeout()",
        "socket.setdefaulttimeout(before)",
    ),
    "open-files": Recipe("with open(...) as file: ..."),
    "asyncio": Recipe("with asyncio.Runner() as runner: ..."),
    "trace": Recipe("a fixture that sets sys.gettrace() and sys.getprofile() back after its yield"),
}


def _environment(culprit: Culprit) -> Recipe:
    name = _key_of(culprit.path, "os.environ")
    if name is None:
        return Recipe("monkeypatch.setattr(os, 'environ', {...})")
    use = f"monkeypatch.setenv({name!r}, {short(repr(culprit.after))})"
    if culprit.after == "absent":
        use = f"monkeypatch.delenv({name!r})"
    return Recipe(use, _entry("os.environ", name), ("os",))


def _imported(culprit: Culprit) -> Recipe:
    name = _key_of(culprit.path, "sys.modules")
    if name is None:
        return Recipe("monkeypatch.setitem(sys.modules, ...)")
    use = f"monkeypatch.setitem(sys.modules, {name!r}, ...)"
    if culprit.after == "absent":
        use = f"monkeypatch.delitem(sys.modules, {name!r})"
    return Recipe(use, _entry("sys.modules", name), ("sys",))


def _entry(mapping: str, key: str) -> tuple[str, ...]:
    return (
        f"before = {mapping}.get({key!r})",
        "yield",
        "if before is None:",
        f"    {mapping}.pop({key!r}, None)",
        "else:",
        f"    {mapping}[{key!r}] = before",
    )


def _key_of(path: str, mapping: str) -> str | None:
    """The key of ``mapping['key']``."""
    try:
        key = ast.literal_eval(path.removeprefix(mapping))
    except (SyntaxError, ValueError):
        return None
    return key[0] if isinstance(key, list) and len(key) == 1 and isinstance(key[0], str) else None


def _logging(culprit: Culprit) -> Recipe:
    if culprit.path == "logging.disable()":
        put = "logging.disable(before)"
        return _again(f"a fixture that calls {put} after its yield", "logging", "logging.root.manager.disable", put)
    logger, _, name = culprit.path.rpartition(".")
    if name == "level":
        of = (
            ""
            if logger == "logging.root"
            else f", logger={logger.removeprefix('logging.getLogger(').removesuffix(')')}"
        )
        level = f"logging.{culprit.after}" if _NAME.fullmatch(culprit.after) else culprit.after
        return _again(f"caplog.set_level({level}{of})", "logging", f"{logger}.level", f"{logger}.setLevel(before)")
    if name in {"handlers", "filters"}:
        use = f"a fixture that puts {culprit.path} back after its yield"
        return _again(use, "logging", f"{culprit.path}[:]", f"{culprit.path}[:] = before")
    use = f"monkeypatch.setattr({logger}, {name!r}, {short(culprit.after)})"
    return _again(use, "logging", culprit.path, f"{culprit.path} = before")


def _signals(culprit: Culprit) -> Recipe:
    name = culprit.path.removeprefix("signal ")
    put = f"signal.signal(signal.{name}, before)"
    if not _NAME.fullmatch(name):
        return Recipe("a fixture that sets the handler back after its yield")
    return _again(f"a fixture that calls {put} after its yield", "signal", f"signal.getsignal(signal.{name})", put)


def _random(culprit: Culprit) -> Recipe:
    module = "numpy" if culprit.path.startswith("numpy.") else "random"
    generator, get = ("numpy.random", "get_state()") if module == "numpy" else ("random", "getstate()")
    use = "a generator of its own: random.Random(1)" if module == "random" else "numpy.random.default_rng(1)"
    return _again(use, module, f"{generator}.{get}", f"{generator}.{get.replace('get', 'set')[:-1]}before)")


def _listed_in_sys(culprit: Culprit) -> Recipe:
    use = f"a fixture that puts {culprit.path} back after its yield"
    return _again(use, "sys", f"{culprit.path}[:]", f"{culprit.path}[:] = before")


def _attribute_of_module(culprit: Culprit) -> Recipe:
    """Hooks and streams: what pytest itself sets between tests is not for a fixture to put back."""
    module, _, name = culprit.path.rpartition(".")
    if module not in {"sys", "threading"}:
        return Recipe("no close() on a standard stream")
    use = f"monkeypatch.setattr({module}, {name!r}, ...)"
    if culprit.kind == "streams":
        return Recipe(use)
    return _again(use, module, culprit.path, f"{culprit.path} = before")


_BY_KIND: Final[dict[str, Callable[[Culprit], Recipe]]] = {
    "environment": _environment,
    "imported-modules": _imported,
    "logging": _logging,
    "signals": _signals,
    "random-state": _random,
    "import-hooks": _listed_in_sys,
    "excepthook": _attribute_of_module,
    "streams": _attribute_of_module,
    "module-state": of_object,
    "patched": of_object,
}
