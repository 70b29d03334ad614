"""A share of a dataset's shards, for runs that know nothing of each other."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.jobs import ShardJob
from weights.errors import HeadshotError


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Every `count`-th shard, beginning with number `index`, counted from 1."""

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> "Part":
        """Return the part that a text such as `3/8` names.

        Raises:
            HeadshotError: It names none.
        """
        found = re.fullmatch(r"(\d+)/(\d+)", text)
        if found and 1 <= int(found[1]) <= int(found[2]):
            return cls(index=int(found[1]), count=int(found[2]))
        raise HeadshotError(f"--part {text}: give the number of the part and how many there are, from 1/8 to 8/8")

    def of(self, jobs: Sequence[ShardJob]) -> list[ShardJob]:
        """Return the jobs of this part; each job belongs to one."""
        return list(jobs[self.index - 1 :: self.count])
