"""Is it the same person?"""

from eval.specs.geometry import LANDMARK_WEIGHTS
from eval.specs.spec import NEEDS_FACE, MetricSpec, Tier

ALIGNED = (
    "Both frames alike: face and landmarks found anew in the frame, five points (eyes, nose tip, "
    "mouth corners) aligned to the 112-pixel ArcFace template by a similarity transform, no flip "
    "averaging."
)


def _csim(network: str, title: str, network_text: str, tier: Tier = "headline") -> MetricSpec:
    return MetricSpec(
        id=f"csim.{network}",
        version=1,
        title=f"CSIM ({title})",
        kind="face",
        tier=tier,
        level="frame",
        definition=(
            "Cosine similarity of face-recognition embeddings of the generated frame and of the target "
            "frame. 1 is the same face; strangers lie around 0."
        ),
        equation="e(generated) . e(target) / (|e(generated)| |e(target)|)",
        source=f"Deng et al. 2019 (ArcFace), arXiv:1801.07698; {network_text}",
        unit="",
        range=(-1.0, 1.0),
        higher_is_better=True,
        perfect=1.0,
        weights=(network, *LANDMARK_WEIGHTS),
        preparation=ALIGNED,
        worst=0.0,
        failure_policy=NEEDS_FACE.format(worst="0, as a stranger does,"),
        across="person",
    )


CSIM_EMBEDDED = _csim("fr-feature-512", "fr_feature", "network `fr_feature`, 512-d, training data undisclosed.")
CSIM_ARCFACE = _csim("arcface-w600k-r50", "ArcFace R50", "network `w600k_r50` of insightface's buffalo_l.")
CSIM_MOBILE = _csim(
    "mobilefacenet-192",
    "MobileFaceNet",
    "network MobileFaceNet (Chen et al. 2018, arXiv:1804.07573), 192-d, origin of the weights not stated. A second "
    "opinion: a system that only pleases the first network shows here.",
    tier="extra",
)


def _aed(*, metric: str, title: str, formula: str, equation: str, source: str, worst: float, words: str) -> MetricSpec:
    return MetricSpec(
        id=metric,
        version=1,
        title=title,
        tier="extra",
        level="frame",
        definition=(
            f"Average Euclidean distance of identity, by its name: {formula} of the face-recognition embeddings of "
            "generated and target frame. Several formulas go by this name, none of them a Euclidean distance; others "
            "use it for coefficients of expression."
        ),
        equation=equation,
        source=f"{source} Over fr_feature instead of OpenFace: the numbers of papers are of another scale.",
        unit="",
        range=(0.0, None),
        higher_is_better=False,
        perfect=0.0,
        weights=("fr-feature-512", *LANDMARK_WEIGHTS),
        preparation=f"{ALIGNED} Embeddings are brought to length 1, as OpenFace's are.",
        worst=worst,
        failure_policy=NEEDS_FACE.format(worst=f"{words}, as a stranger does,"),
    )


AED_FOMM = _aed(
    metric="aed.fomm",
    title="AED (mean absolute)",
    formula="mean absolute difference",
    equation="mean over the 512 coordinates of |e(generated) - e(target)|",
    source=(
        "What the comparison script of first-order-model's authors (github.com/AliaksandrSiarohin/pose-evaluation, "
        "`cmp.py`) averages; also `cal_3dmm_distance.py` of github.com/MrTornado24/Next3D, over coefficients of "
        "expression."
    ),
    worst=0.0625,
    words="0.0625",
)
AED_FOMM_SQUARED = _aed(
    metric="aed.fomm-squared",
    title="AED (summed squares)",
    formula="summed squared difference",
    equation="sum over the 512 coordinates of (e(generated) - e(target))^2 = 2 - 2 CSIM",
    source="Another revision of the same script, quoted in github.com/AliaksandrSiarohin/pose-evaluation/issues/2.",
    worst=2.0,
    words="2",
)
AED_RMS = _aed(
    metric="aed.root-mean-square",
    title="AED (root mean square)",
    formula="root mean square difference",
    equation="sqrt(mean over the 512 coordinates of (e(generated) - e(target))^2)",
    source=(
        "`evaluation.py` of github.com/MrTornado24/Next3D, there over coefficients of expression and all frames at "
        "once. The same repository prints the mean absolute difference under the same name (its issue 40)."
    ),
    worst=0.0625,
    words="0.0625",
)
IDENTITY_DRIFT = MetricSpec(
    id="drift.fr-feature-512",
    version=1,
    title="Identity drift (fr_feature)",
    kind="time",
    level="frame",
    definition=(
        "How much more the person changes from one frame to the next than the target does. 0 is no more than a real "
        "person seems to; a picture that stands still does not drift either."
    ),
    equation="max(0, d_generated - d_target), d = 1 - cos(e(t), e(t-1))",
    source="This benchmark's own, over the embeddings of `csim.fr-feature-512`.",
    unit="",
    range=(0.0, 2.0),
    higher_is_better=False,
    perfect=0.0,
    weights=("fr-feature-512", *LANDMARK_WEIGHTS),
    preparation=(
        f"{ALIGNED} Only truly neighbouring frames are compared: frames to be drawn are spread over a clip, so many "
        "have no neighbour among them."
    ),
    worst=1.0,
    failure_policy=(
        f"{NEEDS_FACE.format(worst='1, as a change to a stranger does,')} A face is needed in the frame and in the one "
        "before. Frames whose predecessor is not among those to be drawn are counted as `target_no_neighbour` and left "
        "out likewise. A frame whose predecessor the system did not deliver has failed, too."
    ),
)
