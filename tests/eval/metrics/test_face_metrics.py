"""What every metric of faces has in common, on a photograph and over the real networks."""

from collections.abc import Mapping

import cv2
import numpy as np
import pytest
import skimage.data

from eval.features import FeatureCache, Frames
from eval.metrics.loading import load_metrics
from eval.metrics.measured import Measured
from eval.specs.profiles import FACE_EXTRAS
from eval.specs.spec import MetricSpec
from eval.tasks.neighbours import ALONE

pytestmark = pytest.mark.slow

OF_NO_USE_HERE = {"blink.recall": "target_eyes_open"}
"""She does not blink."""
OVER_TIME = ("jitter.landmarks", "drift.fr-feature-512")
NOT_IN_THE_PICTURE = ("apd.yaw", "apd.pitch", "blink.agreement", "blink.recall")
"""No turning and squeezing of a picture makes a head look aside or eyes shut; the tests of pose and eyes do."""
ONE_BEFORE_THE_OTHER = np.array([ALONE, 0, 1])


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    return cv2.resize(skimage.data.astronaut()[30:230, 125:325], (160, 160), interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="module")
def cache() -> FeatureCache:
    return FeatureCache()


def distorted(portrait: np.ndarray, strength: float) -> np.ndarray:
    """Turn the head in the picture, squeeze it and blur it."""
    turn = cv2.getRotationMatrix2D((80, 80), 15 * strength, 1)
    turn[1] *= 1 - 0.2 * strength
    moved = cv2.warpAffine(portrait, turn, (160, 160), borderMode=cv2.BORDER_REPLICATE)
    return cv2.GaussianBlur(moved, (0, 0), 0.1 + 1.5 * strength)


def measured(
    generated: np.ndarray, target: np.ndarray, cache: FeatureCache
) -> Mapping[str, tuple[MetricSpec, Measured]]:
    frames = Frames.of(target, ONE_BEFORE_THE_OTHER[: len(target)])
    metrics = load_metrics(FACE_EXTRAS).frame
    return {metric.spec.id: (metric.spec, metric.score(Frames.of(generated), frames, cache)) for metric in metrics}


def test_the_target_itself_is_perfect(portrait: np.ndarray, cache: FeatureCache) -> None:
    target = np.stack([portrait, distorted(portrait, 0.2), distorted(portrait, 0.4)])
    for metric, (spec, found) in measured(target, target, cache).items():
        first = "target_no_neighbour" if metric in OVER_TIME else "ok"
        if metric in OF_NO_USE_HERE:
            assert found.statuses == (OF_NO_USE_HERE[metric],) * 3, metric
        else:
            assert found.statuses == (first, "ok", "ok"), metric
            assert found.values[1:] == pytest.approx(spec.perfect, abs=1e-6), metric


def test_a_face_that_is_worse_gets_a_worse_value(portrait: np.ndarray, cache: FeatureCache) -> None:
    """Steady at first, then off by a little, then by more; over time the step to the third frame is the larger one."""
    generated = np.stack([portrait, distorted(portrait, 0.3), distorted(portrait, 1)])
    for metric, (spec, found) in measured(generated, np.stack([portrait] * 3), cache).items():
        if metric not in NOT_IN_THE_PICTURE:
            sign = -1 if spec.higher_is_better else 1
            assert np.diff(sign * found.values[1:]) > 0, metric
            assert sign * found.values[2] > sign * spec.perfect, metric


def test_a_frame_without_a_face_has_no_value_and_says_so(portrait: np.ndarray, cache: FeatureCache) -> None:
    blank = np.zeros_like(portrait)
    target = np.stack([portrait, portrait, blank])
    for metric, (_, found) in measured(np.stack([portrait, blank, portrait]), target, cache).items():
        assert found.statuses[1] in ("no_face", "no_eyes", OF_NO_USE_HERE.get(metric)), metric
        assert found.statuses[2] in ("target_no_face", "target_no_eyes"), metric
        assert np.isnan(found.values[1:]).all(), metric


def test_a_frame_has_the_same_value_alone_and_among_others(portrait: np.ndarray, cache: FeatureCache) -> None:
    generated, target = distorted(portrait, 0.5), portrait
    among = measured(np.stack([target, target, generated]), np.stack([target] * 3), cache)
    alone = measured(generated[None], target[None], FeatureCache())
    for metric, (_, found) in alone.items():
        if metric not in OVER_TIME:
            assert found.values == pytest.approx(among[metric][1].values[2:], abs=1e-5, nan_ok=True), metric
