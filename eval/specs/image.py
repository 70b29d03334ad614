"""Metrics that compare any two pictures."""

from eval.specs.spec import RENDERED_ONLY, MetricSpec

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
    failure_policy=RENDERED_ONLY.format(worst="0 dB"),
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
    failure_policy=RENDERED_ONLY.format(worst="0"),
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
        failure_policy=RENDERED_ONLY.format(worst="1"),
    )


LPIPS_EMBEDDED = _lpips("lpips-alexnet")
LPIPS_PAPER = _lpips("alexnet-torchvision")
