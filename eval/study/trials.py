"""From blocks to trials: which frame of a system, which real frames of the person, where on the page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from eval.rendering import predictions
from eval.runs.results import Run
from eval.study.blocks import Block, Cell
from eval.study.key import GeneratedFrame, LeftOut, RealFrame, Trial, Undelivered, trial_id
from eval.tasks.task_set import Task
from pipeline.store import ClipEntry, Store

APART = 0.05
"""Two frames of one clip that are shown together lie this share of the clip apart, where it has as many frames."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """Which frames of the tasks of a system are there."""

    tasks: Mapping[Cell, tuple[Task, ...]]
    missing: Mapping[tuple[str, str], frozenset[int]]
    """Places that a system did not deliver, by its name and the task."""

    @classmethod
    def of(cls, run: Run, systems: Sequence[str]) -> "Delivered":
        """Look through the predictions of a run; no picture is read."""
        tasks: dict[Cell, tuple[Task, ...]] = {}
        missing = {}
        for system in systems:
            for task in run.tasks.tasks:
                cell = Cell(system, task.shots, task.identity)
                tasks[cell] = (*tasks.get(cell, ()), task)
                header = predictions.header(run.folder, system, task)
                failed = range(len(task.frames)) if header is None else header.failures
                missing[system, task.id] = frozenset(failed)
        return cls(tasks=tasks, missing=missing)

    def counted(self) -> tuple[Undelivered, ...]:
        """Return how many frames each system owes at each number of shots."""
        totals: dict[tuple[str, int], list[int]] = {}
        for cell, tasks in self.tasks.items():
            total = totals.setdefault((cell.system, cell.shots), [0, 0])
            for task in tasks:
                total[0] += len(task.frames)
                total[1] += len(self.missing[cell.system, task.id])
        return tuple(
            Undelivered(system=system, shots=shots, frames=frames, undelivered=undelivered)
            for (system, shots), (frames, undelivered) in totals.items()
        )


def make_trials(
    design: Sequence[Block],
    delivered: Delivered,
    store: Store,
    *,
    catch: int,
    secret: str,
    rng: np.random.Generator,
) -> tuple[tuple[Trial, ...], tuple[LeftOut, ...]]:
    """Return the trials of all forms in the order in which they are shown, and those that could not be made.

    The generated frame is drawn from all that the system was asked for, so that it also hits frames that were not
    delivered; such a trial is left out and counted.

    Args:
        design: The cells of each form.
        delivered: What the systems delivered.
        store: The data set, for real frames.
        catch: Catch trials in each form.
        secret: Of the study: names of trials are made from it.
        rng: What is drawn from what is possible.
    """
    footage = _Footage.of(store)
    people = sorted({cell.identity for block in design for cell in block})
    trials: list[Trial] = []
    left_out: list[LeftOut] = []
    for form, block in enumerate(design, start=1):
        drafts: list[Trial] = []
        for cell in block:
            made = _trial(cell, delivered, footage, rng)
            if isinstance(made, Trial):
                drafts.append(made)
            else:
                left_out.append(LeftOut(form=form, **cell._asdict(), reason=made))
        for place in range(catch):
            identity = people[(form * catch + place) % len(people)]
            made = _catch_trial(identity, footage, rng)
            if isinstance(made, Trial):
                drafts.append(made)
            else:
                left_out.append(LeftOut(form=form, system="", shots=0, identity=identity, reason=made))
        order = rng.permutation(len(drafts))
        trials += [
            drafts[draft].model_copy(update={"form": form, "id": trial_id(secret, form, place)})
            for place, draft in enumerate(order)
        ]
    return tuple(trials), tuple(left_out)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Footage:
    """The recordings of the people under test."""

    store: Store
    clips: Mapping[str, tuple[ClipEntry, ...]]

    @classmethod
    def of(cls, store: Store) -> "_Footage":
        clips: dict[str, tuple[ClipEntry, ...]] = {}
        for clip in store.clips:
            if clip.split == "test" and clip.usable_frames:
                clips[clip.identity] = (*clips.get(clip.identity, ()), clip)
        return cls(store=store, clips=clips)

    def real_frames(
        self, identity: str, taken: Mapping[str, Sequence[int]], own: str, rng: np.random.Generator
    ) -> tuple[RealFrame, RealFrame] | None:
        """Return two frames of a person, of two clips that are not `own` where there are, else of two, else of one.

        Args:
            identity: Who.
            taken: Rows by clip that are not to be shown; rows near them are avoided.
            own: Key of the clip that the fake is a frame of.
            rng: What is drawn.
        """
        clips = self.clips.get(identity, ())
        order = [clips[place] for place in rng.permutation(len(clips))]
        order.sort(key=lambda clip: clip.key == own)  # stable: the fake's own clip comes last
        chosen: list[RealFrame] = []
        for clip in [*order, *order]:  # a second time round where there is one clip only
            others = [*taken.get(clip.key, ()), *(one.row for one in chosen if one.clip == clip.key)]
            rows = _away_from(self.store.usable_rows(clip), others)
            if len(rows):
                chosen.append(RealFrame(clip=clip.key, row=int(rng.choice(rows))))
            if len(chosen) == 2:
                return chosen[0], chosen[1]
        return None


def _away_from(rows: Int[np.ndarray, " rows"], others: Sequence[int]) -> Int[np.ndarray, " rest"]:
    """Return the rows that are not among others, and not near them where that leaves any."""
    if not len(rows) or not others:
        return rows
    distance = np.abs(rows[:, None] - np.asarray(others)[None]).min(axis=1)
    apart = rows[distance >= max(1, round(APART * (int(rows[-1]) - int(rows[0]))))]
    return np.asarray(apart if len(apart) else rows[distance > 0])


def _trial(cell: Cell, delivered: Delivered, footage: _Footage, rng: np.random.Generator) -> Trial | str:
    """Return a trial without form and name, or the reason why there is none."""
    tasks = delivered.tasks.get(cell)
    if not tasks:
        return "not_run"
    task = tasks[int(rng.integers(len(tasks)))]
    place = int(rng.integers(len(task.frames)))
    if place in delivered.missing[cell.system, task.id]:
        return "not_delivered"
    target = task.frames[place]
    taken = {task.clip: [*task.support]}
    taken.setdefault(target.clip, []).append(target.row)
    real = footage.real_frames(cell.identity, taken, target.clip, rng)
    if real is None:
        return "too_few_real_frames"
    fake = GeneratedFrame(task=task.id, place=place)
    return Trial(id="", form=0, **cell._asdict(), fake=fake, real=real, answer=int(rng.integers(3)))


def _catch_trial(identity: str, footage: _Footage, rng: np.random.Generator) -> Trial | str:
    """Return a trial whose fake anybody sees: a third real frame, to be shown distorted."""
    clips = footage.clips.get(identity, ())
    usable = [clip for clip in clips if len(footage.store.usable_rows(clip))]
    if not usable:
        return "too_few_real_frames"
    clip = usable[int(rng.integers(len(usable)))]
    fake = RealFrame(clip=clip.key, row=int(rng.choice(footage.store.usable_rows(clip))))
    real = footage.real_frames(identity, {clip.key: [fake.row]}, clip.key, rng)
    if real is None:
        return "too_few_real_frames"
    return Trial(id="", form=0, identity=identity, fake=fake, real=real, answer=int(rng.integers(3)))
