"""With gaze, what the irises do reaches the picture: in training, fine-tuning and rendering."""

from pathlib import Path

import numpy as np
import pytest
import torch

from model.batches import Batches
from model.checkpoint import load
from model.content import ContentLoss
from model.finetuning import fine_tune
from model.metalearning import MetaLearner
from model.person import Person
from model.presets import Preset
from model.reference import ReferenceModel
from model.stored_clips import StoredClip
from model.training import train
from tests.model.conftest import DrawnClip, DrawnStore, drawn_people, stand_in_content, with_irises
from weights.errors import HeadshotError

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def looking(tiny: Preset) -> Preset:
    return tiny.varied(gaze=True)


@pytest.fixture(autouse=True)
def without_downloads(
    monkeypatch: pytest.MonkeyPatch, random_weight_content: ContentLoss, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Stand random weights in for the content network."""
    stand_in_content(monkeypatch, random_weight_content, tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def checkpoint(looking: Preset, random_weight_content: ContentLoss, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint with gaze. Not to be changed."""
    folder = tmp_path_factory.mktemp("gaze")
    with pytest.MonkeyPatch.context() as patch:
        stand_in_content(patch, random_weight_content, folder)
        train(DrawnStore(drawn_people()), looking, folder / "checkpoint", device="cpu")
    return folder / "checkpoint"


def test_batches_draw_the_irises_of_a_store_that_has_them(drawn_store: DrawnStore, people: list[DrawnClip]) -> None:
    def maps(store: DrawnStore) -> torch.Tensor:
        clips = [StoredClip(store=store, clip=c, rows=np.arange(c.frames), side_px=64) for c in people]
        batches = Batches(clips, [c.identity for c in people], size_px=64, shots=2, batch=2, seed=0)
        return batches.batch_at(0, CPU).target_maps

    plain, looking = maps(drawn_store), maps(drawn_store.with_irises())
    changed = (plain != looking).any(dim=1).float().mean().item()
    assert 0 < changed < 0.03


def test_a_checkpoint_with_gaze_says_so_and_renders_where_the_driver_looks(
    checkpoint: Path, people: list[DrawnClip]
) -> None:
    assert load(checkpoint)[1].preset.network.gaze
    model = ReferenceModel.load(checkpoint, "cpu")
    frames = people[0].images[:2]
    support = np.stack([with_irises(points, 0) for points in people[0].points[:2]])
    for head in (model.feed_forward(frames, support), model.fine_tune(frames, support)):
        left, right = (head.render(with_irises(people[0].points[3], look)[None]) for look in (-2, 2))
        assert not np.array_equal(left, right)


def test_landmarks_without_irises_are_refused(checkpoint: Path, people: list[DrawnClip]) -> None:
    model = ReferenceModel.load(checkpoint, "cpu")
    with pytest.raises(HeadshotError, match="70 points"):
        model.feed_forward(people[0].images[:2], people[0].points[:2])


def test_fine_tuning_without_a_canvas_takes_irises_too(
    small_zakharov: Preset, random_weight_content: ContentLoss, people: list[DrawnClip]
) -> None:
    preset = small_zakharov.varied(gaze=True)
    schedule = preset.fine_tuning.model_copy(update={"iterations_at_shots": ((1, 2),), "batch": 2})
    learner = MetaLearner(preset, 1, random_weight_content, CPU, seed=0)
    for module in learner.networks.parts.values():
        module.eval().requires_grad_(False)
    person = Person(
        frames=people[0].images[:3],
        landmarks=np.stack([with_irises(points, 1) for points in people[0].points[:3]]),
        size_px=64,
    )
    tuned = fine_tune(
        learner.networks,
        preset.model_copy(update={"fine_tuning": schedule}),
        random_weight_content,
        person,
        device=CPU,
        seed=0,
    )
    assert tuned.render(person.landmarks[:1], CPU).shape == (1, 3, 64, 64)
