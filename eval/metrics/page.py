"""The page that explains every metric: `python -m eval.metrics.page > docs/metrics.md`."""

import math
import sys

from eval.motion import BOUNDS
from eval.specs.profiles import SPECS
from eval.specs.spec import MetricSpec

_INTRODUCTION = """\
# Metrics

This page is generated from the specifications in `eval/specs/`. The same text stands in every
`run.json` and every report, so that a number never travels without what it means.

- The id names what was computed. A Frechet distance is called FID only over the network that FID was defined
on; over any
  other network it is `fd.<network>`, and the two are never in one column.
- Two profiles choose the networks. `embedded` (the default) uses networks that ship inside packages, `paper`
the ones that papers
  quote. Compare numbers within a profile only.
- Every frame counts. Where a frame cannot be scored, the headline takes it at the metric's stated bound, the
number over
  measured frames alone is shown beside it, and the failures are counted.
- Every number has a 95% interval whose unit is the person. Frames of a clip are averaged, then clips of a person, then
  people.
- A comparison is paired: the difference between two systems over the same people, tested, and corrected for how many
  comparisons there are.
- [Statistics](statistics.md) says how, with what was measured, and what few people cannot show.

## Near and far

On frames that resemble what a system was shown, copying wins. Every frame to be drawn is therefore in a stratum by its
distance from the most similar frame of the support:

- The distance is `sqrt(p^2 + s^2)`. `p` is the angle between the poses of the head in radians (root of the squared
  differences in yaw, pitch and roll). `s` is the root mean square distance of the 68 landmarks after both faces were
  centred and scaled to a radius of 1 (Kendall 1984, without taking out the rotation). Both are in one unit: a point one
  radius from the axis moves by the angle when the head turns. Where the face is in the picture and how large plays no
  part.
- `near` is below {near:g}, `far` is {far:g} and more ({far_deg:.0f} degrees of head turn), `middle` lies between. The
  bounds are the same for all people, systems and numbers of shots; they are part of the hash of the tasks.
- The stratum is decided against the largest support of a draw, which holds all smaller ones. So a far frame is far at
  every number of shots, and a curve over shots compares the same frames. With one shot, a near frame may be far from
  that one frame.
- Frames are chosen for it: as many of each stratum as there are, evenly over time; where a person has more test clips,
  half of them come from those. "All frames" is the mean over this choice, not over what the clip mostly shows.
- Means, intervals and paired comparisons of a stratum are those above, over its frames and over the people who have
  any. Its Frechet distance is over its own frames, so it is refused or flagged by its own number.

`scores.parquet` has the stratum of each frame; `summarise(scores, specs, "far")` and `differences(..., stratum="far")`
compute from it.
"""


def render_page() -> str:
    """Return the page as Markdown."""
    bounds = {"near": BOUNDS.near_below, "far": BOUNDS.far_from, "far_deg": math.degrees(BOUNDS.far_from)}
    parts = [_INTRODUCTION.format(**bounds), _overview()]
    seen: dict[str, MetricSpec] = {}
    for specs in SPECS.values():
        for spec in specs:
            if spec.id not in seen:
                seen[spec.id] = spec
                parts.append(_section(spec))
    return "\n".join(parts)


def _overview() -> str:
    lines = ["| metric | profile | better | perfect | a failed frame counts as |", "|---|---|---|---|---|"]
    rows: dict[str, list[str]] = {}
    by_id: dict[str, MetricSpec] = {}
    for profile, specs in SPECS.items():
        for spec in specs:
            rows.setdefault(spec.id, []).append(profile)
            by_id[spec.id] = spec
    for metric, profiles in rows.items():
        spec = by_id[metric]
        worst = "a black frame" if spec.worst is None else f"{spec.worst:g}"
        direction = "higher" if spec.higher_is_better else "lower"
        lines.append(f"| `{metric}` | {', '.join(profiles)} | {direction} | {spec.perfect:g} | {worst} |")
    return "\n".join(lines) + "\n"


def _section(spec: MetricSpec) -> str:
    low, high = spec.range
    facts = {
        "Version": str(spec.version),
        "Equation": f"`{spec.equation}`",
        "Unit": spec.unit or "none",
        "Range": f"{low:g} to {'no upper end' if high is None else format(high, 'g')}",
        "Preparation": spec.preparation,
        "Networks": _networks(spec.id),
        "Failures": spec.failure_policy,
        "Source": spec.source,
    }
    lines = [f"- {name}: {text}" for name, text in facts.items()]
    return f"## {spec.title}: `{spec.id}`\n\n{spec.definition}\n\n" + "\n".join(lines) + "\n"


def _networks(metric: str) -> str:
    """Name the networks of a metric; those of both profiles where they differ."""
    found = {
        profile: ", ".join(f"`{weight}`" for weight in spec.weights)
        for profile, specs in SPECS.items()
        for spec in specs
        if spec.id == metric
    }
    if len(set(found.values())) == 1:
        return next(iter(found.values())) or "none"
    return "; ".join(f"{names} ({profile})" for profile, names in found.items())


if __name__ == "__main__":
    sys.stdout.write(render_page())
