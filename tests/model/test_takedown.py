"""A person leaves a checkpoint: names and embeddings go, and what was learned is said to stay."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from model import takedown
from model.checkpoint import CARD_FILE, CONFIG_FILE, MODEL_FILE, load, read_config
from model.content import ContentLoss
from model.journal import GRIDS_FOLDER
from model.presets import Preset
from model.reference import ReferenceModel
from model.takedown import EMBEDDINGS, learned_from, take_out
from model.training import RESUME_FILE, train
from tests.model.conftest import DrawnClip, DrawnStore, small_x2face
from weights.errors import HeadshotError


@pytest.fixture(scope="module", autouse=True)
def _without_downloads(random_weight_content: ContentLoss, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Stand random weights in for the content network."""
    file = tmp_path_factory.mktemp("weights") / "random-weights"
    file.write_bytes(b"random")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("model.content.fetch", lambda _: file)
        patch.setattr(ContentLoss, "pretrained", classmethod(lambda *_: random_weight_content))
        yield


@pytest.fixture(scope="module")
def trained(_without_downloads: None, tiny: Preset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint that has learned from Ada, Bob and Cy. Not to be changed."""
    folder = tmp_path_factory.mktemp("trained") / "checkpoint"
    people = [DrawnClip(name, (200, 150, 120)) for name in ("ada", "bob", "cy")]
    train(DrawnStore(people), tiny, folder, device="cpu")
    return folder


@pytest.fixture
def checkpoint(trained: Path, tmp_path: Path) -> Path:
    """The same checkpoint, to be changed."""
    return Path(shutil.copytree(trained, tmp_path / "checkpoint"))


def files_of(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_the_column_and_the_name_go_and_every_other_tensor_stays(checkpoint: Path) -> None:
    before = load_file(checkpoint / MODEL_FILE)
    assert learned_from(checkpoint, "bob")
    result = take_out(checkpoint, "bob")
    after = load_file(checkpoint / MODEL_FILE)
    assert torch.equal(after[EMBEDDINGS], before[EMBEDDINGS][[0, 2]])
    assert all(torch.equal(after[name], before[name]) for name in before if name != EMBEDDINGS)
    assert [clip.identity for clip in read_config(checkpoint).clips] == ["ada", "cy"]
    assert not learned_from(checkpoint, "bob")
    assert (result.clips_learned, [change.rows for change in result.changes]) == (1, [0, 1])
    assert not any(b"bob/drawn" in path.read_bytes() for path in files_of(checkpoint))


def test_a_baseline_has_no_columns_but_its_list_of_clips_forgets_the_person_too(
    _without_downloads: None, tmp_path: Path
) -> None:
    people = [DrawnClip(name, (200, 150, 120)) for name in ("ada", "bob", "cy")]
    train(DrawnStore(people), small_x2face(), tmp_path, device="cpu")
    before = (tmp_path / MODEL_FILE).read_bytes()
    assert learned_from(tmp_path, "bob")
    result = take_out(tmp_path, "bob")
    assert [clip.identity for clip in read_config(tmp_path).clips] == ["ada", "cy"]
    grids, listed = result.changes
    assert (result.clips_learned, grids.rows, listed.rows) == (1, 0, 1)
    assert (tmp_path / MODEL_FILE).read_bytes() == before
    assert not any(b"bob/drawn" in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_no_run_of_bytes_of_the_embedding_is_left_in_any_file(checkpoint: Path) -> None:
    row = load_file(checkpoint / MODEL_FILE)[EMBEDDINGS][1].numpy().tobytes()
    assert row in (checkpoint / MODEL_FILE).read_bytes()
    take_out(checkpoint, "bob")
    assert not any(row[:32] in path.read_bytes() for path in files_of(checkpoint))


def test_the_checkpoint_still_loads_renders_and_says_whom_it_has_seen(
    checkpoint: Path, people: list[DrawnClip]
) -> None:
    take_out(checkpoint, "bob")
    model = ReferenceModel.load(checkpoint, "cpu")
    frames, landmarks = people[0].read([0, 1])
    assert model.feed_forward(frames, landmarks).render(landmarks).shape == frames.shape
    assert model.training_identities == {"ada", "cy"}
    assert "learned from\n1 of their clips" in (checkpoint / CARD_FILE).read_text()


def test_a_checkpoint_that_has_seen_somebody_who_left_is_not_passed_off_as_trained(
    checkpoint: Path, tiny: Preset, people: list[DrawnClip]
) -> None:
    take_out(checkpoint, "bob")
    with pytest.raises(HeadshotError, match="learned from 1 clips of people who withdrew"):
        train(DrawnStore([people[0], people[2]]), tiny, checkpoint, device="cpu")


@pytest.mark.parametrize("function", ["publish", "model_card", "publish_text"])
def test_killed_at_any_step_it_is_finished_by_the_next_call(
    checkpoint: Path, function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    expected = load_file(checkpoint / MODEL_FILE)[EMBEDDINGS][[0, 2]]
    with monkeypatch.context() as patch:
        patch.setattr(takedown, function, killed)
        with pytest.raises(KeyboardInterrupt):
            take_out(checkpoint, "bob")
    assert take_out(checkpoint, "bob").clips_learned == 1
    networks, config = load(checkpoint)
    assert torch.equal(networks.discriminator.clip_embedding.weight, expected)
    assert (len(config.clips), config.clips_withdrawn) == (2, 1)


def test_twice_is_harmless_and_a_stranger_changes_nothing(checkpoint: Path) -> None:
    take_out(checkpoint, "bob")
    before = {path.name: path.read_bytes() for path in files_of(checkpoint)}
    assert take_out(checkpoint, "bob").changes == ()
    assert take_out(checkpoint, "zoe").changes == ()
    assert {path.name: path.read_bytes() for path in files_of(checkpoint)} == before


def test_unfinished_training_that_knows_the_person_starts_anew(
    tiny: Preset, drawn_store: DrawnStore, tmp_path: Path
) -> None:
    def stop(done: int, *_: object) -> None:
        if done == 6:
            raise KeyboardInterrupt

    folder = tmp_path / "cut"
    with pytest.raises(KeyboardInterrupt):
        train(drawn_store, tiny, folder, device="cpu", progress=stop)
    assert take_out(folder, "zoe").changes == ()
    assert (folder / RESUME_FILE).is_file()
    assert learned_from(folder, "bob")
    (change,) = take_out(folder, "bob").changes
    assert change.files == 2 + 6  # the state, a file for TensorBoard, and a sample grid for each step
    assert list(folder.iterdir()) == []


def test_pictures_of_people_in_training_go_with_them(checkpoint: Path) -> None:
    assert list((checkpoint / GRIDS_FOLDER).glob("*.png"))
    take_out(checkpoint, "zoe")
    assert list((checkpoint / GRIDS_FOLDER).glob("*.png"))
    take_out(checkpoint, "bob")
    assert not (checkpoint / GRIDS_FOLDER).exists()


def test_pictures_of_a_run_that_kept_no_state_are_taken_for_the_persons(
    tiny: Preset, drawn_store: DrawnStore, tmp_path: Path
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(drawn_store, tiny, tmp_path, device="cpu", progress=stop)
    assert not (tmp_path / RESUME_FILE).exists()
    assert learned_from(tmp_path, "bob")
    take_out(tmp_path, "bob")
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_checkpoint_is_not_made_to_look_whole(checkpoint: Path) -> None:
    data = bytearray((checkpoint / MODEL_FILE).read_bytes())
    data[-1] ^= 1
    (checkpoint / MODEL_FILE).write_bytes(data)
    with pytest.raises(HeadshotError, match="damaged or of another run"):
        take_out(checkpoint, "bob")


def test_a_config_from_before_anybody_left_can_be_read(checkpoint: Path) -> None:
    config = json.loads((checkpoint / CONFIG_FILE).read_text())
    del config["clips_withdrawn"]
    (checkpoint / CONFIG_FILE).write_text(json.dumps(config))
    assert read_config(checkpoint).clips_withdrawn == 0


def test_a_folder_without_a_checkpoint_knows_nobody(tmp_path: Path) -> None:
    assert not learned_from(tmp_path / "nothing", "bob")
    assert take_out(tmp_path / "nothing", "bob").changes == ()
