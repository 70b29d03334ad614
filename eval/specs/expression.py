"""Do eyes and mouth do what the driver's do?"""

from eval.specs.geometry import FOUND_ANEW, LANDMARK_WEIGHTS
from eval.specs.spec import NEEDS_FACE, MetricSpec

EYES_SHUT_BELOW = 0.2
"""Height over width of an eye; a common bound of blink counters over the eye aspect ratio."""
MIN_EYE_PX = 5.0
"""Narrower eyes are not looked at: open lids are then less than two pixels apart."""
EYE_WEIGHTS = ("iris", *LANDMARK_WEIGHTS)

LOOKED_AT = (
    "Face and landmarks are found anew in both frames without tracking; a network for eyes then looks at each eye, "
    f"turned upright and 2.3 times its width. Eyes less than {MIN_EYE_PX:g} pixels wide are not measured."
)
NEEDS_EYES = (
    "A frame without a face or with too small eyes, or that the system did not deliver, counts as {worst} in the "
    "headline, and so does a measured value that is worse, so that failing never pays. Target frames without "
    "measurable eyes are counted as `target_no_eyes` and left out for every system alike."
)
_LIDS = (
    "Openness is the eye aspect ratio (height over width) of the lids that the network for eyes finds: about 0.35 "
    "open, 0.1 shut. The landmarks of the whole face would not do: FaceMesh's hardly move in a blink."
)
_EAR = 'Soukupova and Cech 2016, "Real-Time Eye Blink Detection using Facial Landmarks"'

EYE_OPENNESS = MetricSpec(
    id="openness.eyes",
    version=1,
    title="Eye openness error",
    level="frame",
    definition=f"How far the eyes are from being as open as the target's, as the mean of both. {_LIDS}",
    equation="mean over both eyes of |EAR_generated - EAR_target|, EAR = (|p2 - p6| + |p3 - p5|) / (2 |p1 - p4|)",
    source=f"{_EAR}, for the ratio.",
    unit="fraction of the width of the eye",
    range=(0.0, None),
    higher_is_better=False,
    perfect=0.0,
    weights=EYE_WEIGHTS,
    preparation=LOOKED_AT,
    worst=0.5,
    failure_policy=NEEDS_EYES.format(worst="0.5"),
    across="driver",
)
MOUTH_OPENNESS = MetricSpec(
    id="openness.mouth",
    version=1,
    title="Mouth openness error",
    level="frame",
    definition=(
        "How far the mouth is from being as open as the target's: the gap between the inner lips over the distance of "
        "the outer eye corners. The eyes give the scale, because a mouth that opens gets narrower."
    ),
    equation="|m_generated - m_target|, m = |p[62] - p[66]| / |p[36] - p[45]|",
    source=(
        "The mouth aspect ratio that is used beside the eye aspect ratio, with the inter-ocular distance as its "
        "denominator; points as in 300-W (Sagonas et al. 2013)."
    ),
    unit="fraction of the inter-ocular distance",
    range=(0.0, None),
    higher_is_better=False,
    perfect=0.0,
    weights=LANDMARK_WEIGHTS,
    preparation=f"{FOUND_ANEW} At 128 pixels, compression or slight blur moves the value by 0.008.",
    worst=1.0,
    failure_policy=NEEDS_FACE.format(worst="1"),
    across="driver",
)


def _blink(*, metric: str, title: str, definition: str, equation: str, failure: str) -> MetricSpec:
    return MetricSpec(
        id=metric,
        version=1,
        title=title,
        level="frame",
        definition=f"{definition} {_LIDS}",
        equation=equation,
        source=f"{_EAR}, for the ratio; {EYES_SHUT_BELOW:g} is a common bound.",
        unit="fraction of the frames",
        range=(0.0, 1.0),
        higher_is_better=True,
        perfect=1.0,
        weights=EYE_WEIGHTS,
        preparation=f"{LOOKED_AT} Eyes are shut where the mean openness of both is below {EYES_SHUT_BELOW:g}.",
        worst=0.0,
        failure_policy=NEEDS_EYES.format(worst="0") + failure,
        across="driver",
    )


BLINK_AGREEMENT = _blink(
    metric="blink.agreement",
    title="Blink agreement",
    definition=(
        "Share of the frames in which the eyes are shut where the target's are, and open where the target's are. "
        "People blink rarely: who never shuts the eyes reaches 1 less the share of blinks, so read it beside "
        "`blink.recall`."
    ),
    equation="1 where (EAR_generated < 0.2) = (EAR_target < 0.2), else 0",
    failure="",
)
BLINK_RECALL = _blink(
    metric="blink.recall",
    title="Blink recall",
    definition="Share of the frames with shut eyes in the target in which the generated eyes are shut as well.",
    equation="1 where EAR_generated < 0.2, else 0, over the frames with EAR_target < 0.2",
    failure=" Target frames with open eyes are counted as `target_eyes_open` and left out likewise.",
)
