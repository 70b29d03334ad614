"""Did the face make the driver's movement?"""

from eval.specs.spec import NEEDS_FACE, MetricSpec, Tier

LANDMARK_WEIGHTS = ("blazeface-short", "blazeface-full-sparse", "facemesh-468")


def _nme(
    *,
    metric: str,
    title: str,
    scheme: str,
    weights: tuple[str, ...],
    preparation: str,
    over: tuple[str, str] = ("distance between the target's outer eye corners", "|p_target[36] - p_target[45]|"),
    unit: str = "fraction of the inter-ocular distance",
    tier: Tier = "headline",
) -> MetricSpec:
    return MetricSpec(
        id=metric,
        version=1,
        title=title,
        kind="face",
        tier=tier,
        level="frame",
        definition=(
            "Mean distance between the 68 landmarks of generated and target frame, as a fraction of the "
            f"{over[0]}: did the face make the driver's movement?"
        ),
        equation=f"mean over points of |p_generated - p_target| / {over[1]}",
        source=f"300-W evaluation (Sagonas et al. 2013) with the scheme {scheme}.",
        unit=unit,
        range=(0.0, None),
        higher_is_better=False,
        perfect=0.0,
        weights=weights,
        preparation=preparation,
        worst=1.0,
        failure_policy=NEEDS_FACE.format(worst="1"),
    )


def _akd(*, metric: str, title: str, tier: Tier, definition: str, equation: str, source: str) -> MetricSpec:
    return MetricSpec(
        id=metric,
        version=1,
        title=title,
        tier=tier,
        level="frame",
        definition=(
            f"Average keypoint distance: {definition} Two formulas go by this name, so a table that says AKD must say "
            "which."
        ),
        equation=equation,
        source=f"{source} Those numbers are over FAN's points, these over FaceMesh's.",
        unit="pixels of a frame of 256",
        range=(0.0, None),
        higher_is_better=False,
        perfect=0.0,
        weights=LANDMARK_WEIGHTS,
        preparation=f"{FOUND_ANEW} Pixels are then scaled to a frame of 256.",
        worst=64.0,
        failure_policy=NEEDS_FACE.format(worst="64, a quarter of the frame,"),
    )


FOUND_ANEW = (
    "Face and landmarks are found anew in both frames, at the size of the task and without tracking, so "
    "that a bias of the detector or of the size is not charged to the system."
)

NME_INTEROCULAR = _nme(
    metric="nme.interocular",
    title="NME (inter-ocular)",
    scheme="ibug68-from-mesh468",
    weights=LANDMARK_WEIGHTS,
    preparation=f"{FOUND_ANEW} Differences below about 0.02 are within the detector's own noise.",
)
NME_FAN = _nme(
    metric="nme.fan-2dfan4",
    title="NME (FAN)",
    scheme="ibug68, points of FAN (Bulat and Tzimiropoulos 2017, arXiv:1703.07332)",
    weights=("fan-2dfan4", *LANDMARK_WEIGHTS),
    preparation=(
        f"{FOUND_ANEW} The embedded networks find the face; FAN gives its points, between the pixels of its heat maps "
        "and without flip averaging."
    ),
)
NME_BBOX = _nme(
    metric="nme.bbox",
    title="NME (box)",
    scheme="ibug68-from-mesh468; the denominator is that of Feng et al. 2018 (PRNet), arXiv:1803.07835, around the "
    "target's landmarks",
    weights=LANDMARK_WEIGHTS,
    preparation=(
        f"{FOUND_ANEW} Unlike the eye corners, the box does not shrink to nothing when a head turns to the side."
    ),
    over=("size of the target's face", "sqrt(width * height of the box around p_target)"),
    unit="fraction of the size of the face",
    tier="default",
)
AKD_L1 = _akd(
    metric="akd.l1",
    title="AKD (L1)",
    tier="extra",
    definition="mean absolute difference of the coordinates of the 68 landmarks.",
    equation="mean over points, x and y of |p_generated - p_target|",
    source=(
        "What the comparison script of first-order-model's authors (github.com/AliaksandrSiarohin/pose-evaluation, "
        "`cmp.py`) averages; other revisions of it sum squares."
    ),
)
AKD_L2 = _akd(
    metric="akd.l2",
    title="AKD (L2)",
    tier="default",
    definition="mean distance between the 68 landmarks.",
    equation="mean over points of |p_generated - p_target|",
    source="Siarohin et al. 2019, arXiv:2003.00196, by its words.",
)
LANDMARK_JITTER = MetricSpec(
    id="jitter.landmarks",
    version=1,
    title="Landmark jitter",
    kind="time",
    level="frame",
    definition=(
        "How far the landmarks move from one frame to the next in another way than the target's do, as a fraction of "
        "the size of the target's face. Trembling costs, and so does standing still where the target moves; an error "
        "that stays the same over time costs nothing."
    ),
    equation="mean over points of |(p_generated(t) - p_generated(t-1)) - (p_target(t) - p_target(t-1))| / "
    "sqrt(width * height of the box around p_target(t))",
    source="This benchmark's own; the first difference over time of the error behind `nme.bbox`.",
    unit="fraction of the size of the face per frame",
    range=(0.0, None),
    higher_is_better=False,
    perfect=0.0,
    weights=LANDMARK_WEIGHTS,
    preparation=(
        f"{FOUND_ANEW} Only truly neighbouring frames are compared: frames to be drawn are spread over a clip, so many "
        "have no neighbour among them."
    ),
    worst=1.0,
    failure_policy=(
        f"{NEEDS_FACE.format(worst='1')} A face is needed in the frame and in the one before. Frames whose predecessor "
        "is not among those to be drawn are counted as `target_no_neighbour` and left out likewise. A frame whose "
        "predecessor the system did not deliver has failed, too."
    ),
)
