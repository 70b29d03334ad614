"""What happens from one frame to the next."""

from eval.specs.spec import MetricSpec

_NEIGHBOURS = (
    "Only frames that follow each other directly in the stored clip are compared. Query frames are chosen for their "
    "motion and not in a row, so many have no frame before them; which have is the same for every system."
)
_FAILURES = (
    "Any pictures can be measured. A frame that the system did not deliver counts as {worst} in the headline, and so "
    "does a measured value that is worse, so that failing never pays. Frames of which the one just before is not asked "
    "for are counted as `target_no_neighbour` and left out for every system alike. A frame whose predecessor the "
    "system did not deliver has failed, too."
)


def _t_lpips(weights: str) -> MetricSpec:
    return MetricSpec(
        id="flicker.t-lpips.alex",
        version=1,
        title="t-LPIPS (AlexNet)",
        kind="time",
        level="frame",
        definition=(
            "Flicker: how far the perceptual change from one frame to the next is from the change in the target. "
            "Too much change (flicker) and too little (a frozen picture) both count."
        ),
        equation="|LPIPS(x_s, x_t) - LPIPS(y_s, y_t)|, s being the frame before t",
        source="tLP of Chu et al. 2020, arXiv:1811.09393, without its factor of 100; LPIPS as in `lpips.alex`.",
        unit="",
        range=(0.0, None),
        higher_is_better=False,
        perfect=0.0,
        weights=(weights,),
        preparation=f"RGB at the size of the task, scaled to [-1, 1]. {_NEIGHBOURS}",
        worst=1.0,
        failure_policy=_FAILURES.format(worst="1"),
    )


DTSSD = MetricSpec(
    id="flicker.dtssd",
    version=1,
    title="Flicker (dtSSD)",
    kind="time",
    level="frame",
    definition=(
        "Flicker of the pixels: root mean square difference between the change from one frame to the next and "
        "the change in the target. An error that stays the same over time costs nothing."
    ),
    equation="sqrt(mean of ((x_t - x_s) - (y_t - y_s))^2) / 255, s being the frame before t",
    source=(
        "dtSSD of Erofeev et al. 2015, doi:10.5244/C.29.99, on colours instead of opacities, with the mean over "
        "pixels in place of the sum."
    ),
    unit="fraction of the range of a colour",
    range=(0.0, 2.0),
    higher_is_better=False,
    perfect=0.0,
    preparation=f"8-bit RGB at the size of the task. {_NEIGHBOURS}",
    worst=1.0,
    failure_policy=_FAILURES.format(worst="1"),
)
T_LPIPS_EMBEDDED = _t_lpips("lpips-alexnet")
T_LPIPS_PAPER = _t_lpips("alexnet-torchvision")
