"""Frozen tasks: which frames a system adapts to, and which it must then synthesise."""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from eval.tasks.motion import StrataBounds, Stratum
from eval.tasks.protocols import RULES, Protocol
from eval.tasks.queries import Query, QueryFrame
from pipeline.store import Store
from weights.errors import HeadshotError
from weights.files import publish_text
from weights.record import Record


class Task(Record):
    """Adapt to `support`, then synthesise `queries`: one person, one number of shots, one draw."""

    id: str
    """Safe as a file name."""
    identity: str
    """Who is to be shown."""
    clip: str
    """Key of the clip that the support is from."""
    shots: Annotated[int, Field(ge=1)]
    draw: Annotated[int, Field(ge=0)]
    """Which of several random choices of the support frames this is."""
    support: tuple[int, ...]
    """Rows of the clip, in the order drawn: the first T of a longer support are the support at T shots."""
    queries: tuple[Query, ...]
    """What to draw: the same frames in the same strata at every number of shots."""
    driver: str | None = None
    """Who drives, where that is somebody else; then `queries` are frames of theirs, and there is no target."""
    real: tuple[Query, ...] = ()
    """Where there is no target: as many frames of the person as are drawn, which the support is not from."""

    @property
    def frames(self) -> tuple[QueryFrame, ...]:
        """The frames to draw, one by one in order."""
        return tuple(frame for query in self.queries for frame in query.frames)

    def sha256(self) -> str:
        """Return the hash of what a system is asked: all but the strata, which depend on the other numbers of shots."""
        asked = self.model_dump(mode="json", exclude={"queries": {"__all__": {"strata"}}, "real": True})
        return _sha256({name: value for name, value in asked.items() if value is not None})


class SkippedClip(Record):
    """A test clip without tasks, and why."""

    clip: str
    reason: str


class TaskSet(Record):
    """Every task of a benchmark, with what they were drawn from. All are of one protocol."""

    schema_version: Literal[3] = 3
    protocol: Protocol = "self"
    manifest_sha256: str
    seed: int
    size_px: int
    shots: tuple[int, ...]
    draws: tuple[int, ...]
    """Support draws of each clip, one number for each of `shots`."""
    query_frames: int
    strata: StrataBounds
    people: int
    """In the split test, with or without tasks."""
    limit: int | None = None
    """For a quick look: at most so many people, one clip of each, few frames."""
    pairs_sha256: str | None = None
    """Of the list that says who drives whom, where one was given."""
    tasks: tuple[Task, ...]
    skipped: tuple[SkippedClip, ...] = ()

    @property
    def across(self) -> bool:
        """Whether another person drives."""
        return RULES[self.protocol].across

    @property
    def caveats(self) -> tuple[str, ...]:
        """What must stand beside every number: how this falls short of the protocol that it is named after."""
        rules, clips = RULES[self.protocol], len({task.clip for task in self.tasks})
        short = [f"{clips} of {rules.videos} videos"] if rules.videos and clips < rules.videos else []
        if rules.size_px and self.size_px != rules.size_px:
            short.append(f"{self.size_px} instead of {rules.size_px} pixels")
        named = [f"{rules.title} with {' and '.join(short)}"] if short else []
        if self.limit is None:
            return tuple(named)
        return (
            *named,
            f"quick look (--limit {self.limit}): {len(self.identities())} of {self.people} people, one clip of each, "
            f"{self.query_frames} frames a clip",
        )

    @property
    def label(self) -> str:
        """The protocol and its caveats, in words."""
        title = RULES[self.protocol].title
        return "; ".join((*([] if any(one.startswith(title) for one in self.caveats) else [title]), *self.caveats))

    def sha256(self) -> str:
        """Return the hash of the content; two benchmarks are comparable where it is equal."""
        return _sha256(self.model_dump(mode="json"))

    def identities(self) -> tuple[str, ...]:
        """Return the people under test, sorted."""
        return tuple(sorted({task.identity for task in self.tasks}))

    def frame_count(self, stratum: Stratum | None = None) -> int:
        """Return how many frames are drawn at each number of shots in the first draw, of a stratum where given."""
        first = (task for task in self.tasks if task.shots == self.shots[0] and task.draw == 0)
        return sum(stratum in (None, frame.stratum) for task in first for frame in task.frames)

    def check(self, store: Store) -> None:
        """Refuse a data set that these tasks were not made from.

        Raises:
            HeadshotError: It is of another manifest, or lacks a clip or a row with a face that a task names.
        """
        if self.manifest_sha256 != store.info.manifest_sha256:
            raise HeadshotError(
                f"the tasks were made from manifest {self.manifest_sha256[:12]}, the data set {store.root} from "
                f"{store.info.manifest_sha256[:12]}; make the tasks anew or open their data set"
            )
        named: dict[str, set[int]] = {}
        for task in self.tasks:
            named.setdefault(task.clip, set()).update(task.support)
            for query in (*task.queries, *task.real):
                named.setdefault(query.clip, set()).update(query.rows)
        for key, rows in named.items():
            missing = rows.difference(store.usable_rows(store.clip(key)).tolist())
            if missing:
                raise HeadshotError(
                    f"the tasks name row {min(missing)} of clip {key}, which has no face in the data set {store.root}: "
                    "it was preprocessed in another way; make the tasks anew or open their data set"
                )

    def save(self, path: Path) -> None:
        """Write the tasks as JSON with their hash, all or nothing."""
        publish_text(path, json.dumps({"sha256": self.sha256(), **self.model_dump(mode="json")}, indent=1))

    @classmethod
    def load(cls, path: Path) -> "TaskSet":
        """Read tasks written by `save`, of this version or of the one before.

        Raises:
            HeadshotError: The file is missing, is no task set, or was changed after it was written.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            sha256 = content.pop("sha256", None)
            tasks = cls.model_validate_json(json.dumps(_upgraded(content)))
        except FileNotFoundError:
            raise HeadshotError(
                f"no tasks at {path}; make them with `headshot tasks make`, or run the benchmark"
            ) from None
        except (ValidationError, ValueError, AttributeError) as error:
            raise HeadshotError(f"{path} is not a task set of this version: {error}") from None
        if sha256 not in (None, tasks.sha256()):
            raise HeadshotError(
                f"{path} was changed after it was written: it has the hash {tasks.sha256()[:12]} and says "
                f"{sha256[:12]}; fetch it again, or make tasks of your own with `headshot tasks make`"
            )
        return tasks


def clips_in(task_id: str) -> tuple[str, ...]:
    """Return the keys of the clips that a task is about: of the person, and of who else drives.

    Names of people, videos and clips have no plus sign.
    """
    parts = task_id.split("+")
    return tuple("/".join(part) for part in (parts[:3], parts[6:9]) if part)


def _upgraded(content: dict[str, object]) -> dict[str, object]:
    """Return the content of a file of version 2, which knew one protocol and one number of draws, as of version 3."""
    if content.get("schema_version") != 2:
        return content
    tasks, shots, draws = content["tasks"], content["shots"], content["draws"]
    if not isinstance(tasks, list) or not isinstance(shots, list):
        return content
    people = len({task["identity"] for task in tasks})
    return {**content, "schema_version": 3, "draws": [draws] * len(shots), "people": people}


def _sha256(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
