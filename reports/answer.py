"""The answer in one paragraph: generated from the statistics, and plain about what they cannot tell."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from eval.specs.spec import MetricSpec
from eval.statistics.cells import Cell
from eval.statistics.difference import Difference
from reports.findings import Findings
from reports.leads import Comparisons, Lead, best
from reports.legend import Family, SystemKey
from reports.numbers import decimals, listing, number, plural
from reports.provenance import Fact, summary_facts

FEW_PEOPLE = 10
"""Below this many people a comparison shows how the benchmark works rather than which system is best."""
MANY_PEOPLE = 50
"""From here on a difference of half its own spread is found four times in five."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the paragraph is written from."""

    cells: tuple[Cell, ...]
    specs: tuple[MetricSpec, ...]
    leading: tuple[Lead, ...]
    comparisons: Comparisons
    keys: Mapping[str, SystemKey]
    people: int
    clips: int

    @property
    def shots(self) -> tuple[int, ...]:
        """The numbers of shots, ascending."""
        return tuple(sorted({cell.shots for cell in self.cells}))

    def titles(self, metrics: Sequence[str]) -> str:
        """Return the short names of metrics as a list, or "every metric" where it is all of several."""
        if len(metrics) == len(self.specs) > 1:
            return "every metric"
        return listing(spec.title.partition(" (")[0] for spec in self.specs if spec.id in metrics)

    def values(self, system: str, shots: int, metrics: Sequence[str]) -> str:
        """Return the short names of metrics as a list, each with a system's value."""
        named = []
        for spec in self.specs:
            cell = next(
                (one for one in self.cells if (one.system, one.shots, one.metric) == (system, shots, spec.id)), None
            )
            if spec.id in metrics and cell is not None:
                places = decimals(one.value for one in self.cells if one.metric == spec.id)
                named.append(f"{spec.title.partition(' (')[0]} ({number(cell.value, places)})")
        return listing(named)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSection:
    """The top of the page."""

    headline: str
    paragraphs: tuple[str, ...]
    facts: tuple[Fact, ...]


def answer_section(found: Findings) -> AnswerSection:
    """Return the answer, first in one line, and what it is an answer about."""
    evidence = Evidence(
        cells=found.cells,
        specs=found.specs,
        leading=found.leading,
        comparisons=found.comparisons,
        keys=found.keys,
        people=found.people,
        clips=found.clips,
    )
    return AnswerSection(
        headline=headline(evidence),
        paragraphs=(*answer(evidence), *filter(None, [_about_far(found, evidence)])),
        facts=summary_facts(found.run, found.people, found.clips),
    )


def _about_far(found: Findings, evidence: Evidence) -> str:
    """Return the paragraph on the far frames, empty where there are none."""
    far = next((view for view in found.views if view.stratum == "far"), None)
    if far is None:
        return ""
    people = max(cell.n_identities for cell in far.cells)
    about = replace(evidence, cells=far.cells, leading=far.leading, comparisons=far.comparisons, people=people)
    return far_answer(about)


def answer(evidence: Evidence) -> tuple[str, ...]:
    """Return the paragraphs: who leads, beside copies and warps, what more shots did, what the pictures are.

    Sentences that do not apply to the run are left out.
    """
    paragraphs = (
        (_asked(evidence), _winners(evidence)),
        (_copying(evidence), _warping(evidence), _baselines(evidence)),
        (*_shots_effect(evidence), _failures(evidence), _certainty(evidence)),
        (_synthetic(evidence),),
    )
    joined = (" ".join(filter(None, sentences)) for sentences in paragraphs)
    return tuple(paragraph for paragraph in joined if paragraph)


def far_answer(evidence: Evidence) -> str:
    """Return the paragraph on the frames that are far from everything that was shown; empty if nobody leads there.

    Args:
        evidence: Of these frames alone.
    """
    winners = _winners(evidence)
    if not winners:
        return ""
    frames = max((cell.n_frames for cell in evidence.cells), default=0)
    where = f"On the {plural(frames, 'frame')} of {plural(evidence.people, 'person', 'people')} that are far from every"
    there = " ".join(filter(None, (_copying(evidence), _warping(evidence))))
    there = f" There, {there[0].lower()}{there[1:]}" if there else ""
    return f"{where} source frame, {winners[0].lower()}{winners[1:]}{there}"


def headline(evidence: Evidence) -> str:
    """Return one line that says who is ahead at the largest number of shots, or that nobody is."""
    shots = evidence.shots[-1]
    last = [lead for lead in evidence.leading if lead.shots == shots]
    if not last:
        return "There is nothing to compare: fewer than two systems could be scored"
    where = f"With {plural(shots, 'shot')} of {'these ' if evidence.people > 1 else ''}"
    where += plural(evidence.people, "person", "people")
    clear = {lead.leader for lead in last if lead.separated}
    if not clear:
        return f"{where} no system is clearly best in any metric"
    if len(clear) > 1:
        return f"{where} different systems are clearly best in different metrics"
    won = [lead.metric for lead in last if lead.separated]
    return f"{where} {clear.pop()} is clearly best in {evidence.titles(won)}"


def _asked(evidence: Evidence) -> str:
    frames = max((cell.n_frames for cell in evidence.cells), default=0)
    shown = "one frame" if evidence.shots == (1,) else f"{listing(map(str, evidence.shots))} frames"
    return (
        f"Each of {plural(len(evidence.keys), 'system')} was shown {shown} of each of "
        f"{plural(evidence.people, 'person', 'people')} it had never met, and had to draw "
        f"{plural(frames, 'other frame')} of them ({plural(evidence.clips, 'clip')}) from 68 landmarks."
    )


def _winners(evidence: Evidence) -> str:
    """Say who has the best value in which metric at the largest number of shots, and which leads are separated."""
    shots = evidence.shots[-1]
    last = [lead for lead in evidence.leading if lead.shots == shots]
    if not last:
        return ""
    metrics_of: dict[str, list[str]] = {}
    for lead in last:
        metrics_of.setdefault(lead.leader, []).append(lead.metric)
    clauses = [
        f"{leader} is best in {evidence.values(leader, shots, metrics)}" for leader, metrics in metrics_of.items()
    ]
    clear = [lead.metric for lead in last if lead.separated]
    if not clear:
        certain = "none of these leads is separated from second place: each could be chance"
    elif len(clear) == len(last):
        certain = "each is separated from second place"
    else:
        certain = f"only the lead in {evidence.titles(clear)} is separated from second place"
    return f"With {plural(shots, 'shot')} {listing(clauses)}; {certain}."


def _copying(evidence: Evidence) -> str:
    """Say where copying or averaging real frames wins, loses, or cannot be told from the best model."""
    standings = _standings(evidence, {Family.COPY}, {Family.MODEL, Family.BASELINE}, "the best model")
    return f"Copying or averaging real frames, which needs no model, {standings}." if standings else ""


def _warping(evidence: Evidence) -> str:
    """Say the same of bending real frames by a formula."""
    standings = _standings(evidence, {Family.WARP}, {Family.MODEL, Family.BASELINE}, "the best model")
    return f"Warping a real frame, which needs no training, {standings}." if standings else ""


def _baselines(evidence: Evidence) -> str:
    """Say the same of the learned baselines, against the other models."""
    named = _of(evidence, {Family.BASELINE})
    standings = _standings(evidence, {Family.BASELINE}, {Family.MODEL}, "the best other model")
    who = "The learned baseline" if len(named) == 1 else "The better one of the learned baselines"
    return f"{who} {listing(named)} {standings}." if standings else ""


def _of(evidence: Evidence, families: Collection[Family]) -> list[str]:
    return [name for name, key in evidence.keys.items() if key.family in families]


def _standings(evidence: Evidence, families: Collection[Family], against: Collection[Family], rival: str) -> str:
    """Return where the best of some families wins, loses, or cannot be told from the best of others."""
    shots = evidence.shots[-1]
    ours, theirs = _of(evidence, families), _of(evidence, against)
    found: dict[str, list[str]] = {"worse": [], "ahead": [], "behind": [], "better": []}
    for spec in evidence.specs:
        model = best(evidence.cells, spec, shots, lambda name: name in theirs)
        copy = best(evidence.cells, spec, shots, lambda name: name in ours)
        if model and copy:
            gap = evidence.comparisons.difference(model[0].system, copy[0].system, shots, spec.id)
            if gap is not None:
                found[_standing(gap, spec)].append(spec.id)
    words = {
        "worse": f"is clearly better than {rival} in",
        "ahead": "is ahead of it, but not separated, in",
        "behind": "is behind it, but not separated, in",
        "better": "is clearly worse in",
    }
    clauses = [f"{words[kind]} {evidence.titles(metrics)}" for kind, metrics in found.items() if metrics]
    if not clauses:
        return ""
    clauses[0] = clauses[0].replace(" it,", f" {rival},").replace("clearly worse in", f"clearly worse than {rival} in")
    return listing(clauses)


def _standing(gap: Difference, spec: MetricSpec) -> str:
    """Return how the rival stands in a rival-minus-ours difference: a clear verdict, or where ours is."""
    if gap.verdict != "not separated":
        return gap.verdict
    return "behind" if (gap.value > 0) == spec.higher_is_better else "ahead"


def _shots_effect(evidence: Evidence) -> list[str]:
    """Say what more shots changed for the models, between the smallest and the largest number."""
    few, many = evidence.shots[0], evidence.shots[-1]
    if few == many:
        return []
    models_with: dict[str, list[str]] = {}
    for name, key in evidence.keys.items():
        if key.family in (Family.MODEL, Family.BASELINE):
            gaps = [evidence.comparisons.gain(name, many, spec.id) for spec in evidence.specs]
            change = _change(evidence, [gap for gap in gaps if gap is not None and math.isfinite(gap.value)])
            models_with.setdefault(change, []).append(name)
    return [f"From {few} to {many} shots {listing(names)} {change}." for change, names in models_with.items() if change]


def _change(evidence: Evidence, gaps: Sequence[Difference]) -> str:
    """Return what one model gained and lost, worded so that it fits one model as well as several."""
    better = [gap.metric for gap in gaps if gap.verdict == "better"]
    worse = [gap.metric for gap in gaps if gap.verdict == "worse"]
    clauses = []
    if better:
        clauses.append(f"clearly gained in {evidence.titles(better)}")
    if worse:
        clauses.append(f"clearly lost in {evidence.titles(worse)}")
    if gaps and not clauses:
        return "did not clearly change in any metric"
    return listing(clauses)


def _failures(evidence: Evidence) -> str:
    failed: dict[str, int] = {}
    for cell in evidence.cells:
        failed[cell.system] = max(failed.get(cell.system, 0), cell.n_failed)
    named = [f"{plural(count, 'frame')} of {name}" for name, count in failed.items() if count]
    if not named:
        return ""
    return (
        f"Up to {listing(named)} could not be scored in one setting and metric; they count at the metric's worst bound."
    )


def _certainty(evidence: Evidence) -> str:
    if not evidence.leading:
        return ""
    separated = sum(lead.separated for lead in evidence.leading)
    shots = f"{listing(map(str, evidence.shots))} {'shot' if evidence.shots == (1,) else 'shots'}"
    text = (
        f"In all, {separated or 'none'} of {plural(len(evidence.leading), 'first place')} "
        f"({plural(len(evidence.specs), 'metric')} at {shots}) {'is' if separated < 2 else 'are'} separated"
    )
    people = plural(evidence.people, "person", "people")
    if evidence.comparisons.statistics.limits:
        return f"{text}. {evidence.comparisons.statistics.limits}"
    if evidence.people < FEW_PEOPLE:
        return (
            f"{text}. With only {people} under test the intervals are wide: this page shows how the systems behave, "
            "not which is best."
        )
    if evidence.people < MANY_PEOPLE:
        return f"{text}. With {people} under test only large differences can be told apart."
    return f"{text}, with {people} under test."


def _synthetic(evidence: Evidence) -> str:
    made, copied = _of(evidence, {Family.MODEL, Family.BASELINE}), _of(evidence, {Family.COPY})
    bent = _of(evidence, {Family.WARP})
    clauses = []
    if made:
        clauses.append(f"the pictures by {listing(made)} are AI-generated and labelled so")
    if bent:
        clauses.append(
            f"{'those' if made else 'the pictures'} by {listing(bent)} are real frames bent by a formula, "
            "and labelled as altered"
        )
    if copied:
        clauses.append(f"those by {listing(copied)} are copies or averages of real frames")
    text = "; ".join(clauses)
    return f"{text[:1].upper()}{text[1:]}." if text else ""
