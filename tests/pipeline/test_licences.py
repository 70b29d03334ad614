"""Terms added up by licence, with an address where the words name a known text; faces are discs."""

from pathlib import Path

import pytest

from pipeline.licences import LicenceUse, licence_address, licence_uses, shortened
from tests.pipeline.conftest import clip_of, manifest_of, run


def test_clips_frames_people_and_credits_are_added_up_most_frames_first() -> None:
    clips = [("CC0", "ann", 10, "A"), ("", "bob", 5, ""), ("CC0", "ann", 20, "B"), ("CC0", "eve", 1, "A")]
    assert licence_uses(clips) == (
        LicenceUse(licence="CC0", clips=3, frames=31, people=2, credits=("A", "B")),
        LicenceUse(licence="not stated", clips=1, frames=5, people=1, credits=()),
    )


@pytest.mark.parametrize(
    ("words", "address"),
    [
        ("CC-BY-4.0", "https://creativecommons.org/licenses/by/4.0/"),
        ("CC BY-NC-SA 4.0", "https://creativecommons.org/licenses/by-nc-sa/4.0/"),
        ("CC0", "https://creativecommons.org/publicdomain/zero/1.0/"),
        ("MIT (package)", "https://spdx.org/licenses/MIT.html"),
        ("GPL-3.0-or-later (package)", "https://spdx.org/licenses/GPL-3.0-or-later.html"),
        ("https://example.org/terms", "https://example.org/terms"),
        ("javascript:alert(1)", ""),
        ("https://example.org/<script>", ""),
        ("MITRE's own", ""),
        ("Pexels licence (package: MIT)", ""),
        ("", ""),
    ],
)
def test_only_words_that_name_a_known_text_get_an_address(words: str, address: str) -> None:
    assert licence_address(words) == address


def test_a_long_list_of_credits_ends_with_how_many_more_there_are() -> None:
    assert shortened(("a", "b")) == "a; b"
    assert shortened(tuple("abcdefgh")).startswith("a; b; c; d; e; and 3 more")


@pytest.mark.usefixtures("discs_are_faces")
def test_the_card_sums_up_licences_and_counts_rejects_by_reason(tmp_path: Path, videos: list[Path]) -> None:
    ann, bob = videos[:2]
    clips = clip_of(ann, licence="CC-BY-4.0", credit="A | B"), clip_of(bob), clip_of(tmp_path / "absent.mp4")
    run(manifest_of(*clips), tmp_path / "data")
    card = (tmp_path / "data" / "README.md").read_text()
    assert "| [CC-BY-4.0](https://creativecommons.org/licenses/by/4.0/) | 1 | 40 | 1 | A \\| B |" in card
    assert "| missing_source | 1 |" in card
    assert "absent" not in card, "whoever is left out is not named on the front page"
