"""Which clips the player has, what of them is published, and what it says of the rest."""

import shutil
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import cv2
import numpy as np
import pytest

from eval.features import FeatureCache, Frames, stored_features
from eval.rendering import predictions
from eval.runs.results import Run
from model.disclosure.mark import RECORDED
from model.disclosure.statement import Marks
from model.disclosure.verification import verify
from pipeline.store import Store
from reports.findings import Findings, findings
from reports.media import Media
from reports.player import player as module
from reports.player.clips import ClipEncoder
from reports.player.film import Layout
from reports.player.player import by_clip, player
from reports.player.scores import Digits
from tests.reports.player.conftest import FRAMES, SYSTEMS, TARGET_TURN, place_of

LAYOUT = Layout.of(FRAMES, 64)


@pytest.fixture
def found(coded: tuple[Run, Store], tmp_path: Path) -> Findings:
    return findings(*coded, Media(tmp_path))


def picture(site: Path, url: str) -> np.ndarray:
    return cv2.imread(str(site / url))[..., ::-1]


def test_each_sheet_holds_the_frames_of_its_system_in_the_order_of_the_task(found: Findings, tmp_path: Path) -> None:
    shown = player(found)
    assert shown is not None
    assert shown.note == ""
    assert [clip["identity"] for clip in shown.data["clips"]] == ["ada", "ben", "cleo"]
    for clip in shown.data["clips"]:
        for turn, url in [(TARGET_TURN, clip["target"]), *((i, s["url"]) for i, s in enumerate(clip["systems"][0]))]:
            sheet = picture(tmp_path, url)
            for place in range(FRAMES):
                x, y = LAYOUT.corner(place)
                assert place_of(sheet[y : y + 64, x : x + 64].mean(axis=(0, 1)), turn) == place


def test_frames_that_did_not_come_are_named(coded: tuple[Run, Store], tmp_path: Path) -> None:
    run, store = coded
    run = replace(run, folder=Path(shutil.copytree(run.folder, tmp_path / "run")))
    task = next(one for one in run.tasks.tasks if (one.identity, one.shots) == ("ada", 8))
    predictions.path_of(run.folder, "mean-frame", task).unlink()
    header = predictions.header(run.folder, "reference-ft", task)
    assert header is not None
    frames = predictions.load(run.folder, "reference-ft", task)
    failed = header.model_copy(update={"failures": {3: "no face", 5: "no face"}})
    predictions.save(run.folder, failed, task, frames)
    clip = player(findings(run, store, Media(tmp_path / "site"))).data["clips"][0]
    of_8 = dict(zip(SYSTEMS, clip["systems"][1], strict=True))
    assert of_8["copy-source"]["missing"] == ()
    assert of_8["mean-frame"]["url"] is None
    assert of_8["reference-ft"]["missing"] == (3, 5)


def test_clips_are_left_out_where_they_do_not_fit_and_the_page_says_so(
    found: Findings, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = len(player(found).data["clips"][0]["scores"])
    monkeypatch.setattr(module, "MOST_DATA_BYTES", 2 * one)
    shown = player(found)
    assert [clip["identity"] for clip in shown.data["clips"]] == ["ada", "ben"]
    assert shown.note.startswith("2 of 3 clips are here, everybody once before anybody twice")
    monkeypatch.setattr(module, "MOST_SHEETS", 9)
    assert len(player(found).data["clips"]) == 1
    monkeypatch.setattr(module, "MOST_MEDIA_BYTES", 10)
    assert player(found) is None


def test_in_one_file_the_sheets_leave_room_for_the_rest(coded: tuple[Run, Store]) -> None:
    media = Media(most_bytes=250_000)
    shown = player(findings(*coded, media))
    assert shown is not None
    assert 1 <= len(shown.data["clips"]) < 3
    assert media.inline_bytes <= 0.7 * 250_000
    assert shown.data["clips"][0]["target"].startswith("data:image/jpeg")
    assert shown.data["shots"] == (32,)
    assert all(len(clip["systems"]) == 1 for clip in shown.data["clips"])
    assert "In one file it has 32 shots alone." in shown.note


def test_everybody_comes_once_before_anybody_comes_twice(run: Run) -> None:
    tasks = run.tasks.tasks
    again = tuple(task.model_copy(update={"clip": "ada/v/d"}) for task in tasks if task.identity == "ada")
    order = by_clip((*again, *reversed(tasks)))
    assert [own[0].clip for own in order] == ["ada/v/d", "cleo/v/c", "ben/v/c", "ada/v/c"]
    assert all([task.shots for task in own] == [1, 8, 32] for own in order)


def test_threads_change_nothing(found: Findings) -> None:
    digits = (Digits(metric="psnr", places=2),)
    one, many = (
        ClipEncoder(
            run=found.run,
            store=found.store,
            keys=found.keys,
            digits=digits,
            landmarks={},
            marks=Marks(credentials=False),  # no two signatures are alike
            threads=threads,
        )
        for threads in (1, 4)
    )
    tasks = by_clip(found.run.tasks.tasks)[0]
    assert one.encode(tasks) == many.encode(tasks)


def test_sheets_of_what_never_happened_carry_every_mark(found: Findings, tmp_path: Path) -> None:
    clip = player(found).data["clips"][1]
    for of_shots in clip["systems"]:
        copies, means, drawn = (tmp_path / system["url"] for system in of_shots)
        assert copies.name.startswith(RECORDED)
        assert means.name.startswith(RECORDED)
        assert not drawn.name.startswith(RECORDED)
        assert verify(drawn).missing == ()
    for name in ("target", "driving", "asked"):
        assert Path(clip[name]).name.startswith(RECORDED)


def test_a_second_build_gives_every_sheet_the_same_name(coded: tuple[Run, Store], tmp_path: Path) -> None:
    one, two = (player(findings(*coded, Media(tmp_path / name))).data for name in ("one", "two"))
    assert one == two


class Constant:
    """Finds the same landmarks in everything."""

    key = "landmarks.made-up@1"
    width = 136

    def extract(self, frames: Frames, cache: FeatureCache) -> np.ndarray:  # noqa: ARG002
        return np.tile(np.arange(136, dtype=np.float32) / 4, (len(frames), 1))


def test_landmarks_that_the_run_found_in_pictures_lie_over_these_and_no_others(
    coded: tuple[Run, Store], tmp_path: Path
) -> None:
    run, store = coded
    run = replace(run, folder=Path(shutil.copytree(run.folder, tmp_path / "run")))
    task = by_clip(run.tasks.tasks)[0][0]
    cache = FeatureCache(run.folder / "features")
    cache.features(Constant(), Frames.of(predictions.load(run.folder, "mean-frame", task)[:4]))
    cache.save()
    shown = player(findings(run, store, Media(tmp_path / "site")))
    of_1 = dict(zip(SYSTEMS, shown.data["clips"][0]["systems"][0], strict=True))
    assert shown.found
    for system, places in (("mean-frame", (0, 1, 2, 3)), ("copy-source", (1, 2, 3, 4))):  # the same pictures, one later
        root = ET.fromstring((tmp_path / "site" / of_1[system]["found"]).read_text())
        corners = [(int(cell.get("x")), int(cell.get("y"))) for cell in root]
        assert corners == [LAYOUT.corner(place) for place in places]


def test_features_of_two_versions_are_not_mixed(tmp_path: Path) -> None:
    frames = Frames.of(np.zeros((1, 8, 8, 3), np.uint8))
    for version in (1, 2):
        cache, network = FeatureCache(tmp_path), Constant()
        network.key = f"landmarks.made-up@{version}"
        cache.features(network, frames)
        cache.save()
        assert len(stored_features(tmp_path, "landmarks.")) == (1 if version == 1 else 0)
    assert stored_features(tmp_path, "pose.") == {}


def test_only_the_frames_that_are_named_are_decoded(coded: tuple[Run, Store]) -> None:
    run, _ = coded
    task = run.tasks.tasks[0]
    whole = predictions.load(run.folder, "mean-frame", task)
    assert np.array_equal(predictions.load(run.folder, "mean-frame", task, [5, 2]), whole[[5, 2]])
