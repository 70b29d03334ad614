"""Which metrics, over which networks, stand in one table."""

from typing import Literal

from eval.specs.distribution import FD_EFFICIENTNET, FID_INCEPTION
from eval.specs.geometry import NME_FAN, NME_INTEROCULAR
from eval.specs.identity import CSIM_ARCFACE, CSIM_EMBEDDED
from eval.specs.image import LPIPS_EMBEDDED, LPIPS_PAPER, PSNR, SSIM
from eval.specs.spec import MetricSpec

Profile = Literal["embedded", "paper"]

SPECS: dict[Profile, tuple[MetricSpec, ...]] = {
    "embedded": (
        FD_EFFICIENTNET,
        SSIM,
        PSNR,
        LPIPS_EMBEDDED,
        CSIM_EMBEDDED,
        NME_INTEROCULAR,
    ),
    "paper": (
        FID_INCEPTION,
        SSIM,
        PSNR,
        LPIPS_PAPER,
        CSIM_ARCFACE,
        NME_FAN,
    ),
}
"""The metrics of each profile, in the order in which reports show them."""
