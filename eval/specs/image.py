"""Metrics that compare any two pictures, as a whole."""

from eval.specs.spec import RENDERED_ONLY, MetricSpec, Tier

PSNR = MetricSpec(
    id="psnr",
    version=1,
    title="PSNR",
    kind="image",
    tier="headline",
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
    failure_policy=RENDERED_ONLY.format(worst="0 dB"),
)

L1 = MetricSpec(
    id="l1",
    version=1,
    title="L1",
    kind="image",
    level="frame",
    definition="Mean absolute difference of generated and target frame over all pixels and colours.",
    equation="mean of |x - y| / 255",
    source="Used as the error of reconstruction by Siarohin et al. 2019, arXiv:2003.00196, on images in [0, 1].",
    unit="fraction of the range of a colour",
    range=(0.0, 1.0),
    higher_is_better=False,
    perfect=0.0,
    preparation="8-bit RGB at the size of the task.",
    worst=1.0,
    failure_policy=RENDERED_ONLY.format(worst="1"),
)


def _ssim(*, metric: str, title: str, tier: Tier, equation: str, source: str, preparation: str) -> MetricSpec:
    return MetricSpec(
        id=metric,
        version=1,
        title=title,
        kind="image",
        tier=tier,
        level="frame",
        definition="Structural similarity of generated and target frame, averaged over pixels and the three colours.",
        equation=f"mean of (2 mx my + C1)(2 sxy + C2) / ((mx^2 + my^2 + C1)(sx^2 + sy^2 + C2)), {equation}",
        source=source,
        unit="",
        range=(-1.0, 1.0),
        higher_is_better=True,
        perfect=1.0,
        preparation=preparation,
        worst=0.0,
        failure_policy=RENDERED_ONLY.format(worst="0"),
    )


_CONSTANTS = "C1 = (0.01 * 255)^2, C2 = (0.03 * 255)^2"
SSIM = _ssim(
    metric="ssim",
    title="SSIM",
    tier="headline",
    equation=_CONSTANTS,
    source=(
        "Wang et al. 2004, doi:10.1109/TIP.2003.819861; equals "
        "skimage.metrics.structural_similarity(gaussian_weights=True, sigma=1.5, "
        "use_sample_covariance=False, data_range=255, channel_axis=-1) to 1e-5."
    ),
    preparation=(
        "8-bit RGB at the size of the task; Gaussian window of sigma 1.5 and radius 5, border of 5 pixels left out."
    ),
)
SSIM_SKIMAGE = _ssim(
    metric="ssim.skimage-default",
    title="SSIM (scikit-image default)",
    tier="default",
    equation=f"sx^2, sy^2 and sxy with 1 / 48 instead of 1 / 49, {_CONSTANTS}",
    source=(
        "Equals skimage.metrics.structural_similarity(data_range=255, channel_axis=-1) to 1e-5: what many tables that "
        "say SSIM were made with. Higher or lower than `ssim` by more than most systems differ."
    ),
    preparation="8-bit RGB at the size of the task; flat window of 7 pixels, border of 3 pixels left out.",
)

MS_SSIM = MetricSpec(
    id="ms-ssim",
    version=1,
    title="MS-SSIM",
    kind="image",
    tier="extra",
    level="frame",
    definition=(
        "Structural similarity over five scales, of which each halves the one before: structure and contrast of all, "
        "luminance of the last; for each colour, then averaged."
    ),
    equation="(l cs)_5^0.1333 * cs_1^0.0448 cs_2^0.2856 cs_3^0.3001 cs_4^0.2363, negative factors as 0",
    source=("Wang et al. 2003, doi:10.1109/ACSSC.2003.1292216; equals pytorch_msssim.ms_ssim(data_range=255) to 1e-5."),
    unit="",
    range=(0.0, 1.0),
    higher_is_better=True,
    perfect=1.0,
    preparation=(
        "8-bit RGB at the size of the task; scales by the mean of 2 x 2 pixels, Gaussian window of sigma 1.5 and "
        "radius 5, borders of 5 pixels left out."
    ),
    worst=0.0,
    failure_policy=(
        RENDERED_ONLY.format(worst="0")
        + " Frames of 160 pixels or less have no fifth scale that the window fits in: they are counted as "
        "`target_too_small` and left out for every system alike."
    ),
)


def _lpips(*, metric: str, title: str, network: str, weights: str, net: str, tier: Tier) -> MetricSpec:
    return MetricSpec(
        id=metric,
        version=1,
        title=f"LPIPS ({title})",
        kind="image",
        tier=tier,
        level="frame",
        definition=(
            f"Learned perceptual distance between generated and target frame: {network} activations of five "
            "layers, unit-normalised, weighted by the published linear heads of version 0.1."
        ),
        equation="sum over layers l of mean over positions of w_l . (y_l - x_l)^2",
        source=f"Zhang et al. 2018, arXiv:1801.03924; the `lpips` package, net='{net}', version='0.1'.",
        unit="",
        range=(0.0, None),
        higher_is_better=False,
        perfect=0.0,
        weights=(weights,),
        preparation="RGB at the size of the task, scaled to [-1, 1].",
        worst=1.0,
        failure_policy=RENDERED_ONLY.format(worst="1"),
    )


def _lpips_alex(weights: str) -> MetricSpec:
    return _lpips(metric="lpips.alex", title="AlexNet", network="AlexNet", weights=weights, net="alex", tier="headline")


def _lpips_vgg(weights: str) -> MetricSpec:
    return _lpips(metric="lpips.vgg", title="VGG16", network="VGG16", weights=weights, net="vgg", tier="extra")


LPIPS_EMBEDDED = _lpips_alex("lpips-alexnet")
LPIPS_PAPER = _lpips_alex("alexnet-torchvision")
LPIPS_VGG_EMBEDDED = _lpips_vgg("lpips-vgg16")
LPIPS_VGG_PAPER = _lpips_vgg("vgg16-torchvision")
