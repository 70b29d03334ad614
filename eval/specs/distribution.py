"""Distances between the set of generated and the set of target frames."""

from eval.specs.spec import MetricSpec


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
        across="person",
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
