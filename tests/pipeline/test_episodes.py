"""Episodes: a number to frames of one person, the same in every process."""

from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from torch.utils.data import DataLoader

from pipeline.episodes import Episode, Episodes
from pipeline.store import Store
from tests.pipeline.conftest import clip_of, disc_frames, discs_for_faces, encode_video, manifest_of, run
from tests.pipeline.range_server import serve
from weights.errors import HeadshotError


@pytest.fixture
def store(made: Path) -> Store:
    """Ann, Bob and Eve, one clip each; Eve is away in rows 15 to 19."""
    return Store.open(made)


@pytest.fixture(scope="module")
def two_clips(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Ann in a clip of 36 frames and one of 12, Bob in one of 12."""
    folder = tmp_path_factory.mktemp("two_clips")
    ann = encode_video(folder / "ann.mp4", disc_frames(48))
    bob = encode_video(folder / "bob.mp4", disc_frames(12, [(90, 60, 22)]))
    clips = (clip_of(ann, clip="long", end_s=36 / 25), clip_of(ann, clip="short", start_s=36 / 25), clip_of(bob))
    with discs_for_faces():
        run(manifest_of(*clips), folder / "data")
    return Store.open(folder / "data")


def same(one: Episode, other: Episode) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def all_same(some: Sequence[Episode], others: Sequence[Episode]) -> bool:
    return all(same(one, other) for one, other in zip(some, others, strict=True))


def loaded(episodes: Sequence[Episode], workers: int, start: str | None = None, **options: Any) -> list[Episode]:
    """Return all episodes as torch's DataLoader brings them, each as a batch of one."""
    loader = DataLoader(
        episodes, batch_size=None, num_workers=workers, multiprocessing_context=start if workers else None, **options
    )
    return [Episode(*(np.asarray(value) for value in episode)) for episode in loader]


def test_an_episode_depends_on_seed_and_index_alone(store: Store) -> None:
    fresh, used = Episodes(store, shots=3, length=50), Episodes(store, shots=3, length=50)
    for index in (4, 2, 49):
        _ = used[index]
    assert same(fresh[7], used[7])
    assert not same(fresh[7], fresh[8])
    assert not same(fresh[7], Episodes(store, shots=3, length=50, seed=1)[7])
    assert same(fresh[7], Episodes(store, shots=3, length=9)[7])


def test_frames_and_points_are_those_of_the_rows_it_names(store: Store) -> None:
    for episode in islice(Episodes(store, shots=4, length=20), 20):
        clip = store.clips[episode.clips[-1]]
        assert set(episode.clips.tolist()) == {episode.clips[-1]}
        np.testing.assert_array_equal(episode.support_frames, store.frames(clip, episode.rows[:-1]))
        np.testing.assert_array_equal(episode.target_frame, store.frames(clip, episode.rows[-1:])[0])
        np.testing.assert_array_equal(episode.support_landmarks, store.landmarks(clip, episode.rows[:-1]))
        np.testing.assert_array_equal(episode.target_landmarks, store.landmarks(clip, episode.rows[-1:])[0])


def test_no_frame_comes_twice_and_none_without_a_face(store: Store) -> None:
    away = set(range(15, 20))
    for episode in Episodes(store, shots=8, length=60):
        assert len(set(episode.rows.tolist())) == 9
        assert store.clips[episode.clips[0]].identity != "eve" or not away & set(episode.rows.tolist())
        assert np.isfinite(episode.support_landmarks).all()


def test_stored_bytes_are_given_where_pixels_are_not_wanted(store: Store) -> None:
    decoded, stored = Episodes(store, shots=2)[1], Episodes(store, shots=2, decoded=False, size_px=32)[1]
    images = [cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_COLOR_RGB) for image in stored.support_frames]
    np.testing.assert_array_equal(np.stack(images), decoded.support_frames)
    np.testing.assert_array_equal(stored.support_landmarks, decoded.support_landmarks)


def test_another_size_scales_pictures_and_points(store: Store) -> None:
    full, half = Episodes(store, shots=2)[0], Episodes(store, shots=2, size_px=32)[0]
    assert half.support_frames.shape == (2, 32, 32, 3)
    np.testing.assert_allclose((half.target_landmarks + 0.5) * 2, full.target_landmarks + 0.5, atol=1e-4)


def test_people_come_evenly_whatever_the_length_and_number_of_their_clips(two_clips: Store) -> None:
    episodes = Episodes(two_clips, shots=3, length=600, decoded=False)
    assert (len(two_clips.clips), episodes.identities) == (3, 2)
    people = Counter(episode.identity for episode in episodes)
    assert people[0] == pytest.approx(300, abs=60)  # five standard deviations
    clips = Counter(two_clips.clips[int(episode.clips[0])].key for episode in episodes)
    assert clips["ann/video/long"] == pytest.approx(150, abs=53)


def test_frames_of_an_identity_come_from_all_clips_of_the_person(two_clips: Store) -> None:
    episodes = Episodes(two_clips, shots=15, length=100, frames_of="identity")
    assert episodes.left_out == 1  # Bob has twelve frames
    counts = Counter()
    for episode in episodes:
        frames = list(zip(episode.clips.tolist(), episode.rows.tolist(), strict=True))
        assert len(set(frames)) == 16
        assert {two_clips.clips[clip].identity for clip, _ in frames} == {"ann"}
        counts.update(clip for clip, _ in frames)
        clip, row = frames[-1]
        np.testing.assert_array_equal(episode.target_frame, two_clips.frames(two_clips.clips[clip], [row])[0])
    assert counts[0] / counts.total() == pytest.approx(36 / 48, abs=0.04)


def test_clips_with_too_few_frames_are_counted_and_none_left_is_an_error(store: Store, two_clips: Store) -> None:
    assert Episodes(two_clips, shots=12).left_out == 2
    with pytest.raises(HeadshotError, match=r"no clip of the split train with 41 usable frames \(3 clips"):
        Episodes(store, shots=40)
    with pytest.raises(HeadshotError, match="no clip of the split test"):
        Episodes(store, split="test")


def test_there_are_as_many_as_was_said_and_no_more(store: Store) -> None:
    assert len(Episodes(store)) == 3
    episodes = Episodes(store, length=5)
    assert len(list(episodes)) == 5
    with pytest.raises(IndexError):
        _ = episodes[5]


@pytest.mark.filterwarnings("ignore:This DataLoader will create 3 worker processes")
@pytest.mark.parametrize("start", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_any_number_of_workers_brings_the_same_episodes_in_order(store: Store, start: str) -> None:
    """Frames were read here before the workers start, so that they inherit open files where they are forked."""
    episodes = Episodes(store, shots=3, length=12, size_px=48)
    alone = loaded(episodes, workers=0)
    for workers in (1, 3):
        assert all_same(loaded(episodes, workers, start), alone)


@pytest.mark.parametrize("start", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_workers_can_read_object_storage(made: Path, store: Store, start: str) -> None:
    expected = list(Episodes(store, shots=3, length=6))
    with serve(made) as server:
        remote = Episodes(Store.open(server.address), shots=3, length=6)
        assert same(remote[0], expected[0])
        assert all_same(loaded(remote, 2, start), expected)


def test_a_run_goes_on_with_the_index_that_comes_next(store: Store) -> None:
    episodes = Episodes(store, shots=3, length=10)
    rest = loaded(episodes, 2, "fork", sampler=range(6, 10))
    assert all_same(rest, list(episodes)[6:])


def test_torch_stacks_episodes_into_batches(store: Store) -> None:
    batch = next(iter(DataLoader(Episodes(store, shots=3, length=8), batch_size=8)))
    assert batch.support_frames.shape == (8, 3, 64, 64, 3)
    assert batch.target_landmarks.shape == (8, 68, 2)
    assert batch.identity.tolist() == batch.clips[:, 0].tolist()
