"""Is it the same person?"""

from eval.specs.geometry import LANDMARK_WEIGHTS
from eval.specs.spec import NEEDS_FACE, MetricSpec


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
        weights=(network, *LANDMARK_WEIGHTS),
        preparation=(
            "Both frames alike: face and landmarks found anew in the frame, five points (eyes, nose tip, "
            "mouth corners) aligned to the 112-pixel ArcFace template by a similarity transform, no flip "
            "averaging."
        ),
        worst=0.0,
        failure_policy=NEEDS_FACE.format(worst="0, as a stranger does,"),
        across="person",
    )


CSIM_EMBEDDED = _csim("fr-feature-512", "fr_feature", "network `fr_feature`, 512-d, training data undisclosed.")
CSIM_ARCFACE = _csim("arcface-w600k-r50", "ArcFace R50", "network `w600k_r50` of insightface's buffalo_l.")
