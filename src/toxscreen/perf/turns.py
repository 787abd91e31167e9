"""One benchmark in processes that compute in turn: set up, measured block by block, brought to its end in all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from toxscreen.perf.blocks import LEAST_SECONDS, Block, count, is_enough, more_executions
from toxscreen.perf.process import Child

BASE, CANDIDATE, AGAIN = "base", "candidate", "base again"
#: In words, where one of them fails.
IN: Final = {BASE: "in the base", CANDIDATE: "in the candidate", AGAIN: "in the base"}
#: A block that turns out so much shorter than it should be was a lucky guess.
_SHORT: Final = 0.6
#: A block so much longer than it should be needs no second look.
_LONG: Final = 10


class NotMeasuredError(Exception):
    """A benchmark that fails or is skipped; the processes can go on."""

    def __init__(self, text: str, *, is_skipped: bool = False) -> None:
        super().__init__(text)
        self.is_skipped = is_skipped


class Turns:
    """The processes of one pair at one benchmark.

    Args:
        children: by side, the base first.
        node_id: the benchmark.
        following: the one after it, if any.
        chance: of the order within a pair of blocks: given so many names, returns them shuffled.

    Raises:
        NotMeasuredError: from every method: the test is over, on all sides.
        GoneError: from every method: a process is lost.
    """

    def __init__(
        self,
        children: Mapping[str, Child],
        node_id: str,
        following: str | None,
        chance: Callable[[list[str]], list[str]],
    ) -> None:
        self.children = children
        self._chance = chance
        answers = {name: children[name].ask(run=node_id, next=following) for name in chance(list(children))}
        over = {name for name, answer in answers.items() if answer["said"] == "done"}
        if over:
            self._over({name: answers[name] for name in over}, "the test does not use its benchmark fixture")
        #: Whether it may work only once, and the executions that it counts as one.
        self.is_once: bool = answers[BASE]["once"]
        self.iterations: dict[str, int] = {name: answers[name]["iterations"] for name in children}

    def calibrate(self) -> tuple[int, int]:
        """Choose by the base; the others do the same, so that no side is the warmer one.

        Returns:
            Executions of a block, and blocks of a process.
        """
        times, is_sure = 1, False
        # The first time, modules are imported and caches filled.
        self.warm(times)
        while True:
            block = self.warm(times)
            if not is_enough(block, LEAST_SECONDS * (_SHORT if is_sure else 1.0)):
                times, is_sure = more_executions(times, block), False
            elif is_sure or block.whole > LEAST_SECONDS * _LONG:
                return times, count(block)
            else:
                is_sure = True

    def warm(self, times: int) -> Block:
        """A block in each process that does not count; the base's is returned."""
        return {name: self._block(name, times, kept=False) for name in self._chance(list(self.children))}[BASE]

    def blocks(self, times: int, number: int) -> dict[str, list[Block]]:
        """So many blocks in each process, in turn and in random order; seconds are those of one iteration."""
        found: dict[str, list[Block]] = {name: [] for name in self.children}
        for _ in range(number):
            for name in self._chance(list(self.children)):
                found[name].append(self._block(name, times, kept=True).shared(self.iterations[name]))
        return found

    def _block(self, name: str, times: int, *, kept: bool) -> Block:
        answer = self.ask(name, block=times, kept=kept)
        return Block(answer["cpu"], answer["wall"], answer["whole"])

    def ask(self, name: str, **order: Any) -> dict[str, Any]:
        """What one process answers while its test goes on."""
        answer = self.children[name].ask(**order)
        if answer["said"] == "done":
            self._over({name: answer}, "the test went on before it was told to")
        return answer

    def end(self) -> Mapping[str, str]:
        """Let the test come to its end in all processes.

        Returns:
            What it said itself on the candidate's side.
        """
        done = {name: self.children[name].ask(end=True) for name in self._chance(list(self.children))}
        if any(answer["outcome"] != "passed" for answer in done.values()):
            self._over(done, "")
        extra: Mapping[str, str] = done[CANDIDATE]["extra"]
        return extra

    def _over(self, done: Mapping[str, Mapping[str, Any]], otherwise: str) -> None:
        """Bring the others to their end, too, and say what happened.

        Args:
            done: what some processes said at the end of the test.
            otherwise: why it is not measured where it passed in all of them.
        """
        all_done = {name: done.get(name) or child.ask(end=True) for name, child in self.children.items()}
        said: dict[tuple[str, str], set[str]] = {}
        for name, answer in all_done.items():
            if answer["outcome"] != "passed":
                said.setdefault((answer["outcome"], answer["text"]), set()).add(IN[name])
        sides = {IN[name] for name in self.children}
        for (outcome, text), where in sorted(said.items()):
            if outcome == "skipped" and where == sides:
                raise NotMeasuredError(text, is_skipped=True)
            verb = "fails" if outcome == "failed" else "is skipped"
            raise NotMeasuredError(f"{verb} {' and '.join(sorted(where))}: {text}")
        raise NotMeasuredError(otherwise)
