"""The player as data: which clips it has, and what the page needs to show them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from eval.features import stored_features
from eval.specs.spec import MetricSpec
from eval.tasks.task_set import Task
from reports.findings import Findings
from reports.legend import SystemKey
from reports.media import Media
from reports.numbers import plural
from reports.player.clips import ClipEncoder, published
from reports.player.heat import FULL_LEVELS, difference_matrix, legend_stops, transfer_tables
from reports.player.scores import LOWEST, Digits
from reports.table import Column

MOST_SHEETS = 360
"""Of what systems drew: marking and signing each takes most of the time of a large report. A number, and not a time, so
that a run has the same clips in its player wherever its report is made."""
MOST_MEDIA_BYTES = 40_000_000
"""Of sheets beside the page: about 300 of 32 frames of 128 pixels."""
MOST_DATA_BYTES = 600_000
"""Of scores inside the page, which has to stay below 2 MB."""
ROOM_SHARE = 0.6
"""Of the room left in a page that carries its media itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorScale:
    """The error map for the template."""

    matrix: str
    tables: tuple[str, str, str]
    stops: tuple[tuple[str, str], ...]
    full_percent: int
    """Of the brightness range: the difference that has the last colour."""


ERROR_SCALE = ErrorScale(
    matrix=difference_matrix(),
    tables=transfer_tables(),
    stops=legend_stops(),
    full_percent=round(100 * FULL_LEVELS / 256),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """What the player of a page shows."""

    data: Mapping[str, object]
    """For the script, as JSON."""
    note: str
    """Which clips are left out, and why; empty where none is."""
    across: bool
    """Another person drives, so there is no target."""
    gaze: bool
    found: bool
    """Whether there are landmarks of generated frames."""
    errors: ErrorScale = ERROR_SCALE


def player(found: Findings) -> Player | None:
    """Publish as many clips as there is room for, everybody once before anybody twice.

    Returns:
        None where there is no room for one clip.
    """
    run = found.run
    metrics = [pair for pair in zip(found.specs, found.table.columns, strict=True) if pair[0].level == "frame"]
    encoder = ClipEncoder(
        run=run,
        store=found.store,
        keys=found.keys,
        digits=tuple(Digits(metric=spec.id, places=column.places) for spec, column in metrics),
        landmarks=stored_features(run.folder / "features", "landmarks."),
        marks=found.media.marks,
    )
    shots = run.tasks.shots[-1:] if found.media.inside else run.tasks.shots
    order = by_clip([task for task in run.tasks.tasks if task.shots in shots])
    clips = tuple(_that_fit(encoder, order, found.media))
    if not clips:
        return None
    return Player(
        data={
            "systems": [_system(key) for key in found.keys.values()],
            "shots": shots,
            "metrics": [_metric(spec, column) for spec, column in metrics],
            "lowest": LOWEST,
            "across": run.tasks.across,
            "clips": clips,
        },
        note=_note(len(clips), found.clips, run.tasks.shots, shots),
        across=run.tasks.across,
        gaze=any(clip["gaze"] for clip in clips),
        found=bool(encoder.landmarks),
    )


def _that_fit(encoder: ClipEncoder, order: Sequence[Sequence[Task]], media: Media) -> Iterator[Mapping[str, object]]:
    """Publish clips and yield them, until one would be too much beside the page or in it."""
    most_media_bytes = MOST_MEDIA_BYTES if media.room_bytes is None else int(ROOM_SHARE * media.room_bytes)
    media_bytes = data_bytes = 0
    for count, tasks in enumerate(order, start=1):
        if count > 1 and count * len(tasks) * len(encoder.keys) > MOST_SHEETS:
            return
        clip = encoder.encode(tasks)
        media_bytes, data_bytes = media_bytes + clip.media_bytes, data_bytes + clip.data_bytes
        if media_bytes > most_media_bytes or data_bytes > MOST_DATA_BYTES:
            return
        yield published(clip, media)


def by_clip(tasks: Sequence[Task]) -> list[tuple[Task, ...]]:
    """Return the tasks of the first draw, clip by clip, so that everybody's first clip comes before anybody's second.

    The tasks of a clip are in the order of their numbers of shots.
    """
    of_clip: dict[str, list[Task]] = {}
    for task in tasks:
        if task.draw == 0:
            of_clip.setdefault(task.clip, []).append(task)
    seen: dict[str, int] = {}
    ranked = []
    for own in of_clip.values():
        rank = seen[own[0].identity] = seen.get(own[0].identity, 0) + 1
        ranked.append((rank, tuple(sorted(own, key=lambda task: task.shots))))
    return [own for _, own in sorted(ranked, key=lambda pair: pair[0])]


def _system(key: SystemKey) -> dict[str, object]:
    return {
        "name": key.name,
        "place": key.place,
        "marker": key.marker,
        "dash": key.dash,
        "mark": key.mark,
        "pictures": key.pictures,
    }


def _metric(spec: MetricSpec, column: Column) -> dict[str, object]:
    return {
        "id": spec.id,
        "title": column.title,
        "arrow": column.arrow,
        "direction": column.direction,
        "higher": spec.higher_is_better,
        "places": column.places,
        "unit": column.unit,
    }


def _note(shown: int, clips: int, asked: Sequence[int], shots: Sequence[int]) -> str:
    """Say what of the run is not in the player."""
    verb = "is" if shown == 1 else "are"
    some = (
        f"{shown} of {plural(clips, 'clip')} {verb} here, everybody once before anybody twice, to keep this page light."
        " The tables cover all of them."
    )
    alone = f"In one file it has {plural(shots[-1], 'shot')} alone."
    return " ".join([*([some] if shown < clips else []), *([alone] if len(shots) < len(asked) else [])])
