"""Which metrics, over which networks, stand in one table."""

from typing import Literal

from eval.specs.distribution import FD_EFFICIENTNET, FID_INCEPTION
from eval.specs.expression import BLINK_AGREEMENT, BLINK_RECALL, EYE_OPENNESS, MOUTH_OPENNESS
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
from eval.specs.image import LPIPS_EMBEDDED, LPIPS_PAPER, PSNR, SSIM
from eval.specs.pose import APD, APD_PITCH, APD_ROLL, APD_YAW
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
