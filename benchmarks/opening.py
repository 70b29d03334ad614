"""How long it takes to open a dataset of a million clips: `python -m benchmarks.opening`.

The dataset is a description and an index; its shards are never opened.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from headshot.console import out, table
from pipeline.clip_rows import GROUP_ROWS
from pipeline.config import PipelineConfig
from pipeline.dataset_info import DatasetInfo, ShardSummary
from pipeline.episodes import Episodes
from pipeline.index import INDEX_SCHEMA, REJECTS_SCHEMA
from pipeline.layout import DatasetLayout
from pipeline.store import Store

FRAMES = 150
CLIPS_OF_PERSON, CLIPS_OF_SHARD = 20, 80


def main() -> None:
    """Make the index, open it, and print how long each step took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=1_000_000, help="how many the dataset has")
    clips = parser.parse_args().clips
    results = table(f"A dataset of {clips:,} clips", "step", "seconds", "of processor time")

    def add(step: str, work: Callable[[], object]) -> None:
        wall, processor = time.perf_counter(), time.process_time()
        work()
        results.add_row(step, f"{time.perf_counter() - wall:.3f}", f"{time.process_time() - processor:.3f}")

    with tempfile.TemporaryDirectory() as folder:
        write_index(Path(folder), clips)
        store = Store.open(Path(folder))
        add("open", lambda: Store.open(Path(folder)))
        add("find a clip by its key", lambda: store.clip(clip_key(clips // 3)))
        add("find another", lambda: store.clip(clip_key(2 * clips // 3)))
        add("prepare episodes", lambda: Episodes(store))
    out.print(results)


def clip_key(number: int) -> str:
    """Return the key of a clip of the synthetic dataset."""
    return f"id{number // CLIPS_OF_PERSON:06d}/video/clip-{number:07d}"


def write_index(root: Path, clips: int) -> None:
    """Write `dataset.json`, `index.parquet` and `rejects.parquet` of a dataset of this many clips to `root`."""
    layout, number = DatasetLayout(root), np.arange(clips)
    shards = [f"train-{shard:05d}" for shard in range(-(-clips // CLIPS_OF_SHARD))]
    keys = pa.array([clip_key(one) for one in range(clips)])
    known = dict.fromkeys(("key", "video", "clip", "source", "source_url", "source_sha256"), keys) | {
        "identity": pa.array([f"id{person:06d}" for person in range(-(-clips // CLIPS_OF_PERSON))]).take(
            pa.array(number // CLIPS_OF_PERSON)
        ),
        "split": pa.repeat("train", clips),
        "attributes": pa.repeat("{}", clips),
        "shard": pa.array(shards).take(pa.array(number // CLIPS_OF_SHARD)),
        "first_row": pa.array(number % CLIPS_OF_SHARD * FRAMES),
        "frames": pa.array(np.full(clips, FRAMES, np.int32)),
        "usable_frames": pa.array(np.full(clips, FRAMES, np.int32)),
    }
    unknown = {"bool": False, "string": "of no importance", "int32": 1, "int64": 1, "float": 1.0}
    columns = [
        known.get(field.name, pa.repeat(pa.scalar(unknown.get(str(field.type)), field.type), clips))
        for field in INDEX_SCHEMA
    ]
    pq.write_table(pa.table(columns, schema=INDEX_SCHEMA), layout.index, compression="zstd", row_group_size=GROUP_ROWS)
    pq.write_table(REJECTS_SCHEMA.empty_table(), layout.rejects)
    layout.info.write_text(_info(shards, clips).model_dump_json(), encoding="utf-8")


def _info(shards: list[str], clips: int) -> DatasetInfo:
    rows, sha256 = CLIPS_OF_SHARD * FRAMES, "0" * 64
    return DatasetInfo(
        name="synthetic",
        title="An index without frames",
        description="",
        manifest_sha256=sha256,
        config=PipelineConfig(),
        scheme="none",
        weights=(),
        shards=tuple(
            ShardSummary(name=shard, split="train", rows=rows, size_bytes=rows * 20_000, sha256=sha256)
            for shard in shards
        ),
        clips=clips,
        frames=clips * FRAMES,
        usable_frames=clips * FRAMES,
        clips_per_split={"train": clips},
        identities_per_split={"train": clips // CLIPS_OF_PERSON},
        rejects_by_reason={},
    )


if __name__ == "__main__":
    main()
