"""Distances between the set of generated and the set of target frames."""

from eval.specs.spec import MetricSpec

BLACK_FRAMES = (
    "A frame that the system did not deliver enters the headline as a black frame, so every system "
    "is measured over the same number; the distance over delivered frames stands beside it. Refused "
    "below 64 frames and flagged as unreliable below 256."
)
_LITE0 = "RGB, bilinear to 224 pixels, (x - 127) / 128, mean over positions of the last layer."
_INCEPTION = "RGB / 255, bilinear to 299 pixels and scaled to [-1, 1] by pytorch_fid's network."


def _frechet(*, metric: str, title: str, network: str, weights: str, preparation: str, source: str) -> MetricSpec:
    return MetricSpec(
        id=metric,
        version=1,
        title=title,
        kind="distribution",
        tier="headline",
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
        failure_policy=BLACK_FRAMES,
        across="person",
    )


def _kernel(*, metric: str, title: str, network: str, weights: str, preparation: str, source: str) -> MetricSpec:
    return MetricSpec(
        id=metric,
        version=1,
        title=title,
        kind="distribution",
        level="set",
        definition=f"Kernel distance: unbiased estimate of the squared maximum mean discrepancy between the {network} "
        "features of all generated and of all target frames, with a cubic polynomial kernel over whole sets instead of "
        "random subsets. Its mean does not depend on the number of frames, so it stands beside the Frechet "
        "distance, which does. Being unbiased, it can be negative for sets that are alike, and is for the very same "
        "frames. Papers often print it times 1000.",
        equation="sum over i != j of k(xi, xj) / (n (n - 1)) + the same of y - 2 sum of k(xi, yj) / (n m), "
        "k(a, b) = (a . b / width + 1)^3",
        source=source,
        unit="",
        range=(None, None),
        higher_is_better=False,
        perfect=0.0,
        weights=(weights,),
        preparation=preparation,
        worst=None,
        failure_policy=BLACK_FRAMES,
        across="person",
    )


FD_EFFICIENTNET = _frechet(
    metric="fd.efficientnet-lite0",
    title="FD (EfficientNet-Lite0)",
    network="1280-dimensional EfficientNet-Lite0",
    weights="efficientnet-lite0",
    preparation=_LITE0,
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
    preparation=_INCEPTION,
    source="Heusel et al. 2017, arXiv:1706.08500; equals pytorch_fid on the same features to 1e-6 relative.",
)
KD_EFFICIENTNET = _kernel(
    metric="kd.efficientnet-lite0",
    title="KD (EfficientNet-Lite0)",
    network="1280-dimensional EfficientNet-Lite0",
    weights="efficientnet-lite0",
    preparation=_LITE0,
    source=(
        "Binkowski et al. 2018, arXiv:1801.01401 for the distance; Tan and Le 2019, arXiv:1905.11946 for the network. "
        "Not KID."
    ),
)
KID_INCEPTION = _kernel(
    metric="kid.inception-v3-2015",
    title="KID",
    network="2048-dimensional Inception-v3 (2015)",
    weights="inception-2015",
    preparation=_INCEPTION,
    source="Binkowski et al. 2018, arXiv:1801.01401; equals torch_fidelity with one subset that holds all frames.",
)
