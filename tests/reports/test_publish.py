"""Reports as a site: a list, a feed, cards and tags that say what the reports say, and nothing of what is gone."""

import io
import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from eval.runs.results import Run
from eval.statistics.cells import summarise
from reports.publish.build import publish_reports, republish
from reports.publish.card import HEIGHT_PX, WIDTH_PX, card, plain, wrapped
from reports.publish.feed import feed
from reports.publish.summary import Summary, chart_of, load, save, summary_of
from weights.errors import HeadshotError

ADDRESS = "https://example.org/reports/"
ATOM = "{http://www.w3.org/2005/Atom}"
PAGE = '<!doctype html>\n<html lang="en"><head><title>{}</title></head><body><p>of {}</p></body></html>\n'


@pytest.fixture(scope="module")
def summary(run: Run, hostile: str) -> Summary:
    spec = run.record.specs[0]
    chart = chart_of(summarise(run.scores, [spec]), spec)
    return summary_of(run, f"drawn faces {hostile}", "With 32 shots of these 3 people no system is clearly best", chart)


@pytest.fixture
def root(tmp_path: Path, summary: Summary) -> Path:
    """Two reports, `old` and `new`, and a folder that is none."""
    for name, ended_at in (("old", "2025-03-01T10:12:34+00:00"), ("new", "2025-03-01T12:00:00+01:00")):
        folder = tmp_path / "out" / name
        folder.mkdir(parents=True)
        (folder / "index.html").write_text(PAGE.format(name, name), encoding="utf-8")
        save(folder, summary.model_copy(update={"title": f"Report {name}", "ended_at": ended_at, "key": name}))
    (tmp_path / "out" / "notes").mkdir()
    return tmp_path / "out"


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def titles(root: Path) -> list[str]:
    return re.findall(r"<h2><a href=\"[^\"]*\">([^<]*)</a>", (root / "index.html").read_text(encoding="utf-8"))


def entries_of(root: Path) -> list[ET.Element]:
    return ET.parse(root / "feed.xml").getroot().findall(f"{ATOM}entry")


def test_the_list_has_every_report_the_newest_first_and_no_folder_that_is_none(root: Path) -> None:
    assert len(publish_reports(root).entries) == 2
    assert titles(root) == ["Report new", "Report old"], "11:00 is later than 10:12, whatever the zone"
    text = (root / "index.html").read_text(encoding="utf-8")
    assert 'href="new/index.html"' in text
    assert "3 people, 3 systems, 1, 8 and 32 shots" in text
    assert ".nojekyll" in contents(root)


def test_publishing_again_writes_nothing_and_changes_no_time(root: Path) -> None:
    assert publish_reports(root, ADDRESS).written > 0
    before, times = contents(root), {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    assert publish_reports(root, ADDRESS).written == 0
    assert republish(root).written == 0
    assert contents(root) == before
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == times


def test_a_report_that_was_taken_down_is_gone_from_list_feed_and_cards(root: Path) -> None:
    publish_reports(root, ADDRESS)
    assert "cards/old.png" in contents(root)
    (root / "old" / "index.html").unlink()
    assert republish(root).written > 0
    assert titles(root) == ["Report new"]
    assert len(entries_of(root)) == 1
    assert "cards/old.png" not in contents(root)
    assert ADDRESS in (root / "feed.xml").read_text(encoding="utf-8"), "published again in the same way"


def test_a_folder_that_was_never_published_is_left_alone(root: Path) -> None:
    before = contents(root)
    assert republish(root) is None
    assert contents(root) == before


def test_without_an_address_no_link_is_absolute(root: Path) -> None:
    publish_reports(root)
    for name, content in contents(root).items():
        if name.endswith((".html", ".xml", ".txt")):
            found = re.findall(r"https?://[^\s\"<]*", content.decode().replace("http://www.w3.org/2005/Atom", ""))
            assert found == [], name
    page = (root / "new" / "index.html").read_text(encoding="utf-8")
    assert 'property="og:title" content="Report new"' in page
    assert "og:image" not in page


def test_with_an_address_a_page_names_itself_and_its_card(root: Path) -> None:
    publish_reports(root, ADDRESS.rstrip("/"))
    page = (root / "new" / "index.html").read_text(encoding="utf-8")
    assert f'<link rel="canonical" href="{ADDRESS}new/">' in page
    for tag in ("og:image", "twitter:image"):
        assert re.search(rf'"{tag}" content="{ADDRESS}cards/new.png"', page)
    assert 'content="summary_large_image"' in page
    assert page.count("<!-- sharing -->") == 1


def test_tags_are_replaced_and_the_page_around_them_stays(root: Path) -> None:
    before = (root / "new" / "index.html").read_text(encoding="utf-8")
    publish_reports(root, ADDRESS)
    publish_reports(root)
    after = (root / "new" / "index.html").read_text(encoding="utf-8")
    assert ADDRESS not in after
    assert re.sub(r"<!-- sharing -->.*<!-- /sharing -->\n", "", after, flags=re.DOTALL) == before


def test_hostile_names_stay_text(root: Path, summary: Summary, hostile: str) -> None:
    save(root / "new", summary.model_copy(update={"headline": f'"> {hostile} {"a" * 400}\x0b', "systems": (hostile,)}))
    publish_reports(root, ADDRESS)
    for name in ("index.html", "new/index.html"):
        assert "<img" not in (root / name).read_text(encoding="utf-8")
    (entry, _) = (one.find(f"{ATOM}summary") for one in entries_of(root))
    assert hostile in entry.text


@pytest.mark.parametrize("address", ["", ADDRESS])
def test_the_feed_has_what_atom_asks_for(root: Path, address: str) -> None:
    publish_reports(root, address)
    tree = ET.parse(root / "feed.xml").getroot()
    assert tree.tag == f"{ATOM}feed"
    for one in (tree, *entries_of(root)):
        for name in ("id", "title", "updated"):
            assert len(one.findall(f"{ATOM}{name}")) == 1
        assert re.fullmatch(r"(urn:uuid:[0-9a-f-]{36}|https://.+)", one.findtext(f"{ATOM}id"))
        assert datetime.fromisoformat(one.findtext(f"{ATOM}updated")).tzinfo is not None
        assert len([link for link in one.findall(f"{ATOM}link") if link.get("rel") == "alternate"]) == 1
    assert tree.find(f"{ATOM}author/{ATOM}name").text
    assert [one.findtext(f"{ATOM}title") for one in entries_of(root)] == ["Report new", "Report old"]
    assert len({one.findtext(f"{ATOM}id") for one in entries_of(root)}) == 2
    assert tree.findtext(f"{ATOM}updated") == "2025-03-01T11:00:00Z"


def test_a_report_keeps_its_id_where_it_moves_to_another_address_or_is_scored_again(root: Path, run: Run) -> None:
    publish_reports(root)
    ids = {one.findtext(f"{ATOM}title"): one.findtext(f"{ATOM}id") for one in entries_of(root)}
    publish_reports(root, ADDRESS)
    assert {one.findtext(f"{ATOM}title"): one.findtext(f"{ATOM}id") for one in entries_of(root)} == ids
    again = run.record.model_copy(update={"score_key": "9" * 64, "ended_at": "2026-01-01T00:00:00+00:00"})
    assert summary_of(replace(run, record=again), "t", "h").key == summary_of(run, "t", "h").key


def test_a_feed_of_nothing_is_a_feed() -> None:
    assert ET.fromstring(feed([]).encode()).findtext(f"{ATOM}updated") == "1970-01-01T00:00:00Z"


def test_the_summary_says_what_the_run_says(run: Run, summary: Summary) -> None:
    assert summary.chart is not None
    cells = [one for one in summarise(run.scores, run.record.specs[:1]) if one.shots == 32]
    assert [(row.system, row.value) for row in summary.chart.rows] == [
        (one.system, one.value) for one in sorted(cells, key=lambda one: one.value)
    ], "the first metric is a distance: the least is the best"
    assert "lower is better" in summary.chart.caption


def test_a_card_is_of_the_size_that_sites_show_and_always_the_same(summary: Summary) -> None:
    image = Image.open(io.BytesIO(card(summary)))
    assert image.size == (WIDTH_PX, HEIGHT_PX) == (1200, 630)
    assert image.format == "PNG"
    assert len(card(summary)) < 200_000
    assert card(summary) == card(summary)


def test_what_is_said_on_a_card_changes_it_where_it_is_said(summary: Summary) -> None:
    def changed_rows(**change: object) -> tuple[int, int]:
        pictures = (
            np.asarray(Image.open(io.BytesIO(card(one)))) for one in (summary, summary.model_copy(update=change))
        )
        one, other = pictures
        rows = np.flatnonzero((one != other).any(axis=(1, 2)))
        return int(rows[0]), int(rows[-1])

    assert changed_rows(people=99)[0] > 566, "below the line"
    assert changed_rows(quick_look=True)[1] < 90, "the badge is at the top"
    assert 90 < changed_rows(headline=summary.headline.replace("no system", "my-system"))[0] < 300


def test_a_text_without_end_stays_on_the_card(summary: Summary) -> None:
    lines = wrapped("word " * 200, 30, 500, 2)
    assert len(lines) == 2
    assert lines[-1].endswith("...")
    assert wrapped("w" * 500, 30, 500, 2)[0].endswith("...")
    long = summary.model_copy(update={"title": "w" * 300, "headline": "and " * 300})
    pixels = np.asarray(Image.open(io.BytesIO(card(long))))
    assert (pixels[:, -40:] == 255).all(), "the right margin stays empty"


def test_letters_that_the_font_lacks_are_written_as_it_can() -> None:
    assert plain("Zoë’s −3 – naïve · 東\x00京") == "Zoe's -3 - naive · ???"


def test_an_address_that_is_none_is_refused(root: Path) -> None:
    for address in ("example.org", "ftp://example.org", "https://example.org/?q=1", "javascript:alert(1)"):
        with pytest.raises(HeadshotError, match="give where the site will be"):
            publish_reports(root, address)


def test_a_folder_that_is_not_there_and_a_damaged_summary_are_said(root: Path) -> None:
    with pytest.raises(HeadshotError, match="write a report first"):
        publish_reports(root / "nowhere")
    (root / "new" / "summary.json").write_text("{}", encoding="utf-8")
    with pytest.raises(HeadshotError, match=r"write the report in .*new again"):
        load(root / "new")
