"""The page that explains every metric: `python -m eval.metrics.page > docs/metrics.md`."""

import math
import sys
from collections.abc import Mapping, Sequence

from eval.specs.across import NME_MOVEMENT, across_specs
from eval.specs.geometry import LANDMARK_WEIGHTS
from eval.specs.profiles import SPECS
from eval.specs.spec import Kind, MetricSpec
from eval.tasks.motion import BOUNDS
from weights.registry import find_entry

_INTRODUCTION = """\
# Metrics

This page is generated from the specifications in `eval/specs/`. The same text stands in every `run.json` and every
report, so that a number never travels without what it means.

- The id names what was computed. A Frechet distance is called FID only over the network that FID was defined on; over
  any other network it is `fd.<network>`, and the two are never in one column. What others call by one name and
  compute in two ways has two ids here, so that old tables can be matched.
- Two profiles choose the networks. `embedded` (the default) uses networks that ship inside packages, `paper` the ones
  that papers quote. Compare numbers within a profile only.
- Every frame counts. Where a frame cannot be scored, the headline takes it at the metric's stated bound, the number
  over measured frames alone is shown beside it, and the failures are counted.
- Every number has a 95% interval whose unit is the person. Frames of a clip are averaged, then clips of a person,
  then people.
- A comparison is paired: the difference between two systems over the same people, tested, and corrected for how many
  comparisons there are. [Statistics](statistics.md) says how, with what was measured, and what few people cannot show.
- A metric has a version. It is raised whenever a value can change; numbers of two versions are not compared, and a
  test holds the values of every version.

## Which metrics are measured

```sh
headshot benchmark --metrics headline           # the main table: six metrics
headshot benchmark                              # and what costs little beside it: `default` below
headshot benchmark --metrics all                # and what costs more: `extra`; not what is `named`
headshot benchmark --metrics psnr@mouth,l1      # these alone; they make the main table
```

The main table and the charts show the headline. The others have a table of their own in the report and in the
terminal, and all are in `scores.parquet`. Measuring more afterwards takes the same command again: nothing is rendered
anew, and what was computed before is kept by content hash in the folder of the run.

A picture of a talking head is mostly a background that stands still, and any system that copies it scores well there.
`psnr@mouth` is PSNR over the pixels of the mouth alone; `@face` and `@eyes` likewise. The region is decided by the
target's landmarks, so that it is the same for every system.

What people see is measured by asking them: USER (`user.3afc`) has [a study of its own](study.md), and a column in the
report once there is one.

FVD is measured where its id is asked for, and nowhere else. It compares runs of 16 frames that follow each other, which
only tasks of the protocol `video` have ([tasks.md](tasks.md)), and it wants thousands of them: below 64 runs (32 clips
with two each) there is no number; below 2,048 it is flagged as unreliable, since much of it is then bias.

```sh
headshot benchmark --protocol video --profile paper --metrics flicker.dtssd,fvd.i3d-kinetics400
```

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


_KINDS: dict[Kind, str] = {
    "image": "Pictures",
    "distribution": "Sets of pictures",
    "face": "Faces",
    "time": "Time",
    "delivery": "Failures",
}


_ACROSS: dict[str | None, str] = {
    "person": "compared with real frames of the person shown",
    "driver": "compared with the frames of the driver",
    None: "not measured, for want of a target frame",
}


def render_page() -> str:
    """Return the page as Markdown."""
    bounds = {"near": BOUNDS.near_below, "far": BOUNDS.far_from, "far_deg": math.degrees(BOUNDS.far_from)}
    known = _specs()
    parts = [_INTRODUCTION.format(**bounds), "## All metrics\n"]
    for kind, title in _KINDS.items():
        of_kind = [spec for spec in known.values() if spec.kind == kind]
        if of_kind:
            parts.append(_overview(title, of_kind))
    parts += [_section(spec) for spec in known.values() if "@" not in spec.id]
    parts += ["## Metrics by region\n", *(_region(spec, known) for spec in known.values() if "@" in spec.id)]
    return "\n".join(parts)


def _specs() -> dict[str, MetricSpec]:
    """Return the metrics of all profiles by id, those of the default profile first."""
    known: dict[str, MetricSpec] = {}
    for specs in SPECS.values():
        for spec in (*specs, *across_specs(specs)):
            known.setdefault(spec.id, spec)
    return known


def _overview(title: str, specs: Sequence[MetricSpec]) -> str:
    lines = [
        f"### {title}\n",
        "| metric | measured | profile | better | perfect | a failed frame counts as |",
        "|---|---|---|---|---|---|",
    ]
    for spec in specs:
        profiles = [
            profile for profile, others in SPECS.items() if spec.id in {one.id for one in (*others, NME_MOVEMENT)}
        ]
        worst = "a black frame" if spec.worst is None else f"{spec.worst:g}"
        direction = "higher" if spec.higher_is_better else "lower"
        place = f"[`{spec.id}`](#{_anchor(spec)})"
        lines.append(f"| {place} | {spec.tier} | {', '.join(profiles)} | {direction} | {spec.perfect:g} | {worst} |")
    return "\n".join(lines) + "\n"


def _heading(spec: MetricSpec) -> str:
    return f"{spec.title}: `{spec.id}`"


def _anchor(spec: MetricSpec) -> str:
    """Return the address that Markdown viewers give to the heading of a metric."""
    kept = (letter for letter in _heading(spec).lower() if letter.isalnum() or letter in " -_")
    return "".join(kept).replace(" ", "-")


def _section(spec: MetricSpec) -> str:
    facts = {
        "Version": str(spec.version),
        "Equation": f"`{spec.equation}`",
        "Unit": spec.unit or "none",
        "Range": _range(spec),
        "Better": "higher" if spec.higher_is_better else "lower",
        "Preparation": spec.preparation,
        "Networks": _networks(spec.id),
        "Where another person drives": _ACROSS[spec.across],
        "Failures": spec.failure_policy,
        "Source": spec.source,
    }
    lines = [f"- {name}: {text}" for name, text in facts.items()]
    return f"## {_heading(spec)}\n\n{spec.definition}\n\n" + "\n".join(lines) + "\n"


def _region(spec: MetricSpec, known: Mapping[str, MetricSpec]) -> str:
    """Return the section of a metric within a region: what differs from the whole picture."""
    whole = known[spec.id.partition("@")[0]]
    facts = {
        "Version": str(spec.version),
        "As": f"[`{whole.id}`](#{_anchor(whole)}) in unit, range, direction, networks and source",
        "Preparation": spec.preparation.removeprefix(whole.preparation).strip(),
        "Networks": f"those of `{whole.id}`, and " + ", ".join(f"`{name}`" for name in LANDMARK_WEIGHTS),
        "Failures": spec.failure_policy.removeprefix(whole.failure_policy).strip(),
    }
    lines = [f"- {name}: {text}" for name, text in facts.items()]
    return f"### {_heading(spec)}\n\n" + "\n".join(lines) + "\n"


def _range(spec: MetricSpec) -> str:
    low, high = spec.range
    if low is None:
        return "any number"
    return f"{low:g} to {'no upper end' if high is None else format(high, 'g')}"


def _networks(metric: str) -> str:
    """Name the networks of a metric with hash and licence; those of both profiles where they differ."""
    found = {
        profile: ", ".join(_network(name) for name in spec.weights)
        for profile, specs in SPECS.items()
        for spec in (*specs, NME_MOVEMENT)
        if spec.id == metric
    }
    if len(set(found.values())) == 1:
        return next(iter(found.values())) or "none"
    return "; ".join(f"{names} ({profile})" for profile, names in found.items())


def _network(weight_id: str) -> str:
    entry = find_entry(weight_id)
    return f"`{weight_id}` ({entry.licence}; sha256 {entry.sha256[:12]})"


if __name__ == "__main__":
    sys.stdout.write(render_page())
