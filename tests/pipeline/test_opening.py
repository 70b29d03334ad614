"""A dataset of very many clips: what is not asked for is not read."""

from pathlib import Path

import pytest

from benchmarks.opening import FRAMES, clip_key, write_index
from pipeline.clip_rows import GROUP_ROWS
from pipeline.episodes import Episodes
from pipeline.store import Store
from tests.pipeline.range_server import serve
from weights.errors import HeadshotError


@pytest.mark.parametrize("clips", [50_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_finding_one_clip_of_many_reads_one_piece_of_the_index(tmp_path: Path, clips: int) -> None:
    write_index(tmp_path, clips)
    pieces = -(-clips // GROUP_ROWS)
    with serve(tmp_path) as server:
        store = Store.open(server.address)
        assert {name for name, _, _ in server.ranges} == {"dataset.json"}

        assert store.clip(clip_key(clips - 1)).first_row == (clips - 1) % 80 * FRAMES
        index_bytes = sum(length for name, _, length in server.ranges if name == "index.parquet")
        assert index_bytes < (tmp_path / "index.parquet").stat().st_size / pieces * 1.5

        asked = len(server.ranges)
        assert store.clips[-2].key == clip_key(clips - 2)
        assert len(store.clips) == clips
        assert len(server.ranges) == asked


def test_every_clip_is_found_where_it_is_and_no_other(tmp_path: Path) -> None:
    """Also at the borders of the pieces of the index."""
    clips = GROUP_ROWS + 3
    write_index(tmp_path, clips)
    store = Store.open(tmp_path)
    for number in (0, 1, GROUP_ROWS - 1, GROUP_ROWS, clips - 1):
        assert store.clips[number].key == clip_key(number)
        assert store.clip(clip_key(number)) == store.clips[number]
    assert store.clips[-1] == store.clips[clips - 1]
    assert [clip.key for clip in store.clips[GROUP_ROWS - 1 : GROUP_ROWS + 1]] == [
        clip_key(GROUP_ROWS - 1),
        clip_key(GROUP_ROWS),
    ]
    for absent in ("", "id", clip_key(5) + "x", "zoe/video/full"):
        with pytest.raises(HeadshotError, match="is not in its manifest"):
            store.clip(absent)
    with pytest.raises(IndexError):
        _ = store.clips[clips]


def test_entries_come_in_the_order_of_the_index(tmp_path: Path) -> None:
    write_index(tmp_path, 3000)
    store = Store.open(tmp_path)
    assert [clip.key for clip in store.clips] == [clip_key(number) for number in range(3000)]
    assert Episodes(store, shots=8).identities == 150
