"""A form in a real browser: filled in from disk with mouse and keyboard, saved, and read back into scores."""

import shutil
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from eval.runs.results import Run
from eval.study.key import StudyKey
from eval.study.ratings import read_ratings
from pipeline.store import Store
from reports.study.build import DEBRIEFINGS, PAGES, Wanted, write_study
from reports.study.jspsych import fetch_jspsych
from tests.reports.study.conftest import OPTIONS

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")

pytestmark = pytest.mark.slow

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PATIENCE_MS = 180_000


@pytest.fixture(scope="module")
def browser() -> Iterator["sync_api.Browser"]:
    """The installed Chromium."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    with sync_api.sync_playwright() as driver:
        chromium = driver.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu"], timeout=PATIENCE_MS
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def running(run: Run, footage: Store, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, StudyKey]:
    """The folder of a study with the program that runs it."""
    folder = tmp_path_factory.mktemp("running") / "study"
    return folder, write_study(run, footage, folder, Wanted(options=OPTIONS), fetch_jspsych())


class Seen:
    """What a tab asked for, said and complained of."""

    def __init__(self, tab: "sync_api.Page") -> None:
        self.requests: list[str] = []
        self.messages: list[str] = []
        tab.on("request", lambda request: self.requests.append(request.url))
        tab.on("console", lambda message: self.messages.append(message.text))
        tab.on("pageerror", lambda error: self.messages.append(str(error)))
        tab.on("dialog", lambda dialog: self.messages.append(dialog.message))


@pytest.fixture
def tab(browser: "sync_api.Browser") -> Iterator["sync_api.Page"]:
    """An empty tab of a phone's width."""
    context = browser.new_context(viewport={"width": 375, "height": 800}, accept_downloads=True)
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


def begin(tab: "sync_api.Page", folder: Path, code: str = "R01") -> None:
    tab.goto((folder / PAGES / "form-1.html").as_uri())
    tab.get_by_label("Your code").fill(code)
    tab.get_by_role("button", name="I agree").click()
    tab.get_by_role("button", name="Begin").click()


def answer(tab: "sync_api.Page", key: StudyKey, right: bool, by_key: bool) -> None:
    """Fill in the whole form."""
    trials = key.of_form(1)
    for place, trial in enumerate(trials, start=1):
        tab.get_by_text(f"Set {place} of {len(trials)}").wait_for()
        tab.locator(".choice:enabled").first.wait_for()
        choice = trial.answer if right else (trial.answer + 1) % 3
        if by_key:
            tab.keyboard.press(str(choice + 1))
        else:
            tab.get_by_role("button", name=f"Picture {choice + 1}").click()


def saved(tab: "sync_api.Page", folder: Path) -> Path:
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Save my answers").click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


@pytest.mark.parametrize("by_key", [False, True], ids=["mouse", "keyboard"])
def test_a_form_that_was_filled_in_from_disk_is_read_back(
    tab: "sync_api.Page", running: tuple[Path, StudyKey], tmp_path: Path, by_key: bool
) -> None:
    folder, key = running
    seen = Seen(tab)
    begin(tab, folder)
    answer(tab, key, right=True, by_key=by_key)
    path = saved(tab, tmp_path)
    tab.get_by_role("heading", name="Saved").wait_for()
    assert path.name == f"headshot-study-{key.study}-form-1-R01.json"
    ratings, (row,) = read_ratings(key, [path])
    assert (row.reason, len(ratings)) == ("used", 3)
    assert all(one.correct and one.rt_ms > 0 and one.rater == "R01" for one in ratings)
    tab.get_by_text("No file?").click()
    assert tab.get_by_label("Content of the file").input_value() == path.read_text(encoding="utf-8")
    own = (folder / PAGES / "form-1.html").as_uri()
    assert [url for url in seen.requests if not url.startswith(("data:", "blob:"))] == [own]
    assert seen.messages == []


def test_somebody_who_is_always_wrong_misses_the_obvious_sets(
    tab: "sync_api.Page", running: tuple[Path, StudyKey], tmp_path: Path
) -> None:
    folder, key = running
    begin(tab, folder)
    answer(tab, key, right=False, by_key=False)
    assert read_ratings(key, [saved(tab, tmp_path)])[1][0].reason == "failed_catch_trials"


def test_who_does_not_agree_sees_no_picture(tab: "sync_api.Page", running: tuple[Path, StudyKey]) -> None:
    tab.goto((running[0] / PAGES / "form-1.html").as_uri())
    tab.get_by_role("button", name="I do not take part").click()
    tab.get_by_text("Nothing was recorded").wait_for()
    assert tab.locator("img").count() == 0
    assert tab.get_by_role("button").count() == 0


def test_answers_can_be_discarded_after_the_debriefing(
    tab: "sync_api.Page", running: tuple[Path, StudyKey], tmp_path: Path
) -> None:
    folder, key = running
    begin(tab, folder)
    answer(tab, key, right=True, by_key=True)
    tab.get_by_role("button", name="Discard my answers").click()
    tab.get_by_text("Your answers are gone").wait_for()
    assert "rt_ms" not in tab.content().split("<script")[0]


def test_a_code_with_other_letters_is_not_taken_and_none_is_replaced_by_a_random_one(
    tab: "sync_api.Page", running: tuple[Path, StudyKey], tmp_path: Path
) -> None:
    folder, key = running
    tab.goto((folder / PAGES / "form-1.html").as_uri())
    agree = tab.get_by_role("button", name="I agree")
    tab.get_by_label("Your code").fill("Ada Lovelace")
    assert agree.is_disabled()
    tab.get_by_label("Your code").fill("")
    agree.click()
    tab.get_by_role("button", name="Begin").click()
    answer(tab, key, right=True, by_key=True)
    (one, *_), _ = read_ratings(key, [saved(tab, tmp_path)])
    assert one.rater.startswith("r-") and len(one.rater) == 12


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1440])
def test_axe_finds_nothing_on_any_screen_and_nothing_scrolls_sideways(
    browser: "sync_api.Browser", running: tuple[Path, StudyKey], scheme: str, width: int
) -> None:
    folder, key = running
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    context.set_default_timeout(PATIENCE_MS)
    tab = context.new_page()

    def look() -> None:
        results = axe.Axe().run(tab, options={"runOnly": RULES, "resultTypes": ["violations"]}).response
        assert len(results["passes"]) > 10, "axe did look"
        assert [(found["id"], found["nodes"][0]["html"]) for found in results["violations"]] == []
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        assert tab.evaluate("document.activeElement.tagName") in ("H1", "BODY")

    tab.goto((folder / PAGES / "form-1.html").as_uri())
    tab.get_by_role("button", name="I agree").wait_for()
    look()
    tab.get_by_role("button", name="I agree").click()
    look()
    tab.get_by_role("button", name="Begin").click()
    tab.locator(".choice:enabled").first.wait_for()
    look()
    answer(tab, key, right=True, by_key=True)
    tab.get_by_role("button", name="Save my answers").wait_for()
    look()
    tab.get_by_role("button", name="Save my answers").click()
    tab.get_by_role("heading", name="Saved").wait_for()
    look()
    tab.goto((folder / DEBRIEFINGS / "form-1.html").as_uri())
    look()
    context.close()


def test_without_scripts_a_form_says_what_it_needs(browser: "sync_api.Browser", running: tuple[Path, StudyKey]) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto((running[0] / PAGES / "form-1.html").as_uri())
    assert tab.locator("noscript h1").is_visible()
    context.close()


def test_the_program_carries_its_licence_no_fonts_and_no_address_that_would_be_asked(
    running: tuple[Path, StudyKey],
) -> None:
    page = (running[0] / PAGES / "form-1.html").read_text(encoding="utf-8")
    assert "The MIT License" in page
    assert "@font-face" not in page
    assert "sourceMappingURL" not in page
    assert "default-src 'none'" in unescape(page.split('http-equiv="Content-Security-Policy"')[1].partition(">")[0])
    assert len(page) < 400_000
