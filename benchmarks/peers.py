"""Other ways to keep the same frames and to read nine of them: what `benchmarks.episodes` compares with.

Each function keeps the clips in its own manner under a folder and returns a reader: a clip's number and rows to the
stored images. It raises ImportError where its package is not installed.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path

from pipeline.layout import DatasetLayout
from pipeline.store import Store

Reader = Callable[[int, Sequence[int]], list[bytes]]
SEQUENTIAL_FRAMES = 150
"""Frames of a webdataset sample, six seconds: the length of a clip of VoxCeleb."""


def jpeg_folder(store: Store, folder: Path) -> Reader:
    """One file a frame, one folder a clip."""
    for number, clip in enumerate(store.clips):
        (folder / str(number)).mkdir()
        for row, image in enumerate(store.encoded(clip, range(clip.frames))):
            (folder / str(number) / f"{row:06d}.jpg").write_bytes(image)

    def read(clip: int, rows: Sequence[int]) -> list[bytes]:
        images = []
        for row in rows:
            with open(f"{folder}/{clip}/{row:06d}.jpg", "rb") as file:  # noqa: PTH123  # a third faster than Path
                images.append(file.read())
        return images

    return read


def plain_pyarrow(store: Store, _: Path) -> Reader:
    """Headshot's own shards, read with pyarrow by the row groups that hold the rows."""
    import pyarrow.parquet as pq

    layout = DatasetLayout(Path(store.root))
    clips = list(store.clips)
    shards = {clip.shard: pq.ParquetFile(layout.shard(clip.shard), memory_map=True) for clip in clips}

    def read(number: int, rows: Sequence[int]) -> list[bytes]:
        clip = clips[number]
        groups = range(clip.row_group, clip.row_group + clip.row_groups)
        starts = accumulate((shards[clip.shard].metadata.row_group(group).num_rows for group in groups), initial=0)
        images: dict[int, bytes] = {}
        for group, start in zip(groups, starts, strict=False):
            held = [row for row in rows if 0 <= row - start < shards[clip.shard].metadata.row_group(group).num_rows]
            if held:
                column = shards[clip.shard].read_row_group(group, columns=["image.bytes"])["image"].combine_chunks()
                images |= {row: column.field("bytes")[row - start].as_py() for row in held}
        return [images[row] for row in rows]

    return read


def hugging_face(store: Store, folder: Path) -> Reader:
    """Hugging Face datasets, whose Arrow copy of everything is mapped into memory; the image column alone."""
    os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    import datasets

    datasets.disable_progress_bars()
    layout = DatasetLayout(Path(store.root))
    shards = sorted({clip.shard for clip in store.clips})
    frames = datasets.load_dataset(
        "parquet",
        data_files=[str(layout.shard(shard)) for shard in shards],
        columns=["image"],
        split="train",
        cache_dir=str(folder),
    ).cast_column("image", datasets.Image(decode=False))
    first = _first_rows(store, shards)

    def read(clip: int, rows: Sequence[int]) -> list[bytes]:
        return [image["bytes"] for image in frames[[first[clip] + row for row in rows]]["image"]]

    return read


def lance(store: Store, folder: Path) -> Reader:
    """Lance, a column format made for reading single rows."""
    os.environ |= {"LANCE_CPU_THREADS": "1", "LANCE_IO_THREADS": "1"}  # one thread, as the others
    import lance as lance_format
    import pyarrow as pa

    clips = list(store.clips)
    first = [0, *accumulate(clip.frames for clip in clips)]
    schema = pa.schema([("image", pa.binary())])
    batches = (
        pa.record_batch([pa.array(store.encoded(clip, range(clip.frames)), pa.binary())], schema=schema)
        for clip in clips
    )
    frames = lance_format.write_dataset(batches, str(folder / "frames.lance"), schema=schema)

    def read(clip: int, rows: Sequence[int]) -> list[bytes]:
        column = frames.take([first[clip] + row for row in rows], columns=["image"])["image"]
        return [image.as_py() for image in column]

    return read


def webdataset(store: Store, folder: Path) -> Reader:
    """Tar files read from front to back: the clip that comes next, whatever was asked for."""
    import webdataset as wds

    with wds.ShardWriter(str(folder / "%05d.tar"), verbose=0) as tar:
        for clip in store.clips:
            for start in range(0, clip.frames, SEQUENTIAL_FRAMES):
                rows = range(start, min(start + SEQUENTIAL_FRAMES, clip.frames))
                frames = {f"{row:06d}.jpg": image for row, image in zip(rows, store.encoded(clip, rows), strict=True)}
                tar.write({"__key__": f"{clip.key.replace('.', '-')}/{start}", **frames})
    tars = [str(path) for path in sorted(folder.glob("*.tar"))]
    samples = _endless(lambda: wds.WebDataset(tars, shardshuffle=False, empty_check=False))

    def read(_: int, rows: Sequence[int]) -> list[bytes]:
        images = [image for name, image in next(samples).items() if name.endswith("jpg")]
        return [images[row % len(images)] for row in rows]

    return read


def _endless(restart: Callable[[], Iterator[dict[str, bytes]]]) -> Iterator[dict[str, bytes]]:
    while True:
        yield from restart()


def _first_rows(store: Store, shards: Sequence[str]) -> list[int]:
    """Return where each clip begins if the shards are put in a row."""
    lengths = {shard.name: shard.rows for shard in store.info.shards}
    starts = dict(zip(shards, [0, *accumulate(lengths[shard] for shard in shards)], strict=False))
    return [starts[clip.shard] + clip.first_row for clip in store.clips]


PEERS: dict[str, Callable[[Store, Path], Reader]] = {
    "folder of JPEGs": jpeg_folder,
    "Hugging Face datasets": hugging_face,
    "Lance": lance,
    "webdataset (sequential)": webdataset,
    "pyarrow, by row group": plain_pyarrow,
}
