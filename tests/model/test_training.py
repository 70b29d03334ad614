"""A training run ends the same whether or not it was killed, and says so when it cannot start."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from model.baseline_presets import Pix2pixHDPreset, X2FacePreset
from model.checkpoint import CONFIG_FILE, MODEL_FILE, load, read_config
from model.content import ContentLoss
from model.journal import GRIDS_FOLDER, STATS_FILE
from model.presets import Preset
from model.reference import ReferenceModel
from model.training import RESUME_FILE, train
from tests.conftest import REPOSITORY
from tests.model.conftest import (
    DrawnClip,
    DrawnStore,
    drawn_people,
    random_content,
    small_pix2pixhd,
    small_x2face,
    stand_in_content,
)
from weights.errors import HeadshotError


@pytest.fixture(autouse=True)
def without_downloads(
    monkeypatch: pytest.MonkeyPatch, random_weight_content: ContentLoss, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Stand random weights in for the content network: what is tested here is the run, not the picture."""
    stand_in_content(monkeypatch, random_weight_content, tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def finished(
    tiny: Preset, random_weight_content: ContentLoss, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[float]]:
    """The folder of a finished run, not to be changed, and the share of time in which each step waited for data."""
    folder = tmp_path_factory.mktemp("finished")
    waited: list[float] = []
    with pytest.MonkeyPatch.context() as patch:
        stand_in_content(patch, random_weight_content, folder)
        store = DrawnStore(drawn_people())
        train(
            store,
            tiny,
            folder / "checkpoint",
            device="cpu",
            progress=lambda *told: waited.append(told[2]["data_share"]),
        )
    return folder / "checkpoint", waited


@pytest.fixture
def checkpoint(finished: tuple[Path, list[float]], tmp_path: Path) -> Path:
    """The same folder, to be changed."""
    return Path(shutil.copytree(finished[0], tmp_path / "checkpoint"))


def interrupted(steps: int):
    """Return a progress hook that gives up after so many steps."""

    def stop(done: int, total: int, values: dict[str, float]) -> None:
        if done == steps:
            raise KeyboardInterrupt

    return stop


def test_a_run_that_was_interrupted_ends_with_the_same_tensors(
    tiny: Preset, drawn_store: DrawnStore, tmp_path: Path
) -> None:
    straight = train(drawn_store, tiny, tmp_path / "straight", device="cpu")
    with pytest.raises(KeyboardInterrupt):
        train(drawn_store, tiny, tmp_path / "cut", device="cpu", progress=interrupted(6))
    assert (tmp_path / "cut" / RESUME_FILE).is_file()
    first: list[int] = []
    resumed = train(drawn_store, tiny, tmp_path / "cut", device="cpu", progress=lambda done, *_: first.append(done))
    assert first[0] == tiny.meta_learning.checkpoint_every + 1
    assert resumed.model_sha256 == straight.model_sha256
    assert not (tmp_path / "cut" / RESUME_FILE).exists()
    steps = [json.loads(line)["step"] for line in (tmp_path / "cut" / STATS_FILE).read_text().splitlines()]
    assert steps == sorted(set(steps))


@pytest.mark.slow
def test_a_run_in_parts_that_was_interrupted_ends_with_the_same_tensors(
    tiny: Preset, drawn_store: DrawnStore, tmp_path: Path
) -> None:
    straight = train(drawn_store, tiny, tmp_path / "straight", device="cpu", accumulate=2)
    with pytest.raises(KeyboardInterrupt):
        train(drawn_store, tiny, tmp_path / "cut", device="cpu", accumulate=2, progress=interrupted(6))
    assert train(drawn_store, tiny, tmp_path / "cut", device="cpu", accumulate=2).model_sha256 == straight.model_sha256
    assert straight.execution.accumulate == 2


def test_a_batch_that_cannot_be_divided_is_refused(tiny: Preset, drawn_store: DrawnStore, tmp_path: Path) -> None:
    with pytest.raises(HeadshotError, match="batches of 2 episodes, which 1 processes with --accumulate 3 cannot"):
        train(drawn_store, tiny, tmp_path, device="cpu", accumulate=3)


def test_a_run_leaves_sample_grids_and_says_how_long_it_waited_for_data(finished: tuple[Path, list[float]]) -> None:
    checkpoint, waited = finished
    assert waited
    assert all(0 <= share < 1 for share in waited)
    assert (checkpoint / GRIDS_FOLDER / "step-0000008.png").is_file()


@pytest.mark.slow
def test_compiled_networks_learn_the_same_up_to_rounding(
    tiny: Preset, drawn_store: DrawnStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As torch captures and differentiates them; the machine code that it would write takes minutes to compile."""
    original = torch.nn.Module.compile
    monkeypatch.setattr(
        torch.nn.Module, "compile", lambda *args, **named: original(*args, backend="aot_eager", **named)
    )
    monkeypatch.setattr(ContentLoss, "pretrained", classmethod(lambda *_: random_content()))
    told: list[dict[str, float]] = []
    plain = train(drawn_store, tiny, tmp_path / "plain", device="cpu", progress=lambda *now: told.append(now[2]))
    compiled = train(
        drawn_store, tiny, tmp_path / "fast", device="cpu", compiled=True, progress=lambda *now: told.append(now[2])
    )
    assert (plain.execution.compiled, compiled.execution.compiled) == (False, True)
    last = [told[tiny.meta_learning.steps - 1], told[-1]]
    terms = ("content", "pixel", "hinge")
    assert [last[1][name] for name in terms] == pytest.approx([last[0][name] for name in terms], rel=0.05)


@pytest.mark.parametrize("preset", [small_x2face(), small_pix2pixhd()], ids=lambda preset: preset.name)
def test_an_interrupted_run_of_a_baseline_ends_with_the_same_tensors(
    preset: X2FacePreset | Pix2pixHDPreset, drawn_store: DrawnStore, tmp_path: Path
) -> None:
    straight = train(drawn_store, preset, tmp_path / "straight", device="cpu", accumulate=2)
    with pytest.raises(KeyboardInterrupt):
        train(drawn_store, preset, tmp_path / "cut", device="cpu", accumulate=2, progress=interrupted(5))
    resumed = train(drawn_store, preset, tmp_path / "cut", device="cpu", accumulate=2)
    assert resumed.model_sha256 == straight.model_sha256
    assert (resumed.execution.accumulate, resumed.dataset_sha256) == (2, drawn_store.sha256)
    assert read_config(tmp_path / "cut").preset == preset
    card = (tmp_path / "cut" / "README.md").read_text()
    assert preset.card_source in card
    assert "| ada/drawn/full | 12 | CC0 | drawn |" in card


def test_a_finished_checkpoint_is_left_alone(tiny: Preset, drawn_store: DrawnStore, checkpoint: Path) -> None:
    before = (checkpoint / MODEL_FILE).stat().st_mtime_ns
    train(drawn_store, tiny, checkpoint, device="cpu", progress=lambda *_: pytest.fail("it trained again"))
    assert (checkpoint / MODEL_FILE).stat().st_mtime_ns == before


def test_another_seed_is_refused_in_the_folder_of_a_finished_run(
    tiny: Preset, drawn_store: DrawnStore, checkpoint: Path
) -> None:
    with pytest.raises(HeadshotError, match="not what was asked for"):
        train(drawn_store, tiny, checkpoint, device="cpu", seed=1)


def test_a_dataset_without_training_clips_is_refused(tiny: Preset, tmp_path: Path) -> None:
    store = DrawnStore([DrawnClip("ada", (1, 2, 3), split="test"), DrawnClip("bob", (1, 2, 3), frames=2)])
    with pytest.raises(HeadshotError, match="no training clip with more than 2 usable frames"):
        train(store, tiny, tmp_path, device="cpu")


def test_the_checkpoint_carries_people_licences_and_consent(checkpoint: Path) -> None:
    config = read_config(checkpoint)
    assert [clip.identity for clip in config.clips] == ["ada", "bob", "cy"]
    assert {clip.consent for clip in config.clips} == {"drawn"}
    card = (checkpoint / "README.md").read_text()
    assert (
        "36 frames of 3 clips at 64 px, from the training split of the dataset\n`drawn` (dataset dddddddddddd" in card
    )
    assert "| CC0 | 3 | 36 | 3 | tests |" in card
    assert "| drawn | 3 | 3 |" in card
    assert "| ada/drawn/full | 12 | CC0 | drawn |" in card
    assert "| lpips-vgg16 | BSD" in card
    assert ReferenceModel.load(checkpoint, "cpu").training_identities == {"ada", "bob", "cy"}


def test_what_is_saved_renders_the_same_after_loading(people: list[DrawnClip], checkpoint: Path) -> None:
    frames, points = people[0].images, people[0].points
    heads = [ReferenceModel.load(checkpoint, "cpu").feed_forward(frames[:2], points[:2]) for _ in range(2)]
    one, other = (head.render(points) for head in heads)
    assert one.shape == (12, 64, 64, 3)
    assert (one == other).all()
    assert len(heads[0].render(points[:0])) == 0


def test_damaged_or_foreign_checkpoints_are_refused(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(HeadshotError, match="no finished checkpoint"):
        load(tmp_path)
    config = (checkpoint / CONFIG_FILE).read_text()
    (checkpoint / CONFIG_FILE).write_text(config.replace('"schema_version": 2', '"schema_version": 9', 1))
    with pytest.raises(HeadshotError, match="not a checkpoint config of this version"):
        load(checkpoint)
    (checkpoint / CONFIG_FILE).write_text(config)
    content = bytearray((checkpoint / MODEL_FILE).read_bytes())
    content[-1] ^= 1
    (checkpoint / MODEL_FILE).write_bytes(content)
    with pytest.raises(HeadshotError, match="damaged"):
        load(checkpoint)


def test_support_of_another_size_is_refused(checkpoint: Path) -> None:
    model = ReferenceModel.load(checkpoint, "cpu")
    with pytest.raises(HeadshotError, match="--size 64"):
        model.feed_forward(np.zeros((1, 96, 96, 3), np.uint8), np.zeros((1, 68, 2), np.float32))
    lost = np.full((1, 68, 2), np.nan, np.float32)
    with pytest.raises(HeadshotError, match="no landmarks"):
        model.feed_forward(np.zeros((1, 64, 64, 3), np.uint8), lost)


_CHILD = """
import sys
from pathlib import Path
import pytest
sys.path.insert(0, {repository!r})
import model.content
from tests.model.conftest import DrawnClip, DrawnStore, random_content
from model import training
from model.content import ContentLoss
from model.presets import preset
content = random_content()
model.content.fetch = lambda _: Path(__file__)
ContentLoss.pretrained = classmethod(lambda *_: content)
store = DrawnStore([DrawnClip("ada", (200, 150, 120)), DrawnClip("bob", (120, 90, 60))])
tiny = preset("tiny")
schedule = tiny.meta_learning.model_copy(update=dict(steps=int(sys.argv[2]), checkpoint_every=3))
config = training.train(store, tiny.model_copy(update=dict(meta_learning=schedule)), Path(sys.argv[1]), device="cpu")
print(config.model_sha256)
"""


@pytest.mark.slow
def test_the_same_seed_on_the_same_machine_gives_the_same_checkpoint_twice(tmp_path: Path) -> None:
    """In processes of their own, with as many threads as torch would take."""
    script = tmp_path / "run.py"
    script.write_text(_CHILD.format(repository=str(REPOSITORY)))
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    hashes = {
        subprocess.run(
            [sys.executable, "-W", "ignore", str(script), str(tmp_path / folder), "6"],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for folder in ("one", "other")
    }
    assert len(hashes) == 1
    assert len(hashes.pop().strip()) == 64


@pytest.mark.slow
def test_sigkill_at_any_moment_then_the_same_command_gives_the_same_checkpoint(tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(_CHILD.format(repository=str(REPOSITORY)))
    environment = os.environ | {"OMP_NUM_THREADS": "1"}

    def command(folder: str) -> list[str]:
        return [sys.executable, "-W", "ignore", str(script), str(tmp_path / folder), "30"]

    straight = subprocess.run(command("straight"), env=environment, capture_output=True, text=True, check=True)
    killed = subprocess.Popen(command("killed"), env=environment, stdout=subprocess.DEVNULL)
    while not (tmp_path / "killed" / RESUME_FILE).exists():
        time.sleep(0.01)
        assert killed.poll() is None
    time.sleep(0.2)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert not (tmp_path / "killed" / CONFIG_FILE).exists()
    resumed = subprocess.run(command("killed"), env=environment, capture_output=True, text=True, check=True)
    assert resumed.stdout == straight.stdout
