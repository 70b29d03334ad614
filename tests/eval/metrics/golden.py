"""Every metric on fixed pictures: `python -m tests.eval.metrics.golden` adds the values of new metrics and versions.

What is written once stays: a value that changed is not replaced. Raise the version of the spec instead, and the new
version gets a line of its own.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
import skimage.data

from eval.features import FeatureCache, Frames
from eval.metrics.loading import load_metrics
from eval.specs.across import NME_MOVEMENT
from eval.specs.profiles import SPECS
from eval.specs.spec import MetricSpec
from eval.specs.video import FVD_I3D

FILE = Path(__file__).with_name("golden.json")
SIZE_PX = 176
"""Large enough for MS-SSIM."""
EMBEDDED = tuple(spec for spec in (*SPECS["embedded"], NME_MOVEMENT, FVD_I3D) if spec.id != "blink.recall")
"""Over networks that packages ship. Without the one that has no value here: she does not blink."""


def portraits() -> tuple[Frames, Frames]:
    """Return what a system might have drawn, and six frames of a face that wanders, of which the last has none."""
    photo = skimage.data.astronaut()
    places = [(5, 140), (8, 146), (12, 150), (14, 148), (20, 140), (300, 20)]
    target = np.stack([photo[y : y + SIZE_PX, x : x + SIZE_PX] for y, x in places])
    ramp = np.linspace(-18, 18, SIZE_PX)[:, None]
    shifted = np.roll(target, (1, 2), axis=(1, 2)) * 0.93 + ramp + np.sin(np.arange(6))[:, None, None, None] * 6
    generated = np.clip(shifted.round(), 0, 255).astype(np.uint8)
    previous = np.array([-1, 0, 1, -1, 3, -1])
    return Frames.of(generated), Frames.of(target, previous)


def video() -> tuple[Frames, Frames]:
    """Return what a system might have drawn, and two runs of 16 frames, in which the camera moves to the right."""
    photo = skimage.data.astronaut()
    places = [(y, 100 + 3 * step) for y in (5, 40) for step in range(16)]
    target = np.stack([photo[y : y + SIZE_PX, x : x + SIZE_PX] for y, x in places])
    ramp = np.linspace(-18, 18, SIZE_PX)[:, None]
    generated = np.clip((np.roll(target, 2, axis=2) * 0.93 + ramp).round(), 0, 255).astype(np.uint8)
    previous = np.array([-1, *range(15), -1, *range(16, 31)])
    return Frames.of(generated, previous), Frames.of(target, previous)


def values(spec: MetricSpec) -> list[float]:
    """Return the value of a metric for each frame, or that of the whole set."""
    generated, target = video() if spec == FVD_I3D else portraits()
    metrics = load_metrics([spec])
    for metric in metrics.frame:
        return metric.score(generated, target, FeatureCache()).values.tolist()
    (over_set,) = metrics.over_set
    runs = over_set.members.places(target)
    features = [FeatureCache().features(over_set.extractor, side.in_runs(runs)) for side in (generated, target)]
    return [over_set.distance(*features)]


def known() -> dict[str, list[float]]:
    """Return the values on record; those that could not be measured are NaN."""
    recorded = json.loads(FILE.read_text(encoding="utf-8")) if FILE.is_file() else {}
    return {name: [math.nan if one is None else one for one in line] for name, line in recorded.items()}


def add_missing(specs: tuple[MetricSpec, ...]) -> list[str]:
    """Write the values of metrics and versions that are not on record, and return which."""
    record = known()
    new = {spec.versioned_id: values(spec) for spec in specs if spec.versioned_id not in record}
    lines = {
        name: json.dumps([None if math.isnan(one) else one for one in line])
        for name, line in sorted({**record, **new}.items())
    }
    body = ",\n".join(f" {json.dumps(name)}: {line}" for name, line in lines.items())
    FILE.write_text(f"{{\n{body}\n}}\n", encoding="utf-8")
    return list(new)


if __name__ == "__main__":
    sys.stdout.write("".join(f"added {name}\n" for name in add_missing(EMBEDDED)))
