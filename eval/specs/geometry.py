"""Did the face make the driver's movement?"""

from eval.specs.spec import NEEDS_FACE, MetricSpec

LANDMARK_WEIGHTS = ("blazeface-short", "blazeface-full-sparse", "facemesh-468")


def _nme(*, metric: str, title: str, scheme: str, weights: tuple[str, ...], preparation: str) -> MetricSpec:
    return MetricSpec(
        id=metric,
        version=1,
        title=title,
        kind="face",
        tier="headline",
        level="frame",
        definition=(
            "Mean distance between the 68 landmarks of generated and target frame, as a fraction of the "
            "distance between the target's outer eye corners: did the face make the driver's movement?"
        ),
        equation="mean over points of |p_generated - p_target| / |p_target[36] - p_target[45]|",
        source=f"300-W evaluation (Sagonas et al. 2013) with the scheme {scheme}.",
        unit="fraction of the inter-ocular distance",
        range=(0.0, None),
        higher_is_better=False,
        perfect=0.0,
        weights=weights,
        preparation=preparation,
        worst=1.0,
        failure_policy=NEEDS_FACE.format(worst="1"),
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
