"""The same dataset from a folder and from object storage; only what is asked for comes over the wire."""

import multiprocessing
import pickle
import shutil
from collections.abc import Iterator
from pathlib import Path

import fsspec
import numpy as np
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from pipeline.status import status, verify
from pipeline.store import Store
from tests.pipeline.range_server import Served, serve
from weights.errors import HeadshotError


@pytest.fixture
def local(made: Path) -> Store:
    return Store.open(made)


@pytest.fixture
def server(made: Path) -> Iterator[Served]:
    with serve(made) as served:
        yield served


@pytest.fixture
def in_memory(made: Path) -> Iterator[str]:
    memory = fsspec.filesystem("memory")
    memory.put(str(made), "/bucket/faces", recursive=True)
    yield "memory://bucket/faces"
    memory.rm("/bucket", recursive=True)


@pytest.fixture(params=["memory", "http"])
def remote(request: pytest.FixtureRequest) -> Store:
    if request.param == "http":
        return Store.open(request.getfixturevalue("server").address)
    return Store.open(request.getfixturevalue("in_memory"))


def test_everything_read_from_object_storage_equals_the_folder(local: Store, remote: Store) -> None:
    assert remote.info == local.info
    assert remote.sha256 == local.sha256
    assert remote.index() == local.index()
    assert list(remote.clips) == list(local.clips)
    assert list(remote.rejects) == list(local.rejects)
    for clip in local.clips:
        rows = local.usable_rows(clip)
        np.testing.assert_array_equal(remote.usable_rows(clip), rows)
        shuffled = np.random.default_rng(0).permutation(rows)[:9]
        assert remote.encoded(clip, shuffled) == local.encoded(clip, shuffled)
        np.testing.assert_array_equal(remote.frames(clip, shuffled, 32), local.frames(clip, shuffled, 32))
        np.testing.assert_array_equal(
            remote.landmarks(clip, range(clip.frames)), local.landmarks(clip, range(clip.frames))
        )
        np.testing.assert_array_equal(remote.column(clip, "pts_s"), local.column(clip, "pts_s"))


def test_a_row_asked_twice_and_no_row_at_all_are_answered(local: Store, remote: Store) -> None:
    clip = local.clip("ann/video/full")
    assert remote.encoded(clip, [7, 3, 7]) == local.encoded(clip, [7, 3, 7])
    assert remote.encoded(clip, []) == []
    assert remote.landmarks(clip, []).shape == (0, 68, 2)


def test_only_the_frames_asked_for_are_transferred_and_neighbours_together(local: Store, server: Served) -> None:
    clip, remote = local.clip("ann/video/full"), Store.open(server.address)
    images = remote.encoded(clip, [3, 4, 5, 30])
    ranges = server.of("data")
    assert len(ranges) == 2
    assert sum(length for _, length in ranges) == sum(map(len, images)) + 2 * 4  # two length prefixes in between
    remote.landmarks(clip, [10])
    assert [length for _, length in server.of("data")[2:]] == [68 * 2 * 4]


def test_the_byte_index_of_a_clip_is_transferred_once_and_no_other(local: Store, server: Served) -> None:
    clip, remote = local.clip("bob/video/full"), Store.open(server.address)
    for row in range(5):
        remote.encoded(clip, [row])
    assert sum(length for _, length in server.of("offsets")) == 192 + clip.frames * 21


def test_a_server_that_ignores_ranges_is_an_error_not_wrong_frames(made: Path, local: Store) -> None:
    with serve(made, knows_ranges=False) as server:
        remote = Store.open(server.address)
        with pytest.raises(OSError, match="does not answer range requests"):
            remote.encoded(local.clips[0], [3])


def test_a_remote_store_works_in_other_processes(local: Store, server: Served) -> None:
    """Also where the parent has an open connection when it forks."""
    remote, clip = Store.open(server.address), local.clips[0]
    expected = remote.encoded(clip, [3])
    assert pickle.loads(pickle.dumps(remote)).encoded(clip, [3]) == expected
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply_async(remote.encoded, (clip, [3, 4])).get(timeout=60) == local.encoded(clip, [3, 4])


def test_options_reach_the_file_system(made: Path, local: Store, tmp_path: Path) -> None:
    """Here: which archive to look into."""
    archive = shutil.make_archive(str(tmp_path / "faces"), "zip", made)
    packed = Store.open("zip://", {"fo": archive})
    assert packed.encoded(packed.clips[1], [0, 9]) == local.encoded(local.clips[1], [0, 9])


def test_a_folder_may_be_written_as_an_address(made: Path, local: Store) -> None:
    assert Store.open(made.as_uri()) == local == Store.open(str(made))


def test_addresses_that_lead_nowhere_are_clear_errors(in_memory: str) -> None:
    with pytest.raises(HeadshotError, match="holds no finished dataset"):
        Store.open(f"{in_memory}/further")
    with pytest.raises(HeadshotError, match="nosuch://bucket cannot be opened: Protocol not known: nosuch"):
        Store.open("nosuch://bucket")
    with pytest.raises(HeadshotError, match=r"127\.0\.0\.1:1 cannot be read"):
        Store.open("http://127.0.0.1:1")


@pytest.mark.parametrize("name", ["json", "records"])
def test_whatever_goes_wrong_behind_an_address_is_one_error(
    in_memory: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Every protocol's library has exceptions of its own, such as for lack of credentials."""
    original = MemoryFileSystem.cat_file

    def refuse(filesystem: MemoryFileSystem, path: str, *arguments: object, **options: object) -> bytes:
        if name in path:
            raise RuntimeError("no credentials")
        return original(filesystem, path, *arguments, **options)

    monkeypatch.setattr(MemoryFileSystem, "cat_file", refuse)
    with pytest.raises(HeadshotError, match="bucket/faces cannot be read: no credentials"):
        status(in_memory)
    if name == "json":
        with pytest.raises(HeadshotError, match="bucket/faces cannot be read: no credentials"):
            Store.open(in_memory)
    else:
        assert {fault.detail for fault in verify(in_memory)} == {"cannot be read: no credentials"}
