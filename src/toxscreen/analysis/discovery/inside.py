"""What is wrong inside a file that pytest reads: tests that it passes by, and tests in vain. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from toxscreen.analysis.discovery.collection import Collected, Collection, matches
from toxscreen.analysis.discovery.flaws import Flaw
from toxscreen.analysis.discovery.looks import Holder, Look, Source
from toxscreen.analysis.discovery.names import Spoken
from toxscreen.model import Finding

#: A finding, and the tests that are lost by it.
Told = tuple[Finding, int]
_PLAIN: Final = {(), ("object",)}


def look_inside(file: str, source: Source, collection: Collection, words: Spoken) -> Iterator[Told]:
    """Look for what is lost in a file.

    Args:
        file: relative to the root.
        source: what is in it.
        collection: what was collected.
        words: the names that all files of the project use.
    """
    yield from _Inside(file, source, collection, words).all()


class _Inside:
    def __init__(self, file: str, source: Source, collection: Collection, words: Spoken) -> None:
        self.file = file
        self.source = source
        self.collection = collection
        self.words = words
        self.here = collection.by_file.get(file, {})

    def all(self) -> Iterator[Told]:
        for test in self.source.tests:
            collected = self.collected(test)
            if collected:
                yield from self.in_vain(test, collected)
            else:
                yield from self.passed_by(test)
        for holder in self.source.holders:
            yield from self.class_passed_by(holder)
        for flaw in self.source.flaws:
            yield from self.flaw(flaw)

    def finding(self, slug: str, name: str, message: str, line: int, tests: int = 0) -> Told:
        subject = f"{self.file}::{name.replace('.', '::')}" if name else self.file
        return Finding(slug, subject, message, file=self.file, line=line), tests

    def collected(self, test: Look) -> Sequence[Collected]:
        """The tests that a function is: of its own name, or of classes that inherit it."""
        own = self.here.get(test.name)
        if own:
            return own
        if (self.file, test.first) not in self.collection.places:
            return ()
        return [each for each in self.collection.tests if each.defined == (self.file, test.first)]

    def in_vain(self, test: Look, collected: Sequence[Collected]) -> Iterator[Told]:
        if test.is_async and all(each.is_unawaited for each in collected):
            message = "is async, and no plugin that is here and asked for awaits it"
            yield self.finding("async-test", test.name, message, test.line)
        elif test.returns is not None:
            message = "returns a value, which pytest throws away; an assert may be meant"
            yield self.finding("return-value", test.name, message, test.returns)
        literal = any(each.slug == "empty-parameters" and _dotted(each) == test.name for each in self.source.flaws)
        if not literal and all(each.is_empty for each in collected):
            message = "is parametrised over what was empty when it was collected, so that it never runs"
            yield self.finding("empty-parameters", test.name, message, test.line)

    def is_shadowed(self, test: Look) -> bool:
        """Whether the class of a test is lost, and with it the test."""
        lost = {_dotted(each) for each in self.source.flaws if each.slug == "shadowed"}
        return any(test.name.startswith(f"{name}.") for name in lost)

    def is_held(self, holder: str) -> bool:
        """Whether tests of a class were collected."""
        return any(name.startswith(f"{holder}.") for name in self.here)

    def passed_by(self, test: Look) -> Iterator[Told]:
        """A function that is no test although everything is right, but perhaps its name."""
        name = test.name.rpartition(".")[2]
        if name in self.words.used or (test.holder and not self.is_held(test.holder)):
            return
        if matches(name, self.collection.python_functions):
            if (
                self.collection.looks_into(self.file)
                and test.asserts
                and test.is_certain
                and not self.is_shadowed(test)
            ):
                message = "is not collected, and nothing here says why: something may take its place or leave it out"
                yield self.finding("not-collected", test.name, message, test.line, 1)
            return
        known = {each for each, _ in self.collection.fixtures}
        if not test.asserts or not known.issuperset(test.needs):
            return
        patterns = ", ".join(self.collection.python_functions)
        message = f"is not collected: its name matches nothing in python_functions ({patterns})"
        yield self.finding("function-name", test.name, message, test.line, 1)

    def class_passed_by(self, holder: Holder) -> Iterator[Told]:
        """A class with tests that is not collected, and nobody uses for anything else."""
        if "." in holder.name or holder.is_off or holder.name in self.words.used or self.is_held(holder.name):
            return
        tests = [each for each in self.source.tests if each.holder == holder.name]
        if any(self.collected(each) for each in tests) or not any(each.asserts for each in tests):
            return
        if matches(holder.name, self.collection.python_classes):
            if holder.constructor or (self.file, holder.name) in self.collection.constructed:
                made = f"it defines {holder.constructor}" if holder.constructor else "a base of it has a constructor"
                message = f"is not collected: {made}, and pytest makes no such objects"
                yield self.finding("class-constructor", holder.name, message, holder.line, holder.tests)
        elif holder.bases in _PLAIN:
            patterns = ", ".join(self.collection.python_classes)
            message = f"is not collected: its name matches nothing in python_classes ({patterns})"
            yield self.finding("class-name", holder.name, message, holder.line, holder.tests)

    def flaw(self, flaw: Flaw) -> Iterator[Told]:
        """What shows in the file itself, where pytest would see it."""
        name = _dotted(flaw)
        if flaw.slug == "shadowed" and name not in self.here and not self.is_held(name):
            return
        if flaw.slug == "empty-parameters" and not any(each.is_empty for each in self.here.get(name, ())):
            return
        yield self.finding(flaw.slug, name, flaw.message, flaw.line, flaw.tests)


def _dotted(flaw: Flaw) -> str:
    return flaw.subject.replace("::", ".")
