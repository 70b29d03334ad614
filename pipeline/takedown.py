"""Take a person out of a dataset, in an order that a kill cannot harm: the same call finishes what is left.

First the takedown is written down: who, where the videos lie, and traces of the pictures. Then every shard that was
planned with the person is written again without, published over the old one and recorded; then the plan, and the
files that describe the whole. The person stays as rows of `rejects.parquet` with the reason `withdrawn`, and in
`withdrawn.json`, which every later run obeys.
"""

import difflib
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import UInt64

from manifests.samples import resolve
from manifests.schema import Clip, FileSource
from pipeline.claim import only_run_in
from pipeline.dataset_info import DatasetInfo
from pipeline.description import info_text, write_description
from pipeline.layout import DatasetLayout
from pipeline.plan import Plan, ShardPlan, as_planned, read_plan
from pipeline.records import ClipRecord, RejectRecord, ShardRecord, read_record
from pipeline.shard_filter import people_in, plan_in, write_without
from pipeline.shard_writer import WrittenShard
from pipeline.shards import commit_shard
from pipeline.summary import add_up
from pipeline.traces import traces_of
from pipeline.verdicts import withdrawn_on
from pipeline.withdrawals import Takedown, add_withdrawal, notes_of, read_withdrawals, unfinished
from weights.errors import HeadshotError
from weights.files import publish, publish_text, sha256_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a takedown did to the files of one kind."""

    what: str
    files: int
    rows: int
    unit: str
    """What the rows are, in the plural."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Videos:
    """The source videos of a person."""

    own: tuple[Path, ...]
    """Files that show nobody else of the dataset and lie in the folder of videos: they may be deleted."""
    others: tuple[str, ...]
    """The rest, each with the reason why it is left alone."""


def begin(root: Path, identity: str, *, known: bool = False) -> Takedown:
    """Write down who is to be taken out, before anything changes; return what was written when it was begun.

    Args:
        root: Folder of the dataset.
        identity: Who.
        known: The person is known elsewhere, such as from a checkpoint; else the dataset has to know them.

    Raises:
        HeadshotError: There is no dataset, it was made by another version, nobody knows the person, or another run is
            at work.
    """
    layout = DatasetLayout(root.resolve())
    plan = read_plan(layout)
    with only_run_in(layout.root):
        left = read_withdrawals(layout)
        clips = tuple(clip for shard in plan.shards for clip in shard.clips if clip.identity == identity)
        if not (clips or identity in left or known):
            raise HeadshotError(_unknown(identity, layout, plan))
        begun = unfinished(layout, identity)
        if begun is not None:
            return begun
        days = [clip.withdrawn for clip in clips if clip.withdrawn is not None]
        day = left.get(identity) or max(days, default=datetime.now(UTC).date())
        takedown = Takedown(identity=identity, day=day, clips=clips)
        _refuse_other_versions(layout, plan, takedown)
        add_withdrawal(layout, identity, day)
        with publish(_traces_file(layout, identity)) as temporary:
            np.save(temporary, traces_of(_pictures(layout, plan, identity)))
        publish_text(notes_of(layout, identity), takedown.model_dump_json(indent=1) + "\n")
    return takedown


def take_out(root: Path, takedown: Takedown) -> tuple[Change, ...]:
    """Remove the person from the dataset and return what changed.

    Raises:
        HeadshotError: Another run is at work in the dataset.
    """
    layout = DatasetLayout(root.resolve())
    with only_run_in(layout.root):
        layout.remove_stale_files()
        plan = read_plan(layout)
        new = _without(plan, takedown)
        cuts = [
            cut
            for before, after in zip(plan.shards, new.shards, strict=True)
            if (cut := _cut_shard(layout, plan, before, after, takedown))
        ]
        dropped = _drop_unfinished(layout, new, takedown.identity)
        replanned = new != plan
        if replanned:
            publish_text(layout.plan, new.model_dump_json(indent=1) + "\n")
        described = _describe(layout, new)
    clips = len(takedown.clips)
    changes = (
        Change(what="shards", files=len(cuts), rows=sum(cut.frames for cut in cuts), unit="frames"),
        Change(what="byte indexes and records", files=2 * len(cuts), rows=sum(cut.clips for cut in cuts), unit="clips"),
        Change(what="unfinished or damaged shards, dropped", files=dropped, rows=0, unit=""),
        Change(what="plan", files=int(replanned), rows=clips * replanned, unit="clips"),
        Change(what="index, rejects, card, descriptions", files=described, rows=clips * bool(described), unit="clips"),
    )
    return tuple(change for change in changes if change.files)


def finish(root: Path, identity: str) -> None:
    """Forget the notes of a takedown: the person is gone, and that was checked."""
    layout = DatasetLayout(root.resolve())
    notes_of(layout, identity).unlink(missing_ok=True)
    _traces_file(layout, identity).unlink(missing_ok=True)
    if layout.takedowns.is_dir() and not any(layout.takedowns.iterdir()):
        layout.takedowns.rmdir()


def traces(root: Path, identity: str) -> UInt64[np.ndarray, " traces"]:
    """Return the traces of the person's pictures, none where no takedown is under way."""
    path = _traces_file(DatasetLayout(root.resolve()), identity)
    return np.asarray(np.load(path, allow_pickle=False)) if path.is_file() else np.empty(0, np.uint64)


def videos_of(root: Path, takedown: Takedown, folder: Path) -> Videos:
    """Return the videos of the person, and which of them may be deleted.

    Args:
        root: Folder of the dataset.
        takedown: Says where the videos lie.
        folder: Of the videos; files outside it are left alone.
    """
    plan = read_plan(DatasetLayout(root.resolve()))
    clips = [clip for clip in takedown.clips if not _is_bare(clip)]
    shared = {clip.source for shard in plan.shards for clip in shard.clips if clip.identity != takedown.identity} & {
        clip.source for clip in clips
    }
    own: dict[Path, None] = {}
    others: dict[str, None] = {}
    for clip in clips:
        try:
            path = resolve(clip, folder).resolve()
        except HeadshotError:
            continue
        if clip.source in shared:
            others[f"{path}: it shows somebody else of the dataset too"] = None
        elif not path.is_relative_to(folder.resolve()):
            others[f"{path}: it is not in {folder}"] = None
        else:
            own[path] = None
    return Videos(own=tuple(own), others=tuple(others))


def delete_videos(videos: Videos) -> Change:
    """Delete the videos that may be deleted."""
    for path in videos.own:
        path.unlink(missing_ok=True)
    return Change(what="source videos, deleted", files=len(videos.own), rows=0, unit="")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cut:
    """What was taken from a shard."""

    clips: int
    frames: int


def _refuse_other_versions(layout: DatasetLayout, plan: Plan, takedown: Takedown) -> None:
    """Refuse a finished dataset whose shards cannot be told from stale ones: it would be taken apart.

    Raises:
        HeadshotError: A record cannot be read, or is of another plan.
    """
    if not layout.info.is_file():
        return
    for before, after in zip(plan.shards, _without(plan, takedown).shards, strict=True):
        record = read_record(layout, before.name)
        expected = (before.sha256(plan.config), after.sha256(plan.config))
        if record is None or record.plan_sha256 not in expected:
            raise HeadshotError(
                f"shard {before.name} of {layout.root} was made by another version of headshot, or its record is "
                f"missing; run the takedown with that version, or `headshot preprocess` with the clips of "
                f"{takedown.identity} marked as withdrawn"
            )


def _cut_shard(
    layout: DatasetLayout, plan: Plan, before: ShardPlan, after: ShardPlan, takedown: Takedown
) -> _Cut | None:
    """Write a shard again without the person; None if it holds nothing of them or cannot be cut."""
    record, wanted = read_record(layout, after.name), after.sha256(plan.config)
    if record is None or record.plan_sha256 != before.sha256(plan.config) or record.plan_sha256 == wanted:
        return None
    if not _can_be_cut(layout, record, wanted):
        layout.record(record.name).unlink()
        return None
    gone = [clip.frames for clip in record.clips if clip.clip.identity == takedown.identity]
    written = WrittenShard(clips=_kept(record, takedown.identity), rejects=_rejects(record, after, takedown))

    def write(path: Path) -> WrittenShard:
        write_without(layout.shard(after.name), takedown.identity, path, wanted)
        return written

    commit_shard(layout, after, plan.config, write)
    return _Cut(clips=len(gone), frames=sum(gone))


def _can_be_cut(layout: DatasetLayout, record: ShardRecord, wanted: str) -> bool:
    """Return whether the file is the recorded one, or one that a killed takedown wrote and did not record."""
    path = layout.shard(record.name)
    return path.is_file() and (plan_in(path) == wanted or sha256_of(path) == record.sha256)


def _drop_unfinished(layout: DatasetLayout, plan: Plan, identity: str) -> int:
    """Remove shards with the person in them that are not done as planned, and return the number of files.

    `headshot preprocess` makes them again, without the person. Shards of others are left alone, whatever state they
    are in; a file that cannot be read could show anybody.
    """
    planned = {shard.name: shard.sha256(plan.config) for shard in plan.shards}
    dropped = 0
    files = sorted(layout.files_of_shards(), key=lambda path: path.stem)
    dropped = 0
    for name, of_shard in itertools.groupby(files, key=lambda path: path.stem):
        record = read_record(layout, name)
        if record is not None and record.plan_sha256 == planned.get(name):
            continue
        people = people_in(layout.shard(name))
        if people is None or identity in people:
            for path in of_shard:
                path.unlink()
                dropped += 1
    return dropped


def _kept(record: ShardRecord, identity: str) -> tuple[ClipRecord, ...]:
    """Return the clips of the others at their new places."""
    kept: list[ClipRecord] = []
    first_row = row_group = 0
    for clip in record.clips:
        if clip.clip.identity != identity:
            kept.append(clip.model_copy(update={"first_row": first_row, "row_group": row_group}))
            first_row, row_group = first_row + clip.frames, row_group + clip.row_groups
    return tuple(kept)


def _rejects(record: ShardRecord, shard: ShardPlan, takedown: Takedown) -> tuple[RejectRecord, ...]:
    """Return the rejects of the others and, for every clip of the person, that they withdrew; in planned order."""
    known = {reject.clip.key: reject for reject in record.rejects}
    verdict = withdrawn_on(takedown.day)
    left = {
        clip.key: RejectRecord(clip=clip, reason=verdict.reason, detail=verdict.detail)
        for clip in shard.clips
        if clip.identity == takedown.identity
    }
    found = {**known, **left}
    return tuple(found[clip.key] for clip in shard.clips if clip.key in found)


def _describe(layout: DatasetLayout, plan: Plan) -> int:
    """Write what describes the dataset as a whole and return the number of files; 0 if it is right already.

    Where shards are missing, or the descriptions never were finished, they are removed: they could show the person,
    and `headshot preprocess` writes them.
    """
    records = [read_record(layout, shard.name) for shard in plan.shards]
    done = [record for record in records if record is not None]
    if len(done) < len(records) or not layout.info.is_file():
        present = [path for path in (*layout.files_of_dataset(), layout.statistics) if path.is_file()]
        for path in present:
            path.unlink()
        return len(present)
    old = DatasetInfo.model_validate_json(layout.info.read_text(encoding="utf-8"))
    info = add_up(plan, done, old.scheme, old.weights)
    if layout.is_finished_as(info_text(info)):
        return 0
    write_description(layout, info, done)
    return len(layout.files_of_dataset())


def _without(plan: Plan, takedown: Takedown) -> Plan:
    left = {takedown.identity: takedown.day}
    shards = (
        shard.model_copy(update={"clips": tuple(as_planned(clip, left) for clip in shard.clips)})
        for shard in plan.shards
    )
    return plan.model_copy(update={"shards": tuple(shards)})


def _is_bare(clip: Clip) -> bool:
    return isinstance(clip.source, FileSource) and not clip.source.path


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


def _groups_of(clips: Iterable[ClipRecord], identity: str) -> list[int]:
    return [
        clip.row_group + group for clip in clips if clip.clip.identity == identity for group in range(clip.row_groups)
    ]


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
