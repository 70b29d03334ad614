"""Which metrics, over which networks, stand in one table."""

import difflib
from collections.abc import Sequence
from typing import Literal

from eval.specs.across import across_specs
from eval.specs.distribution import FD_EFFICIENTNET, FID_INCEPTION, KD_EFFICIENTNET, KID_INCEPTION
from eval.specs.expression import BLINK_AGREEMENT, BLINK_RECALL, EYE_OPENNESS, MOUTH_OPENNESS
from eval.specs.failure import MISSING_FACE
from eval.specs.gaze import GAZE
from eval.specs.geometry import AKD_L1, AKD_L2, LANDMARK_JITTER, NME_BBOX, NME_FAN, NME_INTEROCULAR
from eval.specs.identity import (
    AED_FOMM,
    AED_FOMM_SQUARED,
    AED_RMS,
    CSIM_ARCFACE,
    CSIM_EMBEDDED,
    CSIM_MOBILE,
    IDENTITY_DRIFT,
)
from eval.specs.image import (
    L1,
    LPIPS_EMBEDDED,
    LPIPS_PAPER,
    LPIPS_VGG_EMBEDDED,
    LPIPS_VGG_PAPER,
    MS_SSIM,
    PSNR,
    SSIM,
    SSIM_SKIMAGE,
)
from eval.specs.pose import APD, APD_PITCH, APD_ROLL, APD_YAW
from eval.specs.regions import REGIONS, at
from eval.specs.spec import MetricSpec
from eval.specs.spectrum import SPECTRUM
from eval.specs.time import DTSSD, T_LPIPS_EMBEDDED, T_LPIPS_PAPER
from eval.specs.video import FVD_I3D
from weights.errors import HeadshotError

Profile = Literal["embedded", "paper"]


def _by_region(*specs: MetricSpec) -> tuple[MetricSpec, ...]:
    return tuple(at(spec, region) for spec in specs for region in REGIONS)


FACE_EXTRAS: tuple[MetricSpec, ...] = (
    NME_BBOX,
    AKD_L1,
    AKD_L2,
    APD,
    APD_YAW,
    APD_PITCH,
    APD_ROLL,
    EYE_OPENNESS,
    MOUTH_OPENNESS,
    BLINK_AGREEMENT,
    BLINK_RECALL,
    GAZE,
    AED_FOMM,
    AED_FOMM_SQUARED,
    AED_RMS,
    CSIM_MOBILE,
    LANDMARK_JITTER,
    IDENTITY_DRIFT,
)
"""What else can be said of a face, in either profile: all over embedded networks, and over the same landmarks and
embeddings as the headline wherever that has them."""

SPECS: dict[Profile, tuple[MetricSpec, ...]] = {
    "embedded": (
        FD_EFFICIENTNET,
        SSIM,
        PSNR,
        LPIPS_EMBEDDED,
        CSIM_EMBEDDED,
        NME_INTEROCULAR,
        KD_EFFICIENTNET,
        SSIM_SKIMAGE,
        MS_SSIM,
        L1,
        LPIPS_VGG_EMBEDDED,
        *_by_region(SSIM, PSNR, L1, LPIPS_EMBEDDED, LPIPS_VGG_EMBEDDED),
        SPECTRUM,
        DTSSD,
        T_LPIPS_EMBEDDED,
        *FACE_EXTRAS,
        MISSING_FACE,
    ),
    "paper": (
        FID_INCEPTION,
        SSIM,
        PSNR,
        LPIPS_PAPER,
        CSIM_ARCFACE,
        NME_FAN,
        KID_INCEPTION,
        FVD_I3D,
        SSIM_SKIMAGE,
        MS_SSIM,
        L1,
        LPIPS_VGG_PAPER,
        *_by_region(SSIM, PSNR, L1, LPIPS_PAPER, LPIPS_VGG_PAPER),
        SPECTRUM,
        DTSSD,
        T_LPIPS_PAPER,
        *FACE_EXTRAS,
        MISSING_FACE,
    ),
}
"""The metrics of each profile, in the order in which reports show them."""

SETS = ("headline", "default", "all")
"""Names for several metrics at once, each of which holds the one before. Metrics of the tier `named` are in none."""


def choose_specs(profile: Profile, metrics: str = "default", *, across: bool = False) -> tuple[MetricSpec, ...]:
    """Return the metrics of a profile that a command asks for.

    Args:
        profile: Which networks.
        metrics: `headline`, `default`, `all`, or ids with commas between. What is asked for by its id stands in the
            headline.
        across: Whether another person drives, so that metrics need to do without a target frame.

    Raises:
        HeadshotError: The profile has no metric of that name; the message names the nearest ones.
    """
    specs = across_specs(SPECS[profile]) if across else SPECS[profile]
    chosen = pick_specs(specs, metrics, f"the profile {profile}")
    if metrics in SETS:
        return chosen
    return tuple(spec.model_copy(update={"tier": "headline"}) for spec in chosen)


def pick_specs(specs: Sequence[MetricSpec], metrics: str, whose: str) -> tuple[MetricSpec, ...]:
    """Return those of some metrics that a command asks for.

    Args:
        specs: What there is.
        metrics: `headline`, `default`, `all`, or ids with commas between.
        whose: Who has them, for messages.

    Raises:
        HeadshotError: There is no metric of that name; the message names the nearest ones.
    """
    if metrics == "headline":
        return headline_specs(specs)
    if metrics in SETS:
        left_out = ("named",) if metrics == "all" else ("extra", "named")
        return tuple(spec for spec in specs if spec.tier not in left_out)
    known = {spec.id: spec for spec in specs}
    wanted = metric_ids(metrics)
    unknown = [name for name in wanted if name not in known]
    sets = [name for name in wanted if name in SETS]
    if sets:
        raise HeadshotError(
            f"--metrics {metrics}: {sets[0]} is a set of metrics and stands alone; give it by itself, or ids of "
            "docs/metrics.md with commas between"
        )
    if unknown or not wanted:
        near = difflib.get_close_matches(unknown[0] if unknown else "", [*SETS, *known], n=4, cutoff=0.4)
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        raise HeadshotError(
            f"--metrics {metrics}: {whose} has no metric {', '.join(unknown) or 'without a name'}; {hint}"
            f"Give {', '.join(SETS)}, or ids of docs/metrics.md with commas between"
        )
    return tuple(known[name] for name in wanted)


def metric_ids(text: str) -> tuple[str, ...]:
    """Return the ids in a text with commas between, each once."""
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def headline_specs(specs: Sequence[MetricSpec]) -> tuple[MetricSpec, ...]:
    """Return the metrics of the main table; all of them where none claims a place there."""
    return tuple(spec for spec in specs if spec.tier == "headline") or tuple(specs)


def profile_of(specs: Sequence[MetricSpec]) -> Profile | None:
    """Return the profile whose metrics these are, over the same networks; None where they are of no one profile."""
    measured = {(spec.id, spec.weights) for spec in specs}
    for profile, of_profile in SPECS.items():
        if measured <= {(spec.id, spec.weights) for spec in (*of_profile, *across_specs(of_profile))}:
            return profile
    return None
