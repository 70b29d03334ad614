"""Metrics of cross-reenactment: those that need no target frame."""

from collections.abc import Sequence

from eval.specs.geometry import FOUND_ANEW, LANDMARK_WEIGHTS
from eval.specs.spec import NEEDS_FACE, MetricSpec

NME_MOVEMENT = MetricSpec(
    id="nme.movement",
    version=1,
    title="NME (movement)",
    kind="face",
    tier="headline",
    level="frame",
    definition=(
        "Mean distance between the 68 landmarks of the generated face and of the driver's, in radii of the face, after "
        "each was freed of place and size, and of its own mean over the frames of the task: did the face move as "
        "the driver's did, whatever its proportions and its resting pose?"
    ),
    equation=(
        "mean over points of |(s_g - mean s_g) - (s_d - mean s_d)|, s = (p - centre p) / rms |p - centre p|, means "
        "over frames of the task that have a face in both"
    ),
    source=(
        "This benchmark's own; movement relative to a resting face as in Siarohin et al. 2019, arXiv:2003.00196, "
        "with the mean in place of the first frame and Kendall's pre-shapes (1984) in place of pixels."
    ),
    unit="fraction of the face's radius",
    range=(0.0, None),
    higher_is_better=False,
    perfect=0.0,
    weights=LANDMARK_WEIGHTS,
    preparation=f"{FOUND_ANEW} A face that does not move scores as much as the driver's moved.",
    worst=1.0,
    failure_policy=NEEDS_FACE.format(worst="1"),
    across="driver",
)


def across_specs(specs: Sequence[MetricSpec]) -> tuple[MetricSpec, ...]:
    """Return the metrics that mean something without a target frame, and the one that is only needed there."""
    return (*(spec for spec in specs if spec.across is not None and spec.id != NME_MOVEMENT.id), NME_MOVEMENT)
