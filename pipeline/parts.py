"""A share of the work, for runs that know nothing of each other."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from weights.errors import HeadshotError

Job = TypeVar("Job")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Every `count`-th job, beginning with number `index`, counted from 1."""

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

    def of(self, jobs: Sequence[Job]) -> list[Job]:
        """Return the jobs of this part; each job belongs to one."""
        return list(jobs[self.index - 1 :: self.count])
