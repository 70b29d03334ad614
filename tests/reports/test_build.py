"""The site as a folder: complete, whole or not at all, the same every time."""

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from eval.runs.results import Run
from model.disclosure.label import LABEL
from model.disclosure.mark import RECORDED
from model.disclosure.statement import Marks
from model.disclosure.verification import find, verify
from pipeline.store import Store
from reports import build, gallery
from reports.build import build_report, build_reports
from reports.site import FILES, PAGES, publish_site, remove_site
from weights.errors import HeadshotError

ADDRESS = re.compile(r'(?:src|href)="([^"#]+)"')


@pytest.fixture
def opened(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Open the drawn data set, wherever one is asked for."""
    monkeypatch.setattr(Store, "open", lambda _: store)


@pytest.fixture(scope="module")
def site(run: Run, store: Store, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of the drawn run. Not to be changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "open", lambda _: store)
        return build_report(run.folder, "data", tmp_path_factory.mktemp("built") / "site").parent


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def unsigned(folder: Path) -> dict[str, bytes]:
    """Return what is the same in every build: all but the content of signed files, whose names are the same."""
    return {
        name: b"" if name.startswith("media/") and RECORDED not in name else content
        for name, content in contents(folder).items()
    }


def test_a_site_has_its_pages_its_numbers_and_the_media_they_show(site: Path) -> None:
    files = contents(site)
    assert {name for name in files if "/" not in name} == set(FILES)
    media = {name for name in files if name.startswith("media/")}
    shown = {address for page in ("index.html", "dataset.html") for address in ADDRESS.findall(files[page].decode())}
    shown |= set(re.findall(r'"(media/[^"]+)"', files["index.html"].decode()))  # the script's, in JSON
    assert media == {address for address in shown if address.startswith("media/")}
    recorded = {name for name in media if Path(name).name.startswith(RECORDED)}
    for name in recorded:
        assert hashlib.sha256(files[name]).hexdigest().startswith(Path(name).stem.removeprefix(RECORDED))


def test_the_data_page_shows_the_clip_that_was_left_out(site: Path, hostile: str) -> None:
    html = (site / "dataset.html").read_text(encoding="utf-8")
    (address,) = re.findall(r'<img src="([^"]+)" alt="a frame of eve/v/c: several people[^"]*"', html)
    assert Path(address).name.startswith(RECORDED)
    assert (site / address).is_file()
    assert hostile not in html


def test_every_picture_that_was_not_recorded_verifies_as_synthetic(site: Path) -> None:
    listing = find((site / "media",))
    assert listing.recorded
    assert len(listing.files) > 20
    verdicts = [verify(path) for path in listing.files]
    assert [verdict.path.name for verdict in verdicts if not verdict.complete] == []
    assert {verdict.stated.label for verdict in verdicts} == {LABEL}


def test_every_link_inside_the_site_has_its_target(site: Path) -> None:
    for page in PAGES:
        for address in ADDRESS.findall((site / page).read_text(encoding="utf-8")):
            name, _, anchor = address.partition("#")
            assert name.startswith(("https://", "data:,")) or (site / name).is_file()
            assert not anchor or f'id="{anchor}"' in (site / name).read_text(encoding="utf-8")


def test_what_is_beside_the_main_table_has_a_page_of_its_own(site: Path) -> None:
    cells = json.loads((site / "results.json").read_bytes())["cells"]
    first, more = ((site / page).read_text(encoding="utf-8") for page in ("index.html", "more.html"))
    assert 'href="more.html"' in first
    keys = [set(re.findall(r'data-cell="([^"]+)"', html)) for html in (first, more)]
    assert keys[0] | keys[1] == {cell["key"] for cell in cells}
    assert not keys[0] & keys[1]
    assert len({key.split(":")[2] for key in keys[1]}) == more.count('class="metric"') > 0


def test_the_pages_are_light_without_their_media(site: Path) -> None:
    assert all((site / page).stat().st_size < 2_000_000 for page in FILES if page.endswith(".html"))
    assert "data:image" not in (site / "index.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("opened")
def test_a_site_takes_the_place_of_an_earlier_one_and_is_always_the_same(tmp_path: Path, run: Run, site: Path) -> None:
    (tmp_path / "out" / "media").mkdir(parents=True)
    (tmp_path / "out" / "media" / "stale.webp").touch()
    (tmp_path / "out" / "index.html").write_text("an earlier report")
    (tmp_path / ".out.partial-1").mkdir()
    build_report(run.folder, "data", tmp_path / "out")
    assert unsigned(tmp_path / "out") == unsigned(site)
    assert [path.name for path in tmp_path.iterdir()] == ["out"], "nothing of a build that was killed stays"


@pytest.mark.usefixtures("opened")
def test_a_build_that_fails_leaves_the_earlier_site(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "index.html").write_text("an earlier report")
    monkeypatch.setattr(build, "MOST_PAGE_BYTES", 1000)
    with pytest.raises(HeadshotError, match=r"index.html of .* above the limit"):
        build_report(run.folder, "data", tmp_path / "out")
    assert contents(tmp_path) == {"out/index.html": b"an earlier report"}


def test_a_folder_of_somebody_else_is_neither_replaced_nor_removed(tmp_path: Path) -> None:
    (tmp_path / "index.html").touch()
    (tmp_path / "thesis.docx").touch()
    for attempt in (lambda: publish_site(tmp_path).__enter__(), lambda: remove_site(tmp_path)):
        with pytest.raises(HeadshotError, match=r"holds thesis.docx, which is of no report.*-o"):
            attempt()
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.usefixtures("opened")
def test_one_file_has_everything_inside(tmp_path: Path, run: Run, site: Path) -> None:
    path = build_report(run.folder, "data", tmp_path / "out", single_file=True)
    beside = {file.name for file in (tmp_path / "out").iterdir()}
    assert beside == {"index.html", "summary.json"}, "the second is for lists of reports, not for readers"
    html = path.read_text(encoding="utf-8")
    assert {address[:5] for address in ADDRESS.findall(html)} == {"data:", "https"}
    for section in ("clips-table", "Versions of 3 packages", "cite.bib"):
        assert section in html, "what a site has on pages of their own"
    assert len(re.findall("data:image/webp", html)) > 200
    assert html.count("data-cell") == (site / "index.html").read_text(encoding="utf-8").count("data-cell")
    assert "their table is left out of this one file" in html
    assert html.count('class="metric"') == sum(
        (site / page).read_text(encoding="utf-8").count('class="metric"') for page in PAGES
    )


@pytest.mark.usefixtures("opened")
def test_one_file_shows_fewer_pictures_rather_than_become_too_large(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gallery, "player", lambda _: None)  # which takes what room there is
    whole = build_report(run.folder, "data", tmp_path / "whole", single_file=True).stat().st_size
    monkeypatch.setattr(build, "MOST_FILE_BYTES", whole - 1)
    monkeypatch.setattr(build, "ROOM_BYTES", 0)
    monkeypatch.setattr(build, "PICTURES", (900, 1))
    page = build_report(run.folder, "data", tmp_path / "out", single_file=True)
    assert "1 of 3 clips is shown" in page.read_text(encoding="utf-8")
    monkeypatch.setattr(build, "MOST_FILE_BYTES", 1000)
    with pytest.raises(HeadshotError, match="leave out --single-file"):
        build_report(run.folder, "data", tmp_path / "none", single_file=True)
    assert not (tmp_path / "none").exists()


def beside(run: Run, folder: Path) -> Run:
    """Return the same run under another name."""
    other = replace(run, folder=folder / "other")
    other.save()
    for child in run.folder.iterdir():
        if child.is_dir():
            (other.folder / child.name).symlink_to(child)
    return other


@pytest.mark.usefixtures("opened")
def test_several_runs_have_a_folder_each(tmp_path: Path, run: Run, site: Path) -> None:
    other = beside(run, tmp_path)
    page = build_reports([run.folder, other.folder], "data", tmp_path / "out")
    assert page.comparable
    pages = {one.name: tmp_path / "out" / one.link for one in page.runs}
    assert pages == {name: tmp_path / "out" / name / "index.html" for name in (run.folder.name, "other")}
    assert f"{run.folder.name} and other compared" in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert unsigned(tmp_path / "out" / run.folder.name) == unsigned(site)
    assert json.loads((tmp_path / "out" / "other" / "results.json").read_text())["test"]["run"] == "other"
    with pytest.raises(HeadshotError, match="different names"):
        build_reports([run.folder, run.folder], "data", tmp_path / "out")


@pytest.mark.slow
@pytest.mark.usefixtures("opened")
def test_several_runs_take_the_place_of_an_earlier_comparison(tmp_path: Path, run: Run) -> None:
    other = beside(run, tmp_path)
    for _ in range(2):
        build_reports([run.folder, other.folder], "data", tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir() if path.is_dir()} >= {run.folder.name, "other"}


def test_build_refuses_another_data_set(
    tmp_path: Path, run: Run, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = replace(store, info=store.info.model_copy(update={"manifest_sha256": "9" * 64}))
    monkeypatch.setattr(Store, "open", lambda _: other)
    with pytest.raises(HeadshotError, match=r"manifest aaaaaaaaaaaa.*manifest 999999999999"):
        build_report(run.folder, tmp_path / "data", tmp_path / "out")


def test_a_run_that_is_not_finished_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(HeadshotError, match="no finished benchmark"):
        build_report(tmp_path, tmp_path, tmp_path / "out")


@pytest.mark.usefixtures("opened")
def test_marks_that_are_turned_off_are_missing_and_the_site_says_so(tmp_path: Path, run: Run) -> None:
    marks = Marks.without(["watermark", "credentials"])
    page = build_report(run.folder, "data", tmp_path / "out", marks=marks)
    assert {verify(path).missing for path in find((page.with_name("media"),)).files} == {("credentials", "watermark")}
    assert (
        "Turned off when this report was written: a signed C2PA manifest and an invisible watermark" in page.read_text()
    )
    said = json.loads(page.with_name("results.json").read_bytes())
    assert said["marks_left_out"] == ["credentials", "watermark"]
