"""Who may be shown under which terms: the clips of a dataset added up by licence."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

NOT_STATED = "not stated"
SPDX = "https://spdx.org/licenses/{}.html"
SPDX_NAMES = re.compile(
    r"(0BSD|AGPL-3\.0|Apache-2\.0|BSD-[23]-Clause|GFDL-1\.3|[L]?GPL-[23]\.\d|ISC|MIT|MPL-2\.0|ODbL-1\.0|Unlicense)"
    r"(-only|-or-later)?(?=$|[\s,;(])"
)
"""Names at the beginning of what a manifest says, as in "MIT (package)"."""
CREATIVE_COMMONS = re.compile(r"CC[ -]BY((?:[ -](?:NC|ND|SA))*)[ -](\d\.\d)", re.IGNORECASE)
CC0 = re.compile(r"CC[ -]?0(?:[ -]1\.0)?(?=$|[\s,;(])", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceUse:
    """What a dataset holds under one licence."""

    licence: str
    clips: int
    frames: int
    people: int
    credits: tuple[str, ...]
    """Whom to name, without repetition, sorted."""


def licence_uses(clips: Iterable[tuple[str, str, int, str]]) -> tuple[LicenceUse, ...]:
    """Return what there is under each licence, most frames first.

    Args:
        clips: Licence, identity, frames and credit of each clip.
    """
    found: dict[str, tuple[list[int], set[str], set[str]]] = {}
    for licence, identity, frames, credit in clips:
        lengths, people, makers = found.setdefault(licence or NOT_STATED, ([], set(), set()))
        lengths.append(frames)
        people.add(identity)
        if credit:
            makers.add(credit)
    uses = (
        LicenceUse(
            licence=licence,
            clips=len(lengths),
            frames=sum(lengths),
            people=len(people),
            credits=tuple(sorted(makers)),
        )
        for licence, (lengths, people, makers) in found.items()
    )
    return tuple(sorted(uses, key=lambda use: (-use.frames, use.licence)))


def licence_address(licence: str) -> str:
    """Return the web address of the text of a licence, empty where the words name none that is known."""
    if re.fullmatch(r"https?://[^\s<>\"']+", licence):
        return licence
    if family := CREATIVE_COMMONS.match(licence):
        kind = "-".join(["by", *re.findall("[a-z]+", family[1].lower())])
        return f"https://creativecommons.org/licenses/{kind}/{family[2]}/"
    if CC0.match(licence):
        return "https://creativecommons.org/publicdomain/zero/1.0/"
    if named := SPDX_NAMES.match(licence):
        return SPDX.format(named[0])
    return ""


def shortened(makers: tuple[str, ...], most: int = 5) -> str:
    """Return credits as one line, with the number of those that are left out."""
    more = len(makers) - most
    return "; ".join(makers[:most]) + (f"; and {more:,} more, see `credit` in `index.parquet`" if more > 0 else "")
