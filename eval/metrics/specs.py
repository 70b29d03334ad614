"""What each metric is, exactly: a versioned specification beside every number."""

from typing import Annotated, Literal

from pydantic import Field

from weights.record import Record

Profile = Literal["embedded", "paper"]
Level = Literal["frame", "set"]


class MetricSpec(Record):
    """Everything that fixes the value of a metric, and how to read it.

    The id names what was computed: a Frechet distance is called FID only over the network that FID was
    defined on.
    """

    id: str
    version: Annotated[int, Field(ge=1)]
    """Raised by hand whenever a value can change; numbers of two versions are never compared."""
    title: str
    level: Level
    """`frame`: one value for each generated frame; `set`: one value for all frames of a system at one number
    of shots."""
    definition: str
    equation: str
    source: str
    unit: str
    range: tuple[float, float | None]
    """Smallest and largest possible value; None means no upper end."""
    higher_is_better: bool
    perfect: float
    """The value of ground truth measured against itself."""
    weights: tuple[str, ...] = ()
    """Ids in the weights registry."""
    preparation: str
    """Crop, alignment, size and normalisation of what is measured."""
    worst: float | None
    """What a frame that failed counts as in the headline; measured values beyond it count as this much,
    too."""
    failure_policy: str

    @property
    def versioned_id(self) -> str:
        """`id@version`, the name under which values are cached."""
        return f"{self.id}@{self.version}"


_RENDERED_ONLY = (
    "Any picture can be measured. A frame that the system did not deliver counts as {worst} in the headline, "
    "and so does a measured value that is worse, so that failing never pays."
)
_NEEDS_FACE = (
    "A frame in which no face is found, or that the system did not deliver, counts as {worst} in the "
    "headline, and so does a measured value that is worse, so that failing never pays. Target frames "
    "without a measurable face are left out for every system alike."
)

PSNR = MetricSpec(
    id="psnr",
    version=1,
    title="PSNR",
    level="frame",
    definition="Peak signal-to-noise ratio between generated and target frame over all pixels and colours.",
    equation="10 log10(255^2 / MSE), at most 100",
    source="Definition of the decibel; equals skimage.metrics.peak_signal_noise_ratio(data_range=255).",
    unit="dB",
    range=(0.0, 100.0),
    higher_is_better=True,
    perfect=100.0,
    preparation="8-bit RGB at the size of the task. Identical frames count as 100 dB.",
    worst=0.0,
    failure_policy=_RENDERED_ONLY.format(worst="0 dB"),
)

SSIM = MetricSpec(
    id="ssim",
    version=1,
    title="SSIM",
    level="frame",
    definition=("Structural similarity of generated and target frame, averaged over pixels and the three colours."),
    equation="mean of (2 mx my + C1)(2 sxy + C2) / ((mx^2 + my^2 + C1)(sx^2 + sy^2 + C2)), "
    "C1 = (0.01 * 255)^2, C2 = (0.03 * 255)^2",
    source=(
        "Wang et al. 2004, doi:10.1109/TIP.2003.819861; equals "
        "skimage.metrics.structural_similarity(gaussian_weights=True, sigma=1.5, "
        "use_sample_covariance=False, data_range=255, channel_axis=-1) to 1e-5."
    ),
    unit="",
    range=(-1.0, 1.0),
    higher_is_better=True,
    perfect=1.0,
    preparation=(
        "8-bit RGB at the size of the task; Gaussian window of sigma 1.5 and radius 5, border of 5 pixels left out."
    ),
    worst=0.0,
    failure_policy=_RENDERED_ONLY.format(worst="0"),
)


def _lpips(weights: str) -> MetricSpec:
    return MetricSpec(
        id="lpips.alex",
        version=1,
        title="LPIPS (AlexNet)",
        level="frame",
        definition=(
            "Learned perceptual distance between generated and target frame: AlexNet activations of five "
            "layers, unit-normalised, weighted by the published linear heads of version 0.1."
        ),
        equation="sum over layers l of mean over positions of w_l . (y_l - x_l)^2",
        source="Zhang et al. 2018, arXiv:1801.03924; the `lpips` package, net='alex', version='0.1'.",
        unit="",
        range=(0.0, None),
        higher_is_better=False,
        perfect=0.0,
        weights=(weights,),
        preparation="RGB at the size of the task, scaled to [-1, 1].",
        worst=1.0,
        failure_policy=_RENDERED_ONLY.format(worst="1"),
    )


def _csim(network: str, title: str, network_text: str) -> MetricSpec:
    return MetricSpec(
        id=f"csim.{network}",
        version=1,
        title=f"CSIM ({title})",
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
        weights=(network, *_LANDMARK_WEIGHTS),
        preparation=(
            "Both frames alike: face and landmarks found anew in the frame, five points (eyes, nose tip, "
            "mouth corners) aligned to the 112-pixel ArcFace template by a similarity transform, no flip "
            "averaging."
        ),
        worst=0.0,
        failure_policy=_NEEDS_FACE.format(worst="0, as a stranger does,"),
    )


_LANDMARK_WEIGHTS = ("blazeface-short", "blazeface-full-sparse", "facemesh-468")


def _nme(*, metric: str, title: str, scheme: str, weights: tuple[str, ...], preparation: str) -> MetricSpec:
    return MetricSpec(
        id=metric,
        version=1,
        title=title,
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
        failure_policy=_NEEDS_FACE.format(worst="1"),
    )


_FOUND_ANEW = (
    "Face and landmarks are found anew in both frames, at the size of the task and without tracking, so "
    "that a bias of the detector or of the size is not charged to the system."
)

NME_INTEROCULAR = _nme(
    metric="nme.interocular",
    title="NME (inter-ocular)",
    scheme="ibug68-from-mesh468",
    weights=_LANDMARK_WEIGHTS,
    preparation=f"{_FOUND_ANEW} Differences below about 0.02 are within the detector's own noise.",
)
NME_FAN = _nme(
    metric="nme.fan-2dfan4",
    title="NME (FAN)",
    scheme="ibug68, points of FAN (Bulat and Tzimiropoulos 2017, arXiv:1703.07332)",
    weights=("fan-2dfan4", *_LANDMARK_WEIGHTS),
    preparation=(
        f"{_FOUND_ANEW} The embedded networks find the face; FAN gives its points, between the pixels of its heat maps "
        "and without flip averaging."
    ),
)


def _frechet(*, metric: str, title: str, network: str, weights: str, preparation: str, source: str) -> MetricSpec:
    return MetricSpec(
        id=metric,
        version=1,
        title=title,
        level="set",
        definition=f"Frechet distance between Gaussians fitted to the {network} features of all generated "
        "and of all target frames. The nuclear norm takes the place of the matrix root and is exact below full "
        "rank as well. The distance grows as the number of frames falls, so only values over the same number of "
        "frames compare.",
        equation="|mx - my|^2 + Tr Sx + Tr Sy - 2 ||Xc Yc^T||_* / sqrt((n - 1)(m - 1)), "
        "Xc and Yc being the centred feature rows",
        source=source,
        unit="",
        range=(0.0, None),
        higher_is_better=False,
        perfect=0.0,
        weights=(weights,),
        preparation=preparation,
        worst=None,
        failure_policy=(
            "A frame that the system did not deliver enters the headline as a black frame, so every system "
            "is measured over the same number; the distance over delivered frames stands beside it. Refused "
            "below 64 frames and flagged as unreliable below 256."
        ),
    )


FD_EFFICIENTNET = _frechet(
    metric="fd.efficientnet-lite0",
    title="FD (EfficientNet-Lite0)",
    network="1280-dimensional EfficientNet-Lite0",
    weights="efficientnet-lite0",
    preparation="RGB, bilinear to 224 pixels, (x - 127) / 128, mean over positions of the last layer.",
    source=(
        "Heusel et al. 2017, arXiv:1706.08500 for the distance; Tan and Le 2019, arXiv:1905.11946 for the "
        "network. Not FID."
    ),
)
FID_INCEPTION = _frechet(
    metric="fid.inception-v3-2015",
    title="FID",
    network="2048-dimensional Inception-v3 (2015)",
    weights="inception-2015",
    preparation="RGB / 255, bilinear to 299 pixels and scaled to [-1, 1] by pytorch_fid's network.",
    source="Heusel et al. 2017, arXiv:1706.08500; equals pytorch_fid on the same features to 1e-6 relative.",
)

SPECS: dict[Profile, tuple[MetricSpec, ...]] = {
    "embedded": (
        FD_EFFICIENTNET,
        SSIM,
        PSNR,
        _lpips("lpips-alexnet"),
        _csim("fr-feature-512", "fr_feature", "network `fr_feature`, 512-d, training data undisclosed."),
        NME_INTEROCULAR,
    ),
    "paper": (
        FID_INCEPTION,
        SSIM,
        PSNR,
        _lpips("alexnet-torchvision"),
        _csim("arcface-w600k-r50", "ArcFace R50", "network `w600k_r50` of insightface's buffalo_l."),
        NME_FAN,
    ),
}
"""The metrics of each profile, in the order in which reports show them."""
