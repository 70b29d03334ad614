"""Numbers that papers report, with their source: shown apart, compared with nothing."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("reported.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """One number of a paper."""

    method: str
    """As the paper calls it."""
    data: str
    shots: int
    metric: str
    value: str
    """With the digits of the paper."""
    source: str
    link: str


@cache
def reported() -> tuple[Reported, ...]:
    """Return all numbers of `reported.toml`, in its order."""
    papers = tomllib.loads(FILE.read_text(encoding="utf-8"), parse_float=str)["paper"]
    return tuple(
        Reported(
            method=row["method"],
            data=row["data"],
            shots=int(shots),
            metric=row["metric"],
            value=value,
            source=paper["source"],
            link=paper["link"],
        )
        for paper in papers
        for row in paper["row"]
        for shots, value in row["values"].items()
    )
