"""Reads ``[tool.toxscreen]`` of a project's pyproject.toml and the environment. All mistakes are reported at once."""

from __future__ import annotations

import contextlib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from toxscreen.errors import (
    ConfigError,
    Place,
    ToxscreenError,
    UnknownCategoryError,
    UnknownKeyError,
    UnmatchedPathError,
    did_you_mean,
    raise_together,
)
from toxscreen.model import Policy, Service, Sourced
from toxscreen.settings.options import CATEGORY_OPTIONS, SERVICE_OPTIONS, TOP_OPTIONS, Option

FILE: Final = "pyproject.toml"
TABLE: Final = "tool.toxscreen"
#: Folder of a project in which toxscreen keeps what it writes.
STATE: Final = ".toxscreen"
DEFAULT: Final = "default"


_TABLES: Final = ("categories", "services", "gates", "audit", "perf")
_CATEGORY_NAME: Final = re.compile(r"[^\W_][\w.-]*")


def _policy(category: str, **changed: object) -> Policy:
    """A policy with the defaults that a category of the user's own has."""
    values: dict[str, Any] = {
        "category": category,
        "paths": (f"tests/{category.replace('-', '_')}",),
        "markers": (category.replace("-", "_"),),
        "order": "random",
        "workers": "auto",
        "timeout": 60.0,
        "budget": 180.0,
        "network": "loopback",
        "subprocesses": True,
        "leaks": "fail",
        "alone": False,
    }
    return Policy(**(values | changed))


BUILT_IN: Final = {
    policy.category: policy
    for policy in (
        _policy("unit", timeout=5.0, budget=120.0, network="none", subprocesses=False),
        _policy("integration"),
        _policy("real-world", timeout=300.0, budget=300.0, network="any", leaks="report"),
        _policy(
            "perf", order="written", workers=0, timeout=600.0, budget=300.0, network="none", leaks="off", alone=True
        ),
    )
}


class Settings(NamedTuple):
    """What a project asks of toxscreen, and where each value came from."""

    root: Path
    #: Whether the project has a ``[tool.toxscreen]`` table.
    configured: bool
    categories: Mapping[str, Policy]
    #: Where the value of a category's key came from: (category, key) to words; absent is the default.
    sources: Mapping[tuple[str, str], str]
    default_category: Sourced[str | None]
    retention: Sourced[int]
    diagnose: Sourced[str]
    #: Seconds; 0: what is usual.
    diagnose_budget: Sourced[float]
    freeze: Sourced[bool]
    #: Whether tests are handed to workers by how long they took before: "auto" or "off".
    balance: Sourced[str]
    services: Mapping[str, Service]
    #: Whether the gate no-assertion has a limit, so that a run is to look which tests can assert nothing.
    asks_for_assertions: bool = False

    def source(self, category: str, key: str) -> str:
        """Where the value of ``key`` in ``category`` came from, in words."""
        return self.sources.get((category, key), DEFAULT)

    def policy(self, category: str, *, asked_by: str) -> Policy:
        """The policy of a category.

        Args:
            category: its name.
            asked_by: what named it, for the message.

        Raises:
            UnknownCategoryError: no such category.
        """
        try:
            return self.categories[category]
        except KeyError:
            raise _unknown_category(category, self.categories, Place(key=asked_by)) from None

    @property
    def markers(self) -> dict[str, str]:
        """Every category marker, with the category it stands for."""
        return {marker: policy.category for policy in self.categories.values() for marker in policy.markers}


def _unknown_category(name: str, known: Mapping[str, Policy], place: Place) -> UnknownCategoryError:
    return UnknownCategoryError(f"there is no category {name!r}", place=place, hint=did_you_mean(name, known))


def find_root(start: Path) -> Path:
    """The project's root for a folder in it: the nearest one with state, settings or a project file.

    Args:
        start: where to begin; it is the answer when nothing is found.
    """
    start = start.resolve()
    marks = (STATE, FILE, "tox.ini", "setup.cfg", "pytest.ini", ".git")
    for folder in (start, *start.parents):
        if any((folder / mark).exists() for mark in marks):
            return folder
    return start


def state_folder(root: Path) -> Path:
    """The project's state folder, made when it is missing, with a ``.gitignore`` that ignores all of it.

    Raises:
        OSError: it cannot be made.
    """
    folder = root / STATE
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError), (folder / ".gitignore").open("x", encoding="utf-8") as ignore:
        ignore.write("*\n")
    return folder


def load(root: Path, environment: Mapping[str, str], asked: Sourced[str] | None = None) -> Settings:
    """Read a project's settings.

    Args:
        root: the project's root.
        environment: environment variables.
        asked: the category that somebody asked for and what named it, so that it is checked with the rest.

    Raises:
        ToxscreenError: a mistake in them.
        ErrorGroup: several.
    """
    reader = Reader(root, environment)
    settings = reader.read()
    if asked is not None and asked.value not in settings.categories:
        reader.errors.append(_unknown_category(asked.value, settings.categories, Place(key=asked.source)))
    raise_together(reader.errors)
    return settings


def read_table(root: Path, environment: Mapping[str, str], name: str, declared: Mapping[str, Option]) -> dict[str, Any]:
    """The values that are set in a table below ``[tool.toxscreen]`` which runs of tests do not need.

    Args:
        root: the project's root.
        environment: environment variables.
        name: of the table.
        declared: its options.

    Raises:
        ToxscreenError: a mistake in it.
        ErrorGroup: several.
    """
    reader = Reader(root, environment)
    values = reader.options(reader.subtable(reader.table(), name), declared, name)
    raise_together(reader.errors)
    return values


class Reader:
    """Walks through the table once and gathers what is wrong with it.

    Args:
        root: the project's root.
        environment: environment variables.
    """

    def __init__(self, root: Path, environment: Mapping[str, str]) -> None:
        self.root = root
        self.environment = environment
        self.errors: list[ToxscreenError] = []
        self.sources: dict[tuple[str, str], str] = {}
        self.text = ""
        self.configured = False

    def place(self, *keys: str) -> Place:
        """Where a key below ``[tool.toxscreen]`` stands."""
        return Place(FILE, ".".join(("tool", "toxscreen", *keys)), line_of(self.text, keys))

    def read(self) -> Settings:
        """All settings; what is wrong is in ``errors``."""
        table = self.table()
        known = {*TOP_OPTIONS, *_TABLES}
        for key in table:
            if key not in known:
                self.errors.append(
                    UnknownKeyError(
                        f"there is no setting {key!r}", place=self.place(key), hint=did_you_mean(key, known)
                    )
                )
        categories = self._categories(self.subtable(table, "categories"))
        return Settings(
            root=self.root,
            configured=self.configured,
            categories=categories,
            sources=self.sources,
            default_category=self._default_category(table, categories),
            retention=self._top(table, "retention"),
            diagnose=self._top(table, "diagnose"),
            diagnose_budget=self._top(table, "diagnose-budget"),
            freeze=self._top(table, "freeze"),
            balance=self._top(table, "balance"),
            services=self._services(self.subtable(table, "services")),
            # What else stands there is read by those who judge.
            asks_for_assertions="no-assertion" in self.subtable(table, "gates"),
        )

    def table(self) -> dict[str, object]:
        """The table ``[tool.toxscreen]`` as it is written."""
        path = self.root / FILE
        try:
            self.text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as error:
            self.errors.append(ConfigError(f"cannot be read: {error}", place=Place(FILE)))
            return {}
        try:
            document = tomllib.loads(self.text)
        except (ValueError, RecursionError) as error:
            # Numbers of thousands of digits and lists in lists in lists have errors of their own.
            found = re.search(r"line (\d+)", str(error))
            self.errors.append(
                ConfigError(f"is not valid TOML: {error}", place=Place(FILE, line=int(found[1]) if found else None))
            )
            return {}
        tool = document.get("tool", {})
        self.configured = isinstance(tool, dict) and "toxscreen" in tool
        return self.subtable(tool if isinstance(tool, dict) else {}, "toxscreen", under=())

    def subtable(
        self, table: Mapping[str, object], key: str, under: tuple[str, ...] | None = None
    ) -> dict[str, object]:
        """A table in a table, empty where there is none.

        Args:
            table: the outer one.
            key: its key there.
            under: path of the key, for the message; the key itself when left out.
        """
        value = table.get(key, {})
        if isinstance(value, dict):
            return value
        keys = (key,) if under is None else under
        self.errors.append(ConfigError("must be a table", place=self.place(*keys)))
        return {}

    def value(self, option: Option, raw: object, place: Place) -> Any:
        """The checked value; the option's default, and one error more, when it is wrong."""
        try:
            return option.parse(raw)
        except ValueError as error:
            self.errors.append(ConfigError(f"is {raw!r}, must be {error}", place=place, hint=option.help))
            return option.default

    def _top(self, table: Mapping[str, object], key: str) -> Sourced[Any]:
        option = TOP_OPTIONS[key]
        if option.variable and self.environment.get(option.variable):
            place = Place(key=f"environment variable {option.variable}")
            return Sourced(self.value(option, self.environment[option.variable], place), option.variable)
        if key in table:
            return Sourced(self.value(option, table[key], self.place(key)), f"{FILE}: {key}")
        return Sourced(option.default, DEFAULT)

    def _default_category(self, table: Mapping[str, object], categories: Mapping[str, Policy]) -> Sourced[str | None]:
        chosen: Sourced[str | None] = self._top(table, "default-category")
        if chosen.value is not None and chosen.value not in categories:
            place = (
                self.place("default-category")
                if chosen.source.startswith(FILE)
                else Place(key=f"environment variable {chosen.source}")
            )
            self.errors.append(_unknown_category(chosen.value, categories, place))
        return chosen

    def options(self, table: Mapping[str, object], declared: Mapping[str, Option], *under: str) -> dict[str, Any]:
        """The checked values of a table that may hold only the declared keys."""
        values: dict[str, Any] = {}
        for key, raw in table.items():
            place = self.place(*under, key)
            option = declared.get(key)
            if option is None:
                self.errors.append(
                    UnknownKeyError(f"there is no setting {key!r}", place=place, hint=did_you_mean(key, declared))
                )
                continue
            before = len(self.errors)
            value = self.value(option, raw, place)
            if len(self.errors) == before:
                values[key] = value
        return values

    def _categories(self, table: Mapping[str, object]) -> dict[str, Policy]:
        found = dict(BUILT_IN)
        for name in table:
            where = ("categories", name)
            if not _CATEGORY_NAME.fullmatch(name):
                # It becomes part of the name of a folder.
                self.errors.append(
                    ConfigError(
                        f"{name!r} cannot be the name of a category",
                        place=self.place(*where),
                        hint="a name is made of letters, digits, '_', '-' and '.', and begins with a letter or digit",
                    )
                )
                continue
            values = self.options(self.subtable(table, name, where), CATEGORY_OPTIONS, *where)
            for key in values:
                self.sources[name, key] = f"{FILE}: categories.{name}.{key}"
            base = found.get(name) or _policy(name)
            found[name] = base._replace(**values)
            for pattern in values.get("paths", ()):
                if not _matches_something(self.root, pattern):
                    self.errors.append(
                        UnmatchedPathError(
                            f"{pattern!r} matches nothing below the project's root",
                            place=self.place(*where, "paths"),
                            hint="name a folder or a glob pattern relative to the root, or remove the entry",
                        )
                    )
        self._check_markers(found)
        return found

    def _check_markers(self, categories: Mapping[str, Policy]) -> None:
        owner: dict[str, str] = {}
        for policy in categories.values():
            for marker in policy.markers:
                first = owner.setdefault(marker, policy.category)
                if first != policy.category:
                    blamed, other = policy.category, first
                    if (blamed, "markers") not in self.sources and (other, "markers") in self.sources:
                        blamed, other = other, blamed
                    self.errors.append(
                        ConfigError(
                            f"marker {marker!r} already stands for category {other!r}",
                            place=self.place("categories", blamed, "markers"),
                            hint="a marker can stand for one category only",
                        )
                    )

    def _services(self, table: Mapping[str, object]) -> dict[str, Service]:
        found = {}
        for name in table:
            where = ("services", name)
            raw = self.subtable(table, name, where)
            values = self.options(raw, SERVICE_OPTIONS, *where)
            if "check" in values:
                found[name] = Service(name, values["check"], values.get("start"), values.get("stop"))
            elif "check" not in raw:
                self.errors.append(
                    ConfigError("has no 'check'", place=self.place(*where), hint=SERVICE_OPTIONS["check"].help)
                )
        return found


def _matches_something(root: Path, pattern: str) -> bool:
    pattern = pattern.replace("\\", "/")
    if pattern.startswith("/") or ".." in pattern.split("/"):
        return False
    if any(mark in pattern for mark in "*?["):
        try:
            return next(root.glob(pattern), None) is not None
        except (ValueError, NotImplementedError):
            return False
    return (root / pattern).exists()


def line_of(text: str, keys: tuple[str, ...]) -> int | None:
    """The line of a TOML text that sets a key of ``[tool.toxscreen]``, as well as it can be told.

    Args:
        text: the file.
        keys: path of the key below ``tool.toxscreen``.

    Returns:
        The line, counted from 1, of the key, else of the deepest table on its path; None when neither is written out.
    """
    target = ("tool", "toxscreen", *keys)
    table: tuple[str, ...] = ()
    best: tuple[int, int] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[\[?([^\[\]]+)\]\]?\s*(#.*)?$", line)
        if header:
            table = _dotted(header[1])
            here = table
        else:
            setting = re.match(r"""\s*((?:[\w.\- ]|"[^"]*"|'[^']*')+?)\s*=""", line)
            if not setting:
                continue
            here = table + _dotted(setting[1])
        if here and target[: len(here)] == here and (best is None or len(here) > best[0]):
            best = (len(here), number)
    return best[1] if best and best[0] > 1 else None


def _dotted(text: str) -> tuple[str, ...]:
    """The parts of a dotted TOML key, without quotation marks."""
    return tuple(part.strip().strip("\"'") for part in re.findall(r'"[^"]*"|\'[^\']*\'|[^.]+', text))
