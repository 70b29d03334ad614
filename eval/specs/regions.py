"""Image metrics within the face, the mouth or the eyes: what stands still around them carries no score."""

from typing import Literal, get_args

from eval.specs.geometry import LANDMARK_WEIGHTS
from eval.specs.spec import MetricSpec

Region = Literal["face", "mouth", "eyes"]
REGIONS: tuple[Region, ...] = get_args(Region)
MARGIN = 0.1
"""How far a region reaches beyond its landmarks, as a fraction of the distance between the outer eye corners."""
_POINTS = {"face": "all 68 points", "mouth": "points 48 to 67", "eyes": "points 36 to 41 and of points 42 to 47"}
_WITHIN = {
    "ssim": "The mean is over those centres of windows that lie in the region; windows reach 5 pixels beyond.",
    "lpips": (
        "The distance of each layer is enlarged to the size of the task (bilinear, as the `lpips` package does with "
        "spatial=True) and averaged over the region. What a layer sees reaches beyond it."
    ),
}


def at(spec: MetricSpec, region: Region) -> MetricSpec:
    """Return the specification of an image metric within a region: `psnr@mouth` of `psnr`."""
    name, bracket, variant = spec.title.partition(" (")
    within = _WITHIN.get(spec.id.split(".")[0], "")
    return spec.model_copy(
        update={
            "id": f"{spec.id}@{region}",
            "version": 1,
            "title": f"{name} {region}{bracket}{variant}",
            "tier": "extra" if spec.tier == "extra" else "default",
            "definition": f"{spec.definition} Over the {region} alone: what stands still around it has no part.",
            "equation": f"{spec.equation}; pixels and positions of the region alone",
            "weights": (*spec.weights, *LANDMARK_WEIGHTS),
            "preparation": " ".join(
                part
                for part in (
                    spec.preparation,
                    f"The region is every pixel whose centre lies in the convex hull of {_POINTS[region]} of the "
                    f"target, or less than {MARGIN:g} times the distance between the outer eye corners from it. The "
                    "landmarks are found anew in the target frame, so the region is the same for every system.",
                    within,
                )
                if part
            ),
            "failure_policy": f"{spec.failure_policy} Target frames without a measurable face, or with no pixel of the "
            "region in the picture, are left out for every system alike.",
        }
    )
