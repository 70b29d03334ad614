"""Take a person out of a dataset, in an order that a kill cannot harm: the same call finishes what is left.

Every shard that was planned with the person is written again without, published over the old one and recorded; then
the plan, and the files that describe the whole. The person stays as rows of `rejects.parquet` with the reason
`withdrawn`, and in `withdrawn.json`, which every later run obeys. What has to be known until the end is written down
before (`pipeline.takedown_notes`).
"""

import itertools
from dataclasses import dataclass
from pathlib import Path

from pipeline.claim import claimed
from pipeline.dataset_info import DatasetInfo
from pipeline.description import info_text, write_description
from pipeline.layout import DatasetLayout
from pipeline.picture_shard import read_pictures
from pipeline.plan import Plan, ShardPlan, read_plan, withdraw
from pipeline.records import ClipRecord, RejectRecord, ShardRecord, read_record
from pipeline.shard_filter import people_in, plan_in, write_without
from pipeline.shard_writer import ShardPaths, WrittenShard
from pipeline.shards import commit_shard
from pipeline.sound_shard import PARQUET_OPTIONS as SOUND_OPTIONS
from pipeline.summary import add_up
from pipeline.takedown_notes import Takedown
from pipeline.verdicts import withdrawn_on
from pipeline.versions import parse
from weights.errors import HeadshotError
from weights.files import publish_text, sha256_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a takedown did to the files of one kind."""

    what: str
    files: int
    rows: int
    unit: str
    """What the rows are, in the plural."""


def take_out(root: Path, takedown: Takedown) -> tuple[Change, ...]:
    """Remove the person from the dataset and return what changed.

    Raises:
        HeadshotError: Another run is at work in the dataset.
    """
    layout = DatasetLayout(root.resolve())
    with claimed(layout.root):
        layout.remove_stale_files()
        plan = read_plan(layout)
        new = withdraw(plan, takedown.identity, takedown.day)
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
    sounds = [cut.sounds for cut in cuts if cut.sounds is not None]
    changes = (
        Change(what="shards", files=len(cuts), rows=sum(cut.frames for cut in cuts), unit="frames"),
        Change(what="sound", files=len(sounds), rows=sum(sounds), unit="clips"),
        Change(
            what="pictures of rejected clips",
            files=sum(1 for cut in cuts if cut.pictures),
            rows=sum(cut.pictures for cut in cuts),
            unit="clips",
        ),
        Change(what="byte indexes and records", files=2 * len(cuts), rows=sum(cut.clips for cut in cuts), unit="clips"),
        Change(what="unfinished or damaged shards, dropped", files=dropped, rows=0, unit=""),
        Change(what="plan", files=int(replanned), rows=clips * replanned, unit="clips"),
        Change(what="index, rejects, card, descriptions", files=described, rows=clips * bool(described), unit="clips"),
    )
    return tuple(change for change in changes if change.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cut:
    """What was taken from a shard."""

    clips: int
    frames: int
    sounds: int | None
    """None where sound is not kept."""
    pictures: int
    """Of rejected clips."""


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
    pictures = _pictures(layout, record.name)
    others = {clip.key for clip in after.clips if clip.identity != takedown.identity}
    written = WrittenShard(
        clips=_kept(record, takedown.identity),
        rejects=_rejects(record, after, takedown),
        pictures={key: picture for key, picture in pictures.items() if key in others},
    )

    def write(paths: ShardPaths) -> WrittenShard:
        write_without(layout.shard(after.name), takedown.identity, paths.shard, wanted)
        if paths.audio is not None:
            write_without(layout.audio(after.name), takedown.identity, paths.audio, wanted, lambda _: SOUND_OPTIONS)
        return written

    made = commit_shard(layout, after, plan.config, write)
    sounds = record.audio.rows - made.audio.rows if record.audio and made.audio else None
    removed = len(pictures) - len(written.pictures)
    return _Cut(clips=len(gone), frames=sum(gone), sounds=sounds, pictures=removed)


def _pictures(layout: DatasetLayout, shard: str) -> dict[str, bytes]:
    """Return the pictures of the rejected clips of a shard; a damaged file could show anybody, and is not kept."""
    try:
        return read_pictures(layout.pictures(shard))
    except HeadshotError:
        return {}


def _can_be_cut(layout: DatasetLayout, record: ShardRecord, wanted: str) -> bool:
    """Return whether each file is the recorded one, or one that a killed takedown wrote and did not record."""
    expected = {layout.shard(record.name): record.sha256}
    if record.audio is not None:
        expected[layout.audio(record.name)] = record.audio.sha256
    return all(
        path.is_file() and (plan_in(path) == wanted or sha256_of(path) == sha256) for path, sha256 in expected.items()
    )


def _drop_unfinished(layout: DatasetLayout, plan: Plan, identity: str) -> int:
    """Remove shards with the person in them that are not done as planned, and return the number of files.

    `headshot preprocess` makes them again, without the person. Shards of others are left alone, whatever state they
    are in; a file that cannot be read could show anybody.
    """
    planned = {shard.name: shard.sha256(plan.config) for shard in plan.shards}
    files = sorted(layout.files_of_shards(), key=lambda path: path.stem)
    dropped = 0
    for name, group in itertools.groupby(files, key=lambda path: path.stem):
        of_shard = list(group)
        record = read_record(layout, name)
        if record is not None and record.plan_sha256 == planned.get(name):
            continue
        found = [people_in(path) for path in of_shard if path.suffix == ".parquet"]
        if not found or any(people is None or identity in people for people in found):
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
    old = parse(DatasetInfo, layout.info.read_bytes(), str(layout.info))
    info = add_up(plan, done, old.scheme, old.weights)
    if layout.is_finished_as(info_text(info)):
        return 0
    write_description(layout, info, done)
    return len(layout.files_of_dataset())
