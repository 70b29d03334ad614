"""The learned baselines as systems: their checkpoints, what they refuse, and what the harness gets from them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from eval.benchmark import benchmark
from eval.specs.image import PSNR
from eval.systems.builtin import (
    LEARNED,
    NAMES,
    checkpoint_folders,
    checkpoint_of,
    choose_systems,
    load_system,
)
from eval.systems.protocol import Support
from eval.tasks.making import make_tasks
from model.baseline_presets import BASELINE_PRESETS
from model.checkpoint import CONFIG_FILE, MODEL_FILE, CheckpointConfig
from model.content import ContentLoss
from model.pix2pixhd import Pix2pixHDParts
from model.x2face import X2FaceParts
from tests.eval.conftest import DrawnStore
from tests.model.conftest import random_content, small_pix2pixhd, small_x2face, write_checkpoint
from weights.errors import HeadshotError
from weights.files import sha256_of

X2FACE, PIX2PIXHD = LEARNED
each = pytest.mark.parametrize("name", LEARNED)


@pytest.fixture(autouse=True)
def without_downloads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ContentLoss, "pretrained", classmethod(lambda *_: random_content()))


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    """A run with untrained checkpoints of both baselines."""
    torch.manual_seed(0)
    x2face, pix2pixhd = small_x2face(), small_pix2pixhd()
    write_checkpoint(checkpoint_of(tmp_path, X2FACE), x2face, X2FaceParts(x2face.network))
    write_checkpoint(checkpoint_of(tmp_path, PIX2PIXHD), pix2pixhd, Pix2pixHDParts(pix2pixhd.network))
    return tmp_path


def loaded(run_dir: Path, name: str):
    return load_system(name, checkpoint=checkpoint_of(run_dir, name), device="cpu")


@pytest.fixture
def support(store: DrawnStore) -> Support:
    clip = store.clips[-1]
    return Support(
        frames=store.frames(clip, [0, 3], 64), landmarks=store.landmarks(clip, [0, 3], 64), size_px=64, seed=3
    )


def test_every_learned_baseline_has_a_preset_of_its_name() -> None:
    assert set(BASELINE_PRESETS) == set(LEARNED)


def test_the_default_takes_the_learned_baselines_that_are_trained(run_dir: Path, tmp_path: Path) -> None:
    nothing = choose_systems("default", tmp_path / "elsewhere")
    assert nothing == [name for name in NAMES if name not in LEARNED]
    assert choose_systems("default", run_dir) == list(NAMES)
    (checkpoint_of(run_dir, X2FACE) / CONFIG_FILE).unlink()
    assert choose_systems("default", run_dir) == [name for name in NAMES if name != X2FACE]


def test_systems_are_chosen_by_name_each_once(tmp_path: Path) -> None:
    assert choose_systems(" mean-frame, copy-source ,mean-frame,", tmp_path) == ["mean-frame", "copy-source"]
    assert choose_systems("all", tmp_path) == list(NAMES)
    assert choose_systems("reference-ft,all", tmp_path)[:2] == ["reference-ft", "copy-source"]


@pytest.mark.parametrize("text", ["", " , ", "copy"])
def test_an_unknown_or_empty_list_of_systems_names_the_choices(text: str, tmp_path: Path) -> None:
    with pytest.raises(HeadshotError, match="default, all, copy-source"):
        choose_systems(text, tmp_path)


def test_every_checkpoint_has_a_folder_of_its_own(tmp_path: Path) -> None:
    assert checkpoint_folders(tmp_path) == [tmp_path / "checkpoint", *(tmp_path / "baselines" / n for n in LEARNED)]


@each
def test_without_a_checkpoint_the_command_that_makes_one_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(HeadshotError, match=f"headshot train {name}"):
        load_system(name)
    with pytest.raises(HeadshotError, match="no finished checkpoint"):
        load_system(name, checkpoint=tmp_path)


@each
def test_a_system_says_which_checkpoint_it_is(name: str, run_dir: Path) -> None:
    system = loaded(run_dir, name)
    assert system.config["checkpoint_sha256"] == sha256_of(checkpoint_of(run_dir, name) / MODEL_FILE)
    assert system.config["preset"] == name
    assert system.config["licences"] == ["CC0-1.0"]
    assert system.training_identities == {"zoe"}


@pytest.mark.parametrize(("name", "folder"), [(X2FACE, PIX2PIXHD), (PIX2PIXHD, X2FACE), ("reference-ff", X2FACE)])
def test_the_checkpoint_of_another_model_is_refused(name: str, folder: str, run_dir: Path) -> None:
    with pytest.raises(HeadshotError, match=rf"of the preset {folder} .* was expected"):
        load_system(name, checkpoint=checkpoint_of(run_dir, folder), device="cpu")


@each
def test_tensors_that_do_not_fit_or_are_left_over_are_refused(name: str, run_dir: Path, support: Support) -> None:
    from safetensors.torch import load_file, save_file

    folder = checkpoint_of(run_dir, name)
    tensors = load_file(folder / MODEL_FILE)
    for wrong in (dict(list(tensors.items())[1:]), tensors | {"other.weight": torch.zeros(1)}):
        save_file(wrong, folder / MODEL_FILE)
        config = CheckpointConfig.model_validate_json((folder / CONFIG_FILE).read_text())
        sha256 = sha256_of(folder / MODEL_FILE)
        (folder / CONFIG_FILE).write_text(config.model_copy(update={"model_sha256": sha256}).model_dump_json())
        with pytest.raises(HeadshotError, match="does not fit the preset"):
            loaded(run_dir, name).adapt(support)
    save_file(tensors, folder / MODEL_FILE)
    with pytest.raises(HeadshotError, match="damaged"):
        loaded(run_dir, name).adapt(support)


@each
def test_support_of_another_size_is_refused(name: str, run_dir: Path, support: Support) -> None:
    small = replace(support, frames=support.frames[:, ::2, ::2], size_px=32)
    with pytest.raises(HeadshotError, match="--size 64"):
        loaded(run_dir, name).adapt(small)


def test_an_untrained_warp_shows_the_mean_of_the_support(run_dir: Path, support: Support) -> None:
    head = loaded(run_dir, X2FACE).adapt(support)
    shown = head.render(support.landmarks)
    assert np.abs(shown.astype(float) - support.frames.mean(axis=0)).max() <= 1
    assert head.iterations == 0
    assert head.render(support.landmarks[:0]).shape == (0, 64, 64, 3)


def test_direct_synthesis_is_fine_tuned_with_the_seed_of_the_task(run_dir: Path, support: Support) -> None:
    system = loaded(run_dir, PIX2PIXHD)
    heads = [system.adapt(replace(support, seed=seed)) for seed in (3, 3, 4)]
    one, again, other = (head.render(support.landmarks) for head in heads)
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert heads[0].iterations == 2


def test_a_benchmark_runs_them_beside_the_others(run_dir: Path, store: DrawnStore) -> None:
    few = replace(store, clips=store.clips[:2])
    tasks = make_tasks(few, [1], size_px=64, query_frames=8)
    systems = [loaded(run_dir, name) for name in LEARNED]
    run = benchmark(few, systems, tasks, run_dir, specs=[PSNR])
    assert run.record.failures == ()
    assert [cost.iterations for cost in run.record.cost] == [0, 2]


@each
def test_a_checkpoint_trained_on_a_person_under_test_is_refused(name: str, store: DrawnStore, tmp_path: Path) -> None:
    preset = small_x2face() if name == X2FACE else small_pix2pixhd()
    networks = X2FaceParts(preset.network) if name == X2FACE else Pix2pixHDParts(preset.network)
    system = load_system(name, checkpoint=write_checkpoint(tmp_path / "leak", preset, networks, "ann"), device="cpu")
    with pytest.raises(HeadshotError, match=f"{name} was trained on ann"):
        benchmark(store, [system], make_tasks(store, [1], size_px=64), tmp_path / "run", specs=[PSNR])
