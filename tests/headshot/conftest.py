"""A working folder with everything in it, made by the stages themselves from drawn people."""

import fcntl
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from eval.benchmark import benchmark
from eval.specs.image import PSNR, SSIM
from eval.systems.baselines import CopySource, MeanFrame
from eval.tasks.making import make_tasks
from headshot.cli import main
from model.content import ContentLoss
from model.presets import Preset, preset
from model.training import train
from pipeline.store import Store
from reports.build import build_report
from reports.dataset_page import build_dataset_page
from tests.model.conftest import random_content
from tests.pipeline.conftest import SMALL, clip_of, disc_frames, discs_for_faces, encode_video, manifest_of, run

PEOPLE = {"ann": "train", "bobby": "train", "cy": "test", "dora": "test", "eve": "test"}


def one_step() -> Preset:
    """Return the tiny preset, cut down to one step."""
    tiny = preset("tiny")
    return tiny.model_copy(update={"meta_learning": tiny.meta_learning.model_copy(update={"steps": 1})})


def train_without_downloads(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Stand random weights in for the content network."""
    (folder / "weights").write_bytes(b"random")
    patch.setattr("model.content.fetch", lambda _: folder / "weights")
    patch.setattr(ContentLoss, "pretrained", classmethod(lambda *_: random_content()))


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder after `make benchmark`: videos, data, run, report. Not to be changed."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent  # of all workers: the first one who wants it makes it
    with (shared / "finished.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "finished").exists():
            # Nothing in it holds its own address, or a copy of it would not work either.
            _finish(tmp_path_factory.mktemp("unfinished")).rename(shared / "finished")
    return shared / "finished"


def _finish(root: Path) -> Path:
    (root / "raw").mkdir()
    films = [
        encode_video(root / "raw" / f"{name}.mp4", disc_frames(44, [(50 + 11 * number, 60, 22 + number)]))
        for number, name in enumerate(PEOPLE)
    ]
    clips = [clip_of(Path("raw") / film.name, split=PEOPLE[film.stem], credit=f"by {film.stem}") for film in films]
    with pytest.MonkeyPatch.context() as patch:
        train_without_downloads(patch, root)
        with discs_for_faces():
            run(manifest_of(*clips), root / "data", SMALL)
        store = Store.open(root / "data")
        train(store, one_step(), root / "run" / "checkpoint", device="cpu")
        tasks = make_tasks(store, [1, 8], size_px=64)
        benchmark(store, [CopySource(), MeanFrame()], tasks, root / "run", specs=[SSIM, PSNR])
        build_report(root / "run", root / "data", root / "report")
        build_dataset_page(root / "data")
    return root


@pytest.fixture
def place(finished: Path, tmp_path: Path) -> Path:
    """The same folder, to be changed."""
    return Path(shutil.copytree(finished, tmp_path / "work"))


@pytest.fixture
def refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[[list[str]], str]:
    """Run a command line in an empty folder; what it answers has to be one paragraph, exit code 2 and no file."""

    def refused(arguments: list[str]) -> str:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["headshot", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capfd.readouterr()
        assert ended.value.code == 2, shown.err
        assert shown.out == ""
        assert len(shown.err.strip().splitlines()) == 1
        assert not list(tmp_path.iterdir())
        return shown.err

    return refused
