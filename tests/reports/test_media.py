"""Media: a file for each content, or the content inside the page."""

import base64
import hashlib
from pathlib import Path

import pytest

from reports.media import Media, NoRoomError


def test_a_file_is_named_by_its_content_and_written_once(tmp_path: Path) -> None:
    media = Media(tmp_path)
    address = media.add(b"a picture", "webp")
    assert address == f"media/{hashlib.sha256(b'a picture').hexdigest()[:16]}.webp"
    (tmp_path / address).unlink()
    assert media.add(b"a picture", "webp") == address
    assert not (tmp_path / address).exists(), "it is not written again"
    assert media.add(b"another", "mp4").endswith(".mp4")
    assert [path.read_bytes() for path in (tmp_path / "media").iterdir()] == [b"another"]


def test_inside_the_page_the_address_is_the_content() -> None:
    start, _, content = Media().add(b"a picture", "png").partition(",")
    assert start == "data:image/png;base64"
    assert base64.b64decode(content) == b"a picture"


def test_a_page_that_is_full_takes_no_more() -> None:
    media = Media(most_bytes=100)
    assert media.room_bytes is not None
    media.add(b"x" * 30, "webp")
    room = media.room_bytes
    assert 0 <= room < 30
    with pytest.raises(NoRoomError, match="--single-file"):
        media.add(b"x" * 60, "webp")
    assert media.room_bytes == room, "what was refused takes no room"


def test_room_is_enough_for_what_it_says() -> None:
    media = Media(most_bytes=1000)
    assert media.room_bytes is not None
    media.add(bytes(media.room_bytes), "webm")


def test_files_have_all_the_room_there_is(tmp_path: Path) -> None:
    assert Media(tmp_path, most_bytes=10).room_bytes is None
    assert not Media(tmp_path).inside


def test_an_unknown_kind_of_content_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        Media(tmp_path).add(b"<script>alert(1)</script>", "html")
