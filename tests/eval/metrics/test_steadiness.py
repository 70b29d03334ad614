import numpy as np
import pytest

from eval.features import FeatureCache, Frames
from eval.metrics.identity import FaceEmbedding
from eval.metrics.steadiness import IdentityDrift, LandmarkJitter, before, identity_drift, landmark_jitter
from eval.specs.geometry import LANDMARK_JITTER
from eval.specs.identity import IDENTITY_DRIFT
from eval.tasks.neighbours import ALONE

RNG = np.random.default_rng(4)
FACE = RNG.uniform(0, 40, (68, 2))
FACE[:2] = [[0, 0], [30, 40]]
FACE[2:] = np.clip(FACE[2:], 0, [30, 40])
SIZE = np.sqrt(30 * 40)
STILL = np.repeat(FACE[None], 4, axis=0)
ALL_NEIGHBOURS = np.array([ALONE, 0, 1, 2])


def test_the_row_before_is_not_a_number_where_there_is_none() -> None:
    found = before(np.array([[1.0], [2], [3]]), np.array([ALONE, 0, ALONE]))
    assert np.array_equal(found, [[np.nan], [1], [np.nan]], equal_nan=True)


def test_a_jump_of_five_pixels_is_a_jitter_of_five_over_the_size_of_the_face() -> None:
    """Golden: there and back; the frames after the jump are steady again."""
    jumping = STILL.copy()
    jumping[2] += [3, 4]
    found = landmark_jitter(jumping, STILL, ALL_NEIGHBOURS)
    assert np.isnan(found[0])
    assert found[1:] == pytest.approx([0, 5 / SIZE, 5 / SIZE])


def test_an_error_that_stays_and_a_movement_that_is_shared_cost_nothing() -> None:
    moving = STILL + np.arange(4)[:, None, None] * [2.0, 1.0]
    assert landmark_jitter(moving + np.array([7, -3]), moving, ALL_NEIGHBOURS)[1:] == pytest.approx(np.zeros(3))


def test_standing_still_where_the_target_moves_costs() -> None:
    moving = STILL + np.arange(4)[:, None, None] * [3.0, 4.0]
    assert landmark_jitter(STILL, moving, ALL_NEIGHBOURS)[1:] == pytest.approx([5 / SIZE] * 3)


def test_more_trembling_is_worse_at_any_size_of_the_picture() -> None:
    noise = RNG.normal(size=STILL.shape)
    found = [landmark_jitter(STILL + times * noise, STILL, ALL_NEIGHBOURS)[1:] for times in (0.5, 1, 2)]
    assert (np.diff(found, axis=0) > 0).all()
    larger = landmark_jitter(2 * (STILL + noise), 2 * STILL, ALL_NEIGHBOURS)[1:]
    assert larger == pytest.approx(found[1])


def test_gaps_are_never_bridged() -> None:
    jumping = STILL + RNG.normal(0, 9, STILL.shape)
    assert np.isnan(landmark_jitter(jumping, STILL, np.full(4, ALONE))).all()


def test_the_order_of_the_frames_does_not_matter() -> None:
    jumping = STILL + RNG.normal(0, 9, STILL.shape)
    order = [2, 3, 0, 1]
    swapped = landmark_jitter(jumping[order], STILL[order], np.array([3, 0, ALONE, 2]))
    expected = landmark_jitter(jumping, STILL, ALL_NEIGHBOURS)[order]
    assert swapped == pytest.approx(expected, nan_ok=True)


def test_a_person_who_turns_into_another_drifts_and_one_who_stands_still_does_not() -> None:
    """Golden: from one axis to the other is a cosine of 0; the target's own change is taken off."""
    same, other = np.array([1.0, 0]), np.array([0.0, 1])
    half = np.array([1.0, 1])
    target = np.stack([same, same, same, half])
    generated = np.stack([3 * same, 2 * same, other, other])
    found = identity_drift(generated, target, ALL_NEIGHBOURS)
    assert np.isnan(found[0])
    assert found[1:] == pytest.approx([0, 1, 0])
    alike = identity_drift(np.stack([same, same, same, other]), target, ALL_NEIGHBOURS)
    assert alike[3] == pytest.approx(1 - (1 - np.sqrt(0.5)))


class Given:
    """Hands out rows by the first pixel of a frame, as an extractor would."""

    key = "given"

    def __init__(self, rows: np.ndarray) -> None:
        self.rows = rows.reshape(len(rows), -1)
        self.width = self.rows.shape[1]

    def extract(self, frames: Frames, cache: FeatureCache) -> np.ndarray:  # noqa: ARG002
        return self.rows[frames.pixels[:, 0, 0, 0]]

    def of(self, frames: Frames, cache: FeatureCache) -> np.ndarray:
        return self.extract(frames, cache).reshape(-1, 68, 2)


def numbered(places: list[int], previous: np.ndarray | None = None) -> Frames:
    return Frames.of(np.broadcast_to(np.array(places, np.uint8)[:, None, None, None], (len(places), 2, 2, 3)), previous)


ROWS = np.concatenate([STILL[:2], STILL[:1] + np.array([3, 4]), np.full((1, 68, 2), np.nan)])
"""Two steady faces, one that jumped, none."""


def test_each_frame_without_a_value_says_why() -> None:
    metric = LandmarkJitter(LANDMARK_JITTER, Given(ROWS))
    target = numbered([0, 1, 0, 3, 0, 0], np.array([ALONE, 0, 1, 2, 3, 4]))
    measured = metric.score(numbered([0, 2, 3, 0, 0, 0]), target, FeatureCache())
    assert measured.statuses == (
        "target_no_neighbour",
        "ok",
        "no_face",
        "target_no_face",
        "target_no_face",  # there is none in the frame before
        "ok",
    )
    assert measured.values[1] == pytest.approx(5 / SIZE, rel=1e-5)


def test_a_frame_after_one_without_a_face_fails_as_well() -> None:
    metric = LandmarkJitter(LANDMARK_JITTER, Given(ROWS))
    measured = metric.score(numbered([0, 3, 0]), numbered([0, 0, 0], np.array([ALONE, 0, 1])), FeatureCache())
    assert measured.statuses == ("target_no_neighbour", "no_face", "no_face")


def test_without_word_of_neighbours_nothing_is_measured() -> None:
    rows = RNG.normal(size=(3, 8))
    metric = IdentityDrift(IDENTITY_DRIFT, Given(rows))
    measured = metric.score(numbered([0, 1]), numbered([0, 0]), FeatureCache())
    assert measured.statuses == ("target_no_neighbour",) * 2


def test_identity_drift_reads_the_neighbours_of_the_target() -> None:
    metric = IdentityDrift(IDENTITY_DRIFT, Given(np.eye(2)))
    target = numbered([0, 0, 0], np.array([ALONE, 0, 1]))
    measured = metric.score(numbered([0, 1, 1]), target, FeatureCache())
    assert measured.statuses == ("target_no_neighbour", "ok", "ok")
    assert measured.values[1:] == pytest.approx([1, 0])


def test_the_embedding_is_the_one_of_csim() -> None:
    from eval.metrics.loading import load_metrics
    from eval.specs.identity import CSIM_EMBEDDED

    drift, csim = load_metrics([IDENTITY_DRIFT, CSIM_EMBEDDED]).frame
    assert isinstance(drift.embedding, FaceEmbedding)
    assert drift.embedding.key == csim.embedding.key
