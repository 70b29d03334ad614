"""From a finished benchmark to the folder of a study: forms for raters, debriefings, and the answer key apart."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from eval.rendering import predictions
from eval.runs.results import Run
from eval.study.blocks import blocks
from eval.study.key import KEY_FILE, GeneratedFrame, RealFrame, StudiedSystem, StudyKey, StudyOptions, study_name
from eval.study.trials import Delivered, make_trials
from pipeline.store import Store
from reports.build import opened
from reports.legend import Family, legend
from reports.study.debrief import render_debriefing
from reports.study.form import Credit, render_form
from reports.study.jspsych import JsPsych
from reports.study.pictures import encode, equally_long, swirled
from weights.errors import HeadshotError
from weights.files import publish_text

PAGES, DEBRIEFINGS = "page", "debriefing"
"""Folders: the first one goes to raters; the second, like the key, only to people who have answered."""

Three = tuple[bytes, bytes, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for."""

    options: StudyOptions
    systems: tuple[str, ...] = ()
    """All that do not show recorded frames, where there are none."""
    shots: tuple[int, ...] = ()
    """All of the run, where there are none."""


def build_study(run_dir: Path, data_root: Path | str, out_dir: Path, wanted: Wanted, jspsych: JsPsych) -> StudyKey:
    """Write the folder of a study and return its key.

    The key comes first and holds all that was drawn, so the same command makes the same pages again, and goes on where
    it was stopped.

    Args:
        run_dir: Folder of a finished benchmark.
        data_root: Its data set, for real frames.
        out_dir: Gets `page/`, `debriefing/` and `key.json`.
        wanted: Which systems, and how many forms and trials.
        jspsych: The program that runs the trials.

    Raises:
        HeadshotError: The run is not finished, the data set is another one, or the folder holds another study.
    """
    run, store = opened(run_dir, data_root)
    return write_study(run.split()[0], store, out_dir, wanted, jspsych)


def write_study(run: Run, store: Store, out_dir: Path, wanted: Wanted, jspsych: JsPsych) -> StudyKey:
    """Write the folder of a study, see `build_study`, of a run without its references."""
    key = _same(StudyKey.load(out_dir), run, wanted, out_dir) if (out_dir / KEY_FILE).exists() else None
    if key is None:
        key = make_key(run, store, wanted, secrets.token_hex(32))
        key.save(out_dir)
    pictures = shown_pictures(key, run, store)
    for form in range(1, key.options.forms + 1):
        name = f"form-{form:0{len(str(key.options.forms))}}.html"
        of_form = [pictures[trial.id] for trial in key.of_form(form)]
        terms = _credits(key, form, store)
        publish_text(out_dir / PAGES / name, render_form(key, form, of_form, terms, jspsych))
        publish_text(out_dir / DEBRIEFINGS / name, render_debriefing(key, form, of_form))
    return key


def make_key(run: Run, store: Store, wanted: Wanted, secret: str) -> StudyKey:
    """Return the key of a new study; everything random follows from the secret.

    Args:
        run: The benchmark, without its references.
        store: Its data set.
        wanted: Which systems, and how many forms and trials.
        secret: 64 hexadecimal digits that nobody can guess.

    Raises:
        HeadshotError: A system or a number of shots is not in the run, or no trial can be made.
    """
    rng = np.random.default_rng(int(secret, 16))
    systems, shots = _systems(run, wanted.systems), _shots(run, wanted.shots)
    names = [system.name for system in systems]
    delivered = Delivered.of(run, names)
    options = wanted.options
    design = blocks(names, shots, run.tasks.identities(), forms=options.forms, trials=options.trials, rng=rng)
    trials, left_out = make_trials(design, delivered, store, catch=options.catch, secret=secret, rng=rng)
    if not any(trial.system for trial in trials):
        reasons = ", ".join(sorted({one.reason for one in left_out}))
        raise HeadshotError(f"no trial can be made of {run.folder}: {reasons or 'no form has one'}")
    return StudyKey(
        study=study_name(secret),
        secret=secret,
        options=options,
        title=run.record.dataset.title,
        size_px=run.tasks.size_px,
        tasks_sha256=run.record.tasks_sha256,
        manifest_sha256=run.record.dataset.manifest_sha256,
        systems=systems,
        shots=tuple(shots),
        trials=trials,
        left_out=left_out,
        delivery=tuple(one for one in delivered.counted() if one.shots in shots),
    )


def studied(run: Run, systems: Sequence[str] = ()) -> list[str]:
    """Return the systems that a study is about: those asked for, else all that do not show recorded frames."""
    keys = legend([(one.name, one.title) for one in run.record.systems])
    return list(systems) or [name for name, key in keys.items() if key.family is not Family.COPY]


def shown_pictures(key: StudyKey, run: Run, store: Store) -> Mapping[str, Three]:
    """Return the three pictures of every trial in their order on the page, all encoded alike and equally long.

    Args:
        key: Of the study.
        run: The benchmark whose predictions are shown.
        store: Its data set.
    """
    generated = _generated(key, run)
    files: list[bytes] = []
    for trial in key.trials:
        real = [_recorded(store, one, key.size_px) for one in trial.real]
        fake = (
            generated[trial.system, trial.fake.task, trial.fake.place]
            if isinstance(trial.fake, GeneratedFrame)
            else encode(swirled(_recorded(store, trial.fake, key.size_px)))
        )
        three = [encode(one) for one in real]
        three.insert(trial.answer, fake)
        files += three
    files = equally_long(files)
    return {
        trial.id: (files[3 * place], files[3 * place + 1], files[3 * place + 2])
        for place, trial in enumerate(key.trials)
    }


def _generated(key: StudyKey, run: Run) -> dict[tuple[str, str, int], bytes]:
    """Return every generated frame that is shown, encoded; each prediction is read once."""
    tasks = {task.id: task for task in run.tasks.tasks}
    wanted: dict[tuple[str, str], set[int]] = {}
    for trial in key.trials:
        if isinstance(trial.fake, GeneratedFrame):
            wanted.setdefault((trial.system, trial.fake.task), set()).add(trial.fake.place)
    found = {}
    for (system, task), places in wanted.items():
        frames = predictions.load(run.folder, system, tasks[task])
        found.update({(system, task, place): encode(frames[place]) for place in places})
    return found


def _recorded(store: Store, frame: RealFrame, size_px: int) -> UInt8[np.ndarray, "size size 3"]:
    return np.asarray(store.frames(store.clip(frame.clip), [frame.row], size_px)[0])


def _credits(key: StudyKey, form: int, store: Store) -> list[Credit]:
    """Return whom the recordings on a form are by, each once."""
    clips = {one.clip for trial in key.of_form(form) for one in trial.real}
    found = {(store.clip(clip).credit, store.clip(clip).licence) for clip in clips}
    return [Credit(credit=credit, licence=licence) for credit, licence in sorted(found)]


def _systems(run: Run, asked: Sequence[str]) -> tuple[StudiedSystem, ...]:
    known = {system.name: system for system in run.record.systems}
    names = studied(run, asked)
    absent = [name for name in names if name not in known]
    if absent or not names:
        raise HeadshotError(
            f"--systems {','.join(asked)}: {run.folder} has {', '.join(known)}, of which those that show recorded "
            f"frames have to be asked for by name; {', '.join(absent) or 'nothing else'} is not there"
        )
    keys = legend([(name, known[name].title) for name in names])
    return tuple(
        StudiedSystem(name=name, title=known[name].title, config=known[name].config, mark=keys[name].mark)
        for name in names
    )


def _shots(run: Run, asked: Sequence[int]) -> list[int]:
    absent = sorted(set(asked) - set(run.tasks.shots))
    if absent:
        raise HeadshotError(
            f"--shots {','.join(map(str, asked))}: {run.folder} was run at {', '.join(map(str, run.tasks.shots))} shots"
        )
    return list(asked or run.tasks.shots)


def _same(key: StudyKey, run: Run, wanted: Wanted, out_dir: Path) -> StudyKey:
    """Return the key of the study that is in the folder, where it is the one asked for."""
    asked = _systems(run, wanted.systems), tuple(_shots(run, wanted.shots)), wanted.options, run.record.tasks_sha256
    if asked != (key.systems, key.shots, key.options, key.tasks_sha256):
        raise HeadshotError(
            f"{out_dir} holds study {key.study} with other systems, shots, options or tasks, and without its key the "
            "answers to it are worth nothing; give another folder (--out)"
        )
    return key
