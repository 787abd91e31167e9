"""The pulse of a process that runs tests: a few bytes in a file that say what it runs, since when, with which limit.

The guard reads it; what is imported here is paid for by every guard, see process.py.
"""

from __future__ import annotations

import struct

#: Sequence number, process id, limit in seconds (0: idle), length of the node id that follows.
PULSE = struct.Struct("<QQdH")
#: Bytes of a node id that a pulse holds.
NODE_ID_BYTES = 4000
SUFFIX = ".pulse"


class Pulse:
    """What a process runs at this moment.

    Args:
        sequence: grows with every beat.
        process: its id.
        limit: seconds that the test may take; 0 is no limit, or no test.
        node_id: the test; empty when there is none.
    """

    __slots__ = ("limit", "node_id", "process", "sequence")

    def __init__(self, sequence: int, process: int, limit: float, node_id: str) -> None:
        self.sequence = sequence
        self.process = process
        self.limit = limit
        self.node_id = node_id

    def __repr__(self) -> str:
        return f"Pulse({self.sequence}, {self.process}, {self.limit}, {self.node_id!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pulse) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))

    @classmethod
    def parse(cls, content: bytes) -> Pulse | None:
        """The pulse of a file's content; None when it is not whole."""
        if len(content) < PULSE.size:
            return None
        sequence, process, limit, length = PULSE.unpack_from(content)
        return cls(sequence, process, limit, content[PULSE.size : PULSE.size + length].decode("utf-8", "replace"))
