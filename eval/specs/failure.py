"""Whether there is anything to measure."""

from eval.specs.geometry import LANDMARK_WEIGHTS
from eval.specs.spec import MetricSpec

MISSING_FACE = MetricSpec(
    id="failure.missing-face",
    version=1,
    title="Missing faces",
    kind="delivery",
    level="frame",
    definition=(
        "Share of frames without a face: 1 for a generated frame in which no face is found although the target shows "
        "one, 0 for one with a face."
    ),
    equation="number of generated frames without a face / number of target frames with one",
    source="This benchmark's own, over the detector that `nme.interocular` and CSIM use.",
    unit="fraction of the frames",
    range=(0.0, 1.0),
    higher_is_better=False,
    perfect=0.0,
    weights=LANDMARK_WEIGHTS,
    preparation="Faces are looked for in each frame alone, at the size of the task.",
    worst=1.0,
    failure_policy=(
        "A frame that the system did not deliver counts as 1. Target frames without a measurable face are left out for "
        "every system alike."
    ),
    across="driver",
)
