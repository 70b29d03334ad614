"""Marked files: each mark is there, each can be left out, and nothing can be changed without being noticed."""

import io
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from model.disclosure import credentials, watermark, xmp
from model.disclosure.certificate import certificate, folder
from model.disclosure.label import ALTERED, DigitalSourceType
from model.disclosure.mark import PICTURE_SUFFIXES, marked_picture, marked_video, plain_picture, write
from model.disclosure.statement import Marks, Shown
from model.disclosure.verification import verify
from tests.model.disclosure.conftest import faces
from weights.errors import HeadshotError

SHOWN = Shown(description='A face & <more> "words" \u00fc.\0', made_by={"run": "demo", "system": "reference-ff"})


def file_of(suffix: str, marks: Marks = Marks(), shown: Shown = SHOWN) -> bytes:  # noqa: B008 - frozen
    if suffix == ".mp4":
        return marked_video(faces(5, 64), 25.0, shown, marks)
    return marked_picture(faces(1, 64)[0], suffix, shown, marks)


@pytest.mark.parametrize("suffix", credentials.MIME)
def test_every_kind_of_file_carries_every_mark(own_cache: Path, tmp_path: Path, suffix: str) -> None:
    write(tmp_path / f"marked{suffix}", file_of(suffix))
    verdict = verify(tmp_path / f"marked{suffix}", certificate())
    assert verdict.complete
    assert verdict.stated == xmp.Stated(source_type=DigitalSourceType.COMPOSITE, label="AI-generated")
    assert verdict.credentials.validity == "valid"
    assert verdict.credentials.ours
    assert verdict.credentials.source_type == DigitalSourceType.COMPOSITE


@pytest.mark.parametrize("suffix", credentials.MIME)
@pytest.mark.parametrize("name", ["label", "source-type", "credentials", "watermark"])
def test_each_mark_can_be_left_out_and_the_file_says_so(
    own_cache: Path, tmp_path: Path, suffix: str, name: str
) -> None:
    write(tmp_path / f"marked{suffix}", file_of(suffix, Marks.without([name])))
    verdict = verify(tmp_path / f"marked{suffix}")
    assert verdict.missing == (name,)
    assert verdict.stated.left_out == (name,)
    assert verdict.credentials.left_out == (() if name == "credentials" else (name,))


def test_the_pixels_are_those_of_the_picture_with_label_and_watermark(own_cache: Path) -> None:
    (face,) = faces(1, 64)
    plain = decoded(marked_picture(face, ".png", SHOWN, Marks(label=False, watermark=False)))
    assert np.array_equal(plain, face)
    below = decoded(marked_picture(face, ".png", SHOWN, Marks(watermark=False)))
    assert np.array_equal(below[:64], face)
    assert len(below) > 64
    corner = decoded(marked_picture(face, ".png", SHOWN, Marks(watermark=False), place="corner"))
    assert np.array_equal(corner[:50], face[:50])
    assert not np.array_equal(corner, face)
    drawn = decoded(marked_picture(face, ".png", SHOWN, Marks(watermark=False), place="drawn"))
    assert np.array_equal(drawn, face)


def decoded(content: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


@pytest.mark.parametrize("suffix", PICTURE_SUFFIXES)
def test_other_readers_open_the_file_and_find_the_packet(own_cache: Path, suffix: str) -> None:
    """Pillow has its own readers of all three formats."""
    with Image.open(io.BytesIO(file_of(suffix))) as image:
        image.load()
        assert image.size == (64, 75)
        packet = image.info.get("xmp") or image.info["XML:com.adobe.xmp"].encode()
    assert xmp.read(packet).source_type == DigitalSourceType.COMPOSITE
    assert 'A face &amp; &lt;more&gt; "words" \u00fc' in packet.decode()


def test_a_video_plays_as_before_and_its_index_comes_first(own_cache: Path) -> None:
    content = file_of(".mp4")
    with av.open(io.BytesIO(content)) as video:
        assert len(list(video.decode(video=0))) == 5
        assert video.metadata["digital_source_type"] == DigitalSourceType.COMPOSITE
    assert 0 < content.find(b"moov") < content.find(b"mdat")


@pytest.mark.parametrize("suffix", credentials.MIME)
def test_one_flipped_byte_is_noticed_wherever_it_is(own_cache: Path, suffix: str) -> None:
    """But in the manifest's own container (see the next test), and in an MP4's `ftyp`, which names kinds of players."""
    content = file_of(suffix)
    begin, end = content.find(b"jumb") - 60, content.find(b"c2pa.signature\0") + 2100
    outside = [place for place in range(len(content)) if not (0 if suffix == ".mp4" else begin) <= place < end]
    for place in np.random.default_rng(0).choice(outside, 60, replace=False):
        assert flipped(content, int(place)) == "invalid", f"byte {place} of {len(content)}"


def test_whatever_the_manifest_says_cannot_be_changed(own_cache: Path) -> None:
    content = file_of(".png")
    begin, end = content.find(b"jumb"), content.find(b"c2pa.signature\0") + 2000
    said = {word: content.find(word) for word in (b"AI-generated", b"compositeWith", b"reference-ff", b"c2pa.created")}
    assert all(begin < place < end for place in (content.find(b"c2pa.created"), content.rfind(b"reference-ff")))
    for word, place in said.items():
        assert flipped(content, place + 3) == "invalid", word
    unnoticed = [place for place in range(begin, end, 7) if flipped(content, place) != "invalid"]
    assert len(unnoticed) * 7 < 150, "only names and lengths of boxes"


def flipped(content: bytes, place: int) -> str:
    changed = bytearray(content)
    changed[place] ^= 1
    return credentials.read(bytes(changed), suffix_of(content)).validity


def suffix_of(content: bytes) -> str:
    return {b"\x89PNG": ".png", b"\xff\xd8\xff\xe0": ".jpg", b"RIFF": ".webp"}.get(content[:4], ".mp4")


def test_a_file_of_another_machine_is_whole_and_not_ours(own_cache: Path) -> None:
    content = file_of(".png")
    folder().rename(own_cache / "theirs")
    read = credentials.read(content, ".png", certificate())
    assert read.validity == "valid"
    assert not read.ours
    assert read.signer == "headshot, on this machine"


def test_a_manifest_that_is_moved_to_another_picture_is_invalid(own_cache: Path) -> None:
    first = file_of(".jpg")
    second = plain_picture(255 - faces(1, 64)[0], ".jpg")
    head = first[: first.find(b"\xff\xdb")]
    moved = head + second[second.find(b"\xff\xdb") :]
    assert credentials.read(moved, ".jpg").validity == "invalid"


def test_what_carries_nothing_says_nothing(own_cache: Path, tmp_path: Path) -> None:
    write(tmp_path / "plain.png", plain_picture(faces(1, 64)[0], ".png"))
    verdict = verify(tmp_path / "plain.png")
    assert verdict.missing == ("label", "source-type", "credentials", "watermark")
    assert verdict.credentials.validity == "none"
    assert verdict.stated == xmp.Stated()


def test_altered_pictures_are_not_called_ai(own_cache: Path, tmp_path: Path) -> None:
    shown = Shown(description="bent", source_type=DigitalSourceType.ALTERED, label=ALTERED)
    content = file_of(".webp", shown=shown)
    write(tmp_path / "bent.webp", content)
    assert verify(tmp_path / "bent.webp").complete
    assert b"AI-generated" not in content
    assert b"rainedAlgorithmicMedia" not in content


def test_long_descriptions_are_cut_and_the_packet_stays_whole(own_cache: Path) -> None:
    content = file_of(".jpg", shown=Shown(description="<&>" * 30_000))
    assert xmp.read(content).label == "AI-generated"
    assert decoded(content).shape == (75, 64, 3)


def test_other_kinds_of_files_and_other_marks_are_refused() -> None:
    with pytest.raises(HeadshotError, match=r"\.png, \.jpg or \.webp"):
        file_of(".gif")
    with pytest.raises(HeadshotError, match="--without bel: the marks are label, source-type, credentials, watermark"):
        Marks.without(["label", "bel"])
    assert Marks.without([""]) == Marks()
    assert Marks.without([" label ", "watermark"]).left_out == ("label", "watermark")


def test_the_watermark_of_a_video_is_in_every_frame(own_cache: Path) -> None:
    with av.open(io.BytesIO(file_of(".mp4"))) as video:
        frames = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
    assert all(watermark.read([frame]).found for frame in frames)
