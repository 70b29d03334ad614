"""The wrappers of the reference model; an untrained tiny network is enough to see what they pass on."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from eval.benchmark import benchmark
from eval.specs.image import PSNR
from eval.systems.builtin import load_system
from eval.systems.protocol import Support
from eval.tasks.making import make_tasks
from model.canvas import reduced
from model.reference import ReferenceModel
from tests.eval.conftest import DrawnStore
from tests.model.conftest import write_tiny
from weights.errors import HeadshotError
from weights.files import sha256_of


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny layers only lose by being split, most of all on a busy machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return write_tiny(tmp_path / "checkpoint")


@pytest.fixture
def support(store: DrawnStore) -> Support:
    clip = store.clips[-1]
    return Support(
        frames=store.frames(clip, [0, 3], 64), landmarks=store.landmarks(clip, [0, 3], 64), size_px=64, seed=3
    )


def test_a_system_says_which_checkpoint_it_is(checkpoint: Path) -> None:
    system = load_system("reference-ff", checkpoint=checkpoint, device="cpu")
    assert system.config["checkpoint_sha256"] == sha256_of(checkpoint / "model.safetensors")
    assert system.config["licences"] == ["CC0-1.0"]
    assert system.training_identities == {"zoe"}
    assert system.config == load_system("reference-ft", checkpoint=checkpoint, device="cpu").config


def test_feed_forward_frames_are_those_of_the_model_untrained(checkpoint: Path, support: Support) -> None:
    head = load_system("reference-ff", checkpoint=checkpoint, device="cpu").adapt(support)
    model = ReferenceModel.load(checkpoint, "cpu")
    expected = model.feed_forward(support.frames, support.landmarks).render(support.landmarks)
    assert np.array_equal(head.render(support.landmarks), expected)
    assert head.iterations == 0


@pytest.mark.slow
def test_fine_tuning_uses_the_seed_of_the_task_untrained(checkpoint: Path, support: Support) -> None:
    system = load_system("reference-ft", checkpoint=checkpoint, device="cpu")
    head = system.adapt(support)
    assert head.iterations > 0
    model = ReferenceModel.load(checkpoint, "cpu")
    expected = model.fine_tune(support.frames, support.landmarks, seed=3).render(support.landmarks)
    assert np.array_equal(head.render(support.landmarks), expected)


def test_a_benchmark_runs_it_and_counts_its_iterations_untrained(
    checkpoint: Path, store: DrawnStore, tmp_path: Path
) -> None:
    system = load_system("reference-ff", checkpoint=checkpoint, device="cpu")
    few = replace(store, clips=store.clips[:2])
    tasks = make_tasks(few, [1], size_px=64, query_frames=8)
    run = benchmark(few, [system], tasks, tmp_path / "run", specs=[PSNR])
    assert run.record.failures == ()
    assert run.record.cost[0].iterations == 0
    assert run.record.systems[0].config["checkpoint_sha256"] == system.config["checkpoint_sha256"]


def test_a_checkpoint_trained_on_a_person_under_test_is_refused(store: DrawnStore, tmp_path: Path) -> None:
    system = load_system("reference-ff", checkpoint=write_tiny(tmp_path / "leak", "ann"), device="cpu")
    with pytest.raises(HeadshotError, match="reference-ff was trained on ann"):
        benchmark(store, [system], make_tasks(store, [1], size_px=64), tmp_path / "run", specs=[PSNR])


def test_a_benchmark_at_another_size_is_refused(checkpoint: Path, support: Support) -> None:
    doubled = np.repeat(np.repeat(support.frames, 2, axis=1), 2, axis=2)
    large = replace(support, frames=doubled, landmarks=support.landmarks * 2, size_px=128)
    for name in ("reference-ff", "reference-ft"):
        with pytest.raises(HeadshotError, match="--size 64"):
            load_system(name, checkpoint=checkpoint, device="cpu").adapt(large)


def test_frames_kept_at_twice_the_size_make_another_picture(checkpoint: Path, support: Support) -> None:
    rng = np.random.default_rng(0)
    large = rng.integers(0, 256, (2, 128, 128, 3), dtype=np.uint8)
    system = load_system("reference-ff", checkpoint=checkpoint, device="cpu")
    detailed = replace(support, frames=reduced(large, 64), frames_2x=large)
    plain = replace(detailed, frames_2x=None)
    one, other = (system.adapt(shown).render(support.landmarks + 1.3) for shown in (plain, detailed))
    assert one.shape == other.shape == (2, 64, 64, 3)
    assert not np.array_equal(one, other)
