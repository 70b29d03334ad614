from pathlib import Path

import numpy as np
import pytest

from eval.features import FeatureCache, Frames
from weights.errors import HeadshotError


class MeanColour:
    """Counts how many frames it looked at."""

    key = "mean-colour@1"
    width = 3

    def __init__(self) -> None:
        self.seen = 0

    def extract(self, frames: Frames, _cache: FeatureCache) -> np.ndarray:
        self.seen += len(frames)
        return frames.pixels.mean(axis=(1, 2))


class MeanGap:
    key = "mean-gap@1"

    def __init__(self) -> None:
        self.seen = 0

    def measure(self, generated: Frames, target: Frames, _cache: FeatureCache) -> np.ndarray:
        self.seen += len(generated)
        return generated.pixels.mean(axis=(1, 2, 3)) - target.pixels.mean(axis=(1, 2, 3))


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), dtype=np.uint8)


def test_frames_are_known_by_content_and_shape(pixels: np.ndarray) -> None:
    frames = Frames.of(pixels)
    assert Frames.of(pixels[::-1].copy()).digests == frames.digests[::-1]
    assert len(set(frames.digests)) == 5
    assert Frames.of(pixels.reshape(5, 4, 16, 3)).digests[0] != frames.digests[0]


def test_each_content_is_computed_once(pixels: np.ndarray) -> None:
    cache, extractor = FeatureCache(), MeanColour()
    repeated = Frames.of(pixels[[0, 1, 0, 2, 1]])
    found = cache.features(extractor, repeated)
    assert extractor.seen == 3
    assert found == pytest.approx(pixels[[0, 1, 0, 2, 1]].mean(axis=(1, 2)), rel=1e-6)
    cache.features(extractor, Frames.of(pixels[[2, 3]]))
    assert extractor.seen == 4


def test_pairs_are_known_by_both_sides(pixels: np.ndarray) -> None:
    cache, measure = FeatureCache(), MeanGap()
    one, other = Frames.of(pixels[:2]), Frames.of(pixels[2:4])
    first = cache.pair_values(measure, one, other)
    assert cache.pair_values(measure, one, other) == pytest.approx(first)
    assert measure.seen == 2
    assert cache.pair_values(measure, other, one) == pytest.approx(-first)
    assert measure.seen == 4


def test_another_run_computes_nothing_and_finds_the_same_bits(pixels: np.ndarray, tmp_path: Path) -> None:
    frames = Frames.of(pixels)
    cache = FeatureCache(tmp_path)
    before = cache.features(MeanColour(), frames), cache.pair_values(MeanGap(), frames, frames)
    cache.save()
    extractor, measure, again = MeanColour(), MeanGap(), FeatureCache(tmp_path)
    after = again.features(extractor, frames), again.pair_values(measure, frames, frames)
    assert (extractor.seen, measure.seen) == (0, 0)
    for one, other in zip(before, after, strict=True):
        assert np.array_equal(one, other)
        assert one.dtype == other.dtype


def test_each_save_adds_only_what_is_new(pixels: np.ndarray, tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    for chosen in ([0, 1], [0, 1], [1, 2]):
        cache.features(MeanColour(), Frames.of(pixels[chosen]))
        cache.save()
    files = list(tmp_path.rglob("*"))
    assert len([path for path in files if path.is_file()]) == 2


def test_a_new_version_of_the_preparation_is_another_key(pixels: np.ndarray, tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    cache.features(MeanColour(), Frames.of(pixels))
    cache.save()
    newer = MeanColour()
    newer.key = "mean-colour@2"
    FeatureCache(tmp_path).features(newer, Frames.of(pixels))
    assert newer.seen == 5


def test_features_that_do_not_exist_are_remembered_as_nan(pixels: np.ndarray, tmp_path: Path) -> None:
    class Nothing(MeanColour):
        def extract(self, frames: Frames, _cache: FeatureCache) -> np.ndarray:
            return np.full((len(frames), 3), np.nan)

    cache = FeatureCache(tmp_path)
    cache.features(Nothing(), Frames.of(pixels))
    cache.save()
    assert np.isnan(FeatureCache(tmp_path).features(MeanColour(), Frames.of(pixels))).all()


def test_no_frames_have_no_features() -> None:
    empty = Frames.of(np.empty((0, 8, 8, 3), np.uint8))
    assert FeatureCache().features(MeanColour(), empty).shape == (0, 3)
    assert FeatureCache().pair_values(MeanGap(), empty, empty).shape == (0,)


def test_a_damaged_file_is_named(pixels: np.ndarray, tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path)
    cache.features(MeanColour(), Frames.of(pixels))
    cache.save()
    path = next(path for path in tmp_path.rglob("*.parquet"))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(HeadshotError, match=path.name):
        FeatureCache(tmp_path).features(MeanColour(), Frames.of(pixels))
