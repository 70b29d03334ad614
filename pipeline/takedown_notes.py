"""What a takedown writes down before it removes anything, and forgets when all is gone: who, videos, traces."""

import difflib
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import UInt64
from pydantic import ValidationError

from manifests.schema import Clip, Record
from pipeline.claim import claimed
from pipeline.layout import DatasetLayout
from pipeline.picture_shard import pictures_of, without_header
from pipeline.plan import Plan, read_plan, withdraw
from pipeline.records import ClipRecord, read_record
from pipeline.traces import traces_of
from pipeline.withdrawals import add_withdrawal, read_withdrawals
from weights.errors import HeadshotError
from weights.files import publish, publish_text

PIECE_BYTES = 1 << 16
"""Of a sound: each leaves its own traces, so that a part of it is found too."""


class Takedown(Record):
    """What a takedown has to know after it has begun to remove things; kept until it is finished."""

    schema_version: Literal[1] = 1
    identity: str
    day: date
    clips: tuple[Clip, ...]
    """As they were planned: they say where the videos lie."""


def begin(root: Path, identity: str, *, known: bool = False) -> Takedown:
    """Write down who is to be taken out, before anything changes; return what was written when it was begun.

    Args:
        root: Folder of the dataset.
        identity: Who.
        known: The person is known elsewhere, such as from a checkpoint; else the dataset has to know them.

    Raises:
        HeadshotError: There is no dataset, it was made by another version, nobody knows the person, or another run or
            takedown is at work.
    """
    layout = DatasetLayout(root.resolve())
    plan = read_plan(layout)
    with claimed(layout.root):
        left = read_withdrawals(layout)
        clips = tuple(clip for shard in plan.shards for clip in shard.clips if clip.identity == identity)
        if not (clips or identity in left or known):
            raise HeadshotError(_unknown(identity, layout, plan))
        refuse_half_done(layout, besides=identity)
        begun = _unfinished(layout, identity)
        if begun is not None:
            return begun
        days = [clip.withdrawn for clip in clips if clip.withdrawn is not None]
        day = left.get(identity) or max(days, default=datetime.now(UTC).date())
        takedown = Takedown(identity=identity, day=day, clips=clips)
        _refuse_other_versions(layout, plan, takedown)
        add_withdrawal(layout, identity, day)
        with publish(_traces_file(layout, identity)) as temporary:
            kept = (find(layout, plan, identity) for find in (_pictures, _reject_pictures, _sounds))
            np.save(temporary, traces_of(chain.from_iterable(kept)))
        publish_text(_notes_file(layout, identity), takedown.model_dump_json(indent=1) + "\n")
    return takedown


def finish(root: Path, identity: str) -> None:
    """Forget the notes of a takedown: the person is gone, and that was checked."""
    layout = DatasetLayout(root.resolve())
    _notes_file(layout, identity).unlink(missing_ok=True)
    _traces_file(layout, identity).unlink(missing_ok=True)
    if layout.takedowns.is_dir() and not any(layout.takedowns.iterdir()):
        layout.takedowns.rmdir()


def traces(root: Path, identity: str) -> UInt64[np.ndarray, " traces"]:
    """Return the traces of the person's pictures and sound, none where no takedown is under way."""
    path = _traces_file(DatasetLayout(root.resolve()), identity)
    return np.asarray(np.load(path, allow_pickle=False)) if path.is_file() else np.empty(0, np.uint64)


def refuse_half_done(layout: DatasetLayout, besides: str = "") -> None:
    """Refuse to work on a dataset that somebody is being taken out of.

    Args:
        layout: Of the dataset.
        besides: Whose takedown does not matter, because it is about to go on.

    Raises:
        HeadshotError: A takedown was begun and not finished.
    """
    begun = sorted({path.stem for path in layout.takedowns.glob("[!.]*.json")} - {besides})
    if begun:
        raise HeadshotError(
            f"the takedown of {', '.join(begun)} from {layout.root} was not finished; run `headshot takedown "
            f"{begun[0]}` with the same folders again, it goes on where it ended"
        )


def _unfinished(layout: DatasetLayout, identity: str) -> Takedown | None:
    """Return the takedown of a person that was begun and not finished, None where there is none.

    Raises:
        HeadshotError: Its notes cannot be read.
    """
    path = _notes_file(layout, identity)
    if not path.is_file():
        return None
    try:
        return Takedown.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError as error:
        raise HeadshotError(
            f"{path} was written by another version of headshot or is damaged; delete it and run the takedown again"
        ) from error


def _refuse_other_versions(layout: DatasetLayout, plan: Plan, takedown: Takedown) -> None:
    """Refuse a finished dataset whose shards cannot be told from stale ones: it would be taken apart.

    Raises:
        HeadshotError: A record cannot be read, or is of another plan.
    """
    if not layout.info.is_file():
        return
    for before, after in zip(plan.shards, withdraw(plan, takedown.identity, takedown.day).shards, strict=True):
        record = read_record(layout, before.name)
        expected = (before.sha256(plan.config), after.sha256(plan.config))
        if record is None or record.plan_sha256 not in expected:
            raise HeadshotError(
                f"shard {before.name} of {layout.root} was made by another version of headshot, or its record is "
                f"missing; run the takedown with that version, or `headshot preprocess` with the clips of "
                f"{takedown.identity} marked as withdrawn"
            )


def _pictures(layout: DatasetLayout, plan: Plan, identity: str) -> Iterator[bytes]:
    """Yield the stored pictures of a person, as far as they can be read."""
    for shard in plan.shards:
        record = read_record(layout, shard.name)
        groups = [] if record is None else _groups_of(record.clips, identity)
        if not groups:
            continue
        try:
            with pq.ParquetFile(layout.shard(shard.name)) as parquet:
                for group in groups:
                    images = parquet.read_row_group(group, columns=["image.bytes"])["image"].combine_chunks()
                    yield from (image.as_py() for image in images.field("bytes"))
        except (OSError, pa.ArrowInvalid):
            continue  # damaged or missing: it is dropped whole


def _reject_pictures(layout: DatasetLayout, plan: Plan, identity: str) -> Iterator[bytes]:
    """Yield the pictures of a person's rejected clips."""
    for path in (*(layout.pictures(shard.name) for shard in plan.shards), layout.rejects):
        yield from map(without_header, pictures_of(path, identity))


def _sounds(layout: DatasetLayout, plan: Plan, identity: str) -> Iterator[bytes]:
    """Yield the stored sound of a person in pieces, as far as it can be read."""
    for shard in plan.shards if plan.config.audio else ():
        try:
            with pq.ParquetFile(layout.audio(shard.name)) as parquet:
                for group in range(parquet.num_row_groups):
                    if parquet.read_row_group(group, columns=["identity"])["identity"][0].as_py() == identity:
                        (sound,) = parquet.read_row_group(group, columns=["audio.bytes"])["audio"].to_pylist()
                        yield from _pieces(sound["bytes"])
        except (OSError, pa.ArrowInvalid):
            continue  # damaged or missing: it is dropped whole


def _pieces(sound: bytes) -> Iterator[bytes]:
    return (sound[start : start + PIECE_BYTES] for start in range(0, len(sound), PIECE_BYTES))


def _groups_of(clips: Iterable[ClipRecord], identity: str) -> list[int]:
    return [
        clip.row_group + group for clip in clips if clip.clip.identity == identity for group in range(clip.row_groups)
    ]


def _notes_file(layout: DatasetLayout, identity: str) -> Path:
    """Return where the notes of an unfinished takedown lie."""
    return layout.takedowns / f"{identity}.json"


def _traces_file(layout: DatasetLayout, identity: str) -> Path:
    return layout.takedowns / f"{identity}.npy"


def _unknown(identity: str, layout: DatasetLayout, plan: Plan) -> str:
    people = sorted({clip.identity for shard in plan.shards for clip in shard.clips})
    near = difflib.get_close_matches(identity, people, n=3) or people[:5]
    more = f" and {len(people) - len(near):,} more" if len(people) > len(near) else ""
    return (
        f"nobody is called {identity!r} in {layout.root}, nor in the run; the dataset has {', '.join(near)}{more}; "
        "give the identity as the manifest writes it"
    )
