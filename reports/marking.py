"""The section on disclosure: which marks synthetic pictures carry, and what scoring marked frames would change."""

from dataclasses import dataclass

from eval.marking import MarkedValue, known_effect
from reports.findings import Findings
from reports.numbers import decimals, number, plural, signed

NAMES = {
    "label": "a label in the picture",
    "source-type": "the IPTC digital source type",
    "credentials": "a signed C2PA manifest",
    "watermark": "an invisible watermark",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkingRow:
    """One metric over the same frames: as they are scored, and what marks would add to it."""

    metric: str
    title: str
    better: str
    frames: str
    plain: str
    watermarked: str
    labelled: str
    """Both as a difference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarksSection:
    """The section of the page."""

    carried: str
    left_out: str
    """Empty where every mark is there."""
    rows: tuple[MarkingRow, ...]
    note: str
    """On which frames, or why there are no rows."""


def marks_section(found: Findings) -> MarksSection:
    """Return the section of the page."""
    left_out = found.media.marks.left_out
    effect = known_effect(found.run)
    titles = {spec.id: spec for spec in (*found.specs, *found.others)}
    rows = tuple(
        _row(value, titles[value.metric].title, higher=titles[value.metric].higher_is_better)
        for value in (effect.values if effect else ())
        if value.metric in titles
    )
    return MarksSection(
        carried=_listed([text for name, text in NAMES.items() if name not in left_out]),
        left_out=_listed([text for name, text in NAMES.items() if name in left_out]),
        rows=rows,
        note=_note(found, frames=effect.frames if effect and rows else 0),
    )


def _row(value: MarkedValue, title: str, *, higher: bool) -> MarkingRow:
    places = decimals([value.plain])
    return MarkingRow(
        metric=value.metric,
        title=title,
        better="higher" if higher else "lower",
        frames=str(value.frames),
        plain=number(value.plain, places),
        watermarked=signed(value.watermarked - value.plain, places),
        labelled=signed(value.labelled - value.plain, places),
    )


def _note(found: Findings, *, frames: int) -> str:
    if frames:
        shots = plural(max(found.run.tasks.shots), "shot")
        return (
            f"{plural(frames, 'frame')} of the systems whose pictures are labelled, at {shots}, spread evenly over "
            "systems and people; a distance between sets so small shows only how it changes"
        )
    if found.run.tasks.across:
        return "Where another person drives there is no target to measure the change against."
    return "What the marks would change was not measured for this run; headshot report measures it."


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + f" and {names[-1]}" if names else ""
