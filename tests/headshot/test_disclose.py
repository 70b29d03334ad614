"""`headshot disclose`: what it prints, and its exit codes."""

from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from headshot.cli import app
from model.disclosure.mark import marked_picture, plain_picture, write
from model.disclosure.statement import Marks, Shown
from tests.model.disclosure.conftest import faces
from weights.errors import HeadshotError


@pytest.fixture
def media(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two marked pictures and a recorded one that says so."""
    monkeypatch.setenv("HEADSHOT_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (face,) = faces(1, 64)
    for suffix in (".png", ".webp"):
        write(tmp_path / f"media/face{suffix}", marked_picture(face, suffix, Shown(description="a face")))
    write(tmp_path / "media/recorded-face.png", plain_picture(face, ".png"))
    return Path("media")


def disclose(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["disclose", *map(str, arguments)])


def test_a_folder_in_which_everything_is_marked_verifies(media: Path) -> None:
    ended = disclose("verify", media)
    assert ended.exit_code == 0, ended.stderr
    assert "2 of 2 files verify as synthetic by every mark" in ended.stdout
    assert "1 more say by their name that they were recorded" in ended.stdout
    for word in ("AI-generated", "composite", "valid, signed here", "32 of 32 bits"):
        assert ended.stdout.count(word) == 2


def test_a_file_that_lacks_a_mark_is_named_with_what_it_lacks(media: Path) -> None:
    shown = Shown(description="a face")
    write(media / "other.jpg", marked_picture(faces(1, 64)[0], ".jpg", shown, Marks.without(["watermark"])))
    ended = disclose("verify", media)
    assert ended.exit_code == 1
    (row,) = (line for line in ended.stdout.splitlines() if "other.jpg" in line)
    assert "lacks watermark (turned off: watermark)" in row
    assert "2 of 3 files" in ended.stdout
    assert "watermark in 1" in ended.stderr


def test_a_file_that_was_changed_is_called_invalid(media: Path) -> None:
    path = media / "face.webp"
    content = bytearray(path.read_bytes())
    content[200] ^= 1
    path.write_bytes(content)
    ended = disclose("verify", path)
    assert ended.exit_code == 1
    assert "INVALID" in ended.stdout
    assert f"{path}: assertion.dataHash.mismatch" in ended.stdout


def test_mistakes_are_errors(media: Path, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("no picture")
    (tmp_path / "empty").mkdir()
    for wrong, words in (
        ("nowhere.png", "is not there"),
        ("text.txt", r"\.png, \.jpg"),
        ("empty", "no picture or video"),
    ):
        ended = disclose("verify", wrong)
        assert isinstance(ended.exception, HeadshotError)
        with pytest.raises(HeadshotError, match=words):
            raise ended.exception


def test_the_certificate_is_shown_with_its_end(media: Path, tmp_path: Path) -> None:
    ended = disclose("certificate")
    assert ended.exit_code == 0
    assert str(tmp_path / "cache") in ended.stdout
    assert "CN=headshot\\, on this machine" in ended.stdout
    assert "expires" in ended.stdout
