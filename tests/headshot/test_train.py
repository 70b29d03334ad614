"""What a preset is made of can be seen before anything is trained, with the options worked in."""

import json

import pytest

from headshot.cli import main


def shown(*arguments: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> dict:
    monkeypatch.setattr("sys.argv", ["headshot", "train", *arguments, "--show"])
    with pytest.raises(SystemExit) as end:
        main()
    assert not end.value.code
    return json.loads(capsys.readouterr().out)


def test_options_are_worked_into_the_preset_that_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--variant", "ff", "--content", "embedded", "--gaze")
    preset = shown("zakharov-256-v2", *options, monkeypatch=monkeypatch, capsys=capsys)
    assert preset["meta_learning"]["variant"] == "ff"
    assert preset["losses"]["content_networks"] == [["vgg16", 1.0]]
    assert preset["network"]["gaze"] is True


def test_without_options_the_preset_is_shown_as_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    preset = shown("zakharov-256-v1", monkeypatch=monkeypatch, capsys=capsys)
    assert preset["losses"]["content_networks"] == [["vgg19", 0.01], ["vggface", 0.002]]
    assert preset["network"]["gaze"] is False


def test_a_learned_baseline_has_no_variants(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["headshot", "train", "x2face-compact", "--variant", "ff", "--show"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert "x2face-compact is a baseline, learned warp" in " ".join(capfd.readouterr().err.split())
