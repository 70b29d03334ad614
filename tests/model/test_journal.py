"""What a run tells: the same values in both places, each step once, and pictures that say they are synthetic."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from tensorboardX.proto.event_pb2 import Event

from model.disclosure.label import BAR_RGB, DigitalSourceType
from model.disclosure.verification import verify
from model.journal import EVENTS_FOLDER, GRIDS_FOLDER, STATS_FILE, Journal
from model.sample_grid import LABEL_PX, STATEMENT, TITLE_PX


def events(folder: Path) -> list[Event]:
    """Return the records of all event files, whose lengths and checksums are in between."""
    found = []
    for path in sorted((folder / EVENTS_FOLDER).iterdir()):
        data = path.read_bytes()
        while data:
            length = int.from_bytes(data[:8], "little")
            found.append(Event.FromString(data[12 : 12 + length]))
            data = data[16 + length :]
    return found


def lines(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / STATS_FILE).read_text().splitlines()]


def plotted(folder: Path) -> list[tuple[int, str, float]]:
    return [(event.step, value.tag, value.simple_value) for event in events(folder) for value in event.summary.value]


def test_the_file_and_tensorboard_have_the_same_values(tmp_path: Path) -> None:
    with Journal(tmp_path, 0) as journal:
        journal.write(25, {"content": 1.25, "hinge": 2.0000004})
        journal.write(50, {"content": 0.5})
    assert lines(tmp_path) == [{"step": 25, "content": 1.25, "hinge": 2.0}, {"step": 50, "content": 0.5}]
    assert plotted(tmp_path) == [(25, "content", 1.25), (25, "hinge", 2.0), (50, "content", 0.5)]


def test_a_resumed_run_drops_what_was_said_of_later_steps_and_a_line_that_was_cut_short(tmp_path: Path) -> None:
    with Journal(tmp_path, 0) as journal:
        for step in (25, 50, 75):
            journal.write(step, {"content": 1.0})
    with (tmp_path / STATS_FILE).open("a") as file:
        file.write('{"step": 100, "con')
    with Journal(tmp_path, 50) as journal:
        assert [line["step"] for line in lines(tmp_path)] == [25, 50]
        journal.write(75, {"content": 2.0})
    assert [(line["step"], line["content"]) for line in lines(tmp_path)] == [(25, 1), (50, 1), (75, 2)]
    assert plotted(tmp_path) == [(25, "content", 1.0), (50, "content", 1.0), (75, "content", 2.0)]


@pytest.fixture
def shown(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    pictures = {name: rng.integers(0, 256, (3, 64, 64, 3), dtype=np.uint8) for name in ("support", "generated")}
    with Journal(tmp_path, 0) as journal:
        journal.show(100, pictures)
    path = tmp_path / GRIDS_FOLDER / "step-0000100.png"
    image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    for part, picture in (
        (image[TITLE_PX : TITLE_PX + 64, :64], pictures["support"][0]),
        (image[TITLE_PX + 128 : TITLE_PX + 192, 64:128], pictures["generated"][2]),
    ):
        assert np.abs(part.astype(int) - picture).mean() < 3, "but for the watermark"
    return path


def test_a_sample_grid_is_labelled_below_the_pictures(shown: Path) -> None:
    image = cv2.cvtColor(cv2.imread(str(shown)), cv2.COLOR_BGR2RGB)
    strip = image[-LABEL_PX:]
    assert image.shape == (TITLE_PX + 3 * 64 + LABEL_PX, 128, 3)
    assert (np.abs(strip.astype(int) - BAR_RGB) < 20).all(axis=2).mean() > 0.5
    assert strip.max() == 255


def test_a_sample_grid_carries_every_mark_and_says_what_is_synthetic(shown: Path) -> None:
    assert verify(shown).complete
    image_module = pytest.importorskip("PIL.Image")
    with image_module.open(shown) as image:
        image.verify()
        packet = image.info["XML:com.adobe.xmp"]
    assert STATEMENT in packet.replace("&amp;", "&")
    assert DigitalSourceType.COMPOSITE.value in packet
