"""The page in a real browser: quiet, accessible, at any width, without scripts."""

import shutil
from collections.abc import Iterator

import pytest

from eval.runs.results import Run
from pipeline.store import Store
from reports.build import build_report
from reports.dataset_page import build_dataset_page
from reports.site import PAGES
from tests.reports.test_dataset_page import small_dataset

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")

pytestmark = pytest.mark.slow

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = (375, 1440)
SCHEMES = ("light", "dark")
PATIENCE_MS = 180_000
"""A hang is what is to be noticed, not a machine that is busy with other tests."""


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


@pytest.fixture
def tab(browser: "sync_api.Browser") -> Iterator["sync_api.Page"]:
    """An empty tab of a phone's width."""
    context = browser.new_context(viewport={"width": 375, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def address(run: Run, store: Store, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the first page of a site lies on disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "open", lambda _: store)
        return build_report(run.folder, "data", tmp_path_factory.mktemp("page") / "site").as_uri()


@pytest.fixture(scope="module")
def alone(run: Run, store: Store, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where a report in one file lies on disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "open", lambda _: store)
        return build_report(run.folder, "data", tmp_path_factory.mktemp("one") / "site", single_file=True).as_uri()


@pytest.fixture(scope="module", params=[*PAGES, "one file", "statistics"])
def any_address(
    request: pytest.FixtureRequest, address: str, alone: str, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """Where each kind of page lies on disk."""
    if request.param == "statistics":
        return build_dataset_page(small_dataset(tmp_path_factory.mktemp("dataset"))).as_uri()
    return alone if request.param == "one file" else address.replace("index.html", request.param)


@pytest.fixture(params=[(width, scheme) for width in WIDTHS for scheme in SCHEMES], ids=str)
def page(browser: "sync_api.Browser", request: pytest.FixtureRequest) -> Iterator["sync_api.Page"]:
    """An empty tab at each width in each colour scheme."""
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


def test_a_page_asks_for_nothing_outside_its_folder_and_complains_of_nothing(
    page: "sync_api.Page", any_address: str
) -> None:
    requests: list[str] = []
    messages: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.goto(any_address)
    page.evaluate("document.querySelectorAll('img').forEach(image => image.loading = 'eager')")
    page.wait_for_function("[...document.images].every(image => image.complete)")
    folder = any_address.rpartition("/")[0]
    assert any_address in requests
    assert [url for url in requests if not url.startswith(("data:", f"{folder}/"))] == []
    assert messages == []
    assert page.evaluate("[...document.images].filter(image => !image.naturalWidth).length") == 0


@pytest.mark.parametrize(("scheme", "width"), [("light", 375), ("dark", 1440)])
def test_axe_finds_nothing_to_complain_about(
    browser: "sync_api.Browser", any_address: str, scheme: str, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    context.set_default_timeout(PATIENCE_MS)
    tab = context.new_page()
    tab.goto(any_address)
    results = axe.Axe().run(tab, options={"runOnly": RULES, "resultTypes": ["violations"]}).response
    assert len(results["passes"]) > 30, "axe did look"
    assert [(found["id"], found["nodes"][0]["html"]) for found in results["violations"]] == []
    context.close()


def test_the_page_never_scrolls_sideways(page: "sync_api.Page", any_address: str) -> None:
    page.goto(any_address)
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_the_colour_scheme_of_the_reader_is_followed(browser: "sync_api.Browser", address: str) -> None:
    grounds = {}
    for scheme in SCHEMES:
        context = browser.new_context(color_scheme=scheme)
        context.set_default_timeout(PATIENCE_MS)
        tab = context.new_page()
        tab.goto(address)
        grounds[scheme] = tab.evaluate("getComputedStyle(document.body).backgroundColor")
        context.close()
    assert grounds["light"] != grounds["dark"]


def test_system_names_stay_in_view_while_a_table_is_scrolled(tab: "sync_api.Page", address: str) -> None:
    tab.goto(address)
    region = tab.get_by_role("region", name="Systems at each number of shots", exact=True)
    region.evaluate("element => element.scrollLeft = 400")
    assert region.evaluate("element => element.scrollLeft") > 100, "there is something to scroll"
    assert region.get_by_role("rowheader", name="copy-source").first.bounding_box()["x"] >= 0


def test_everything_is_there_with_scripts_off(browser: "sync_api.Browser", address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(PATIENCE_MS)
    tab = context.new_page()
    tab.goto(address)
    assert tab.get_by_role("table").count() >= 10
    for which in ("", " over all frames", " over far frames"):
        assert tab.get_by_role("img", name=f"SSIM against shots{which}, one line").count() == 1
    assert tab.get_by_role("heading", name="Results").is_visible()
    assert tab.get_by_role("button").count() == 0, "nothing is offered that does nothing"
    tab.locator("#results").get_by_role("link", name="SSIM").first.click()
    tab.wait_for_url("**#metric-2")
    assert tab.locator("#metric-2").get_by_text("ssim@").is_visible()
    context.close()


def test_a_table_is_sorted_best_first_then_worst_first_then_as_written(tab: "sync_api.Page", address: str) -> None:
    tab.goto(address)
    region = tab.get_by_role("region", name="Systems at each number of shots", exact=True)
    head, column = region.get_by_role("columnheader", name="SSIM"), 2
    last = region.locator("tbody").last
    names, values = last.locator("th[scope=row]"), last.locator(f"tr td:nth-child({column + 1})")
    written, button = names.all_inner_texts(), region.get_by_role("button", name="Sort by SSIM")
    ssim = [float(value) for value in values.evaluate_all("cells => cells.map(cell => cell.dataset.value)")]
    best_first = [name for _, name in sorted(zip(ssim, written, strict=True), reverse=True)]
    assert best_first != written
    for state, expected in (("descending", best_first), ("ascending", best_first[::-1]), ("none", written)):
        button.focus()
        tab.keyboard.press("Enter")
        assert head.get_attribute("aria-sort") == state
        assert names.all_inner_texts() == expected
    assert last.locator("tr").first.get_attribute("class") == "group"


def test_the_name_of_a_metric_opens_its_definition_and_escape_closes_it(tab: "sync_api.Page", address: str) -> None:
    tab.goto(address)
    name = tab.locator("#results").get_by_role("link", name="LPIPS").first
    name.focus()
    tab.keyboard.press("Enter")
    dialog = tab.get_by_role("dialog", name="LPIPS")
    assert dialog.get_by_text("lpips.alex@").is_visible()
    assert dialog.get_by_text("f" * 64).first.is_visible(), "the hash of the network"
    results = axe.Axe().run(tab, options={"runOnly": RULES, "resultTypes": ["violations"]}).response
    assert [(found["id"], found["nodes"][0]["html"]) for found in results["violations"]] == []
    tab.keyboard.press("Escape")
    assert not dialog.is_visible()
    assert name.evaluate("link => link === document.activeElement"), "the reader is where they were"


def test_one_file_has_its_downloads_inside(tab: "sync_api.Page", alone: str) -> None:
    tab.goto(alone)
    links = tab.locator("a[download]")
    assert links.count() == 4
    for place in range(links.count()):
        with tab.expect_download() as offered:
            links.nth(place).click()
        assert offered.value.path().stat().st_size > 100
        assert offered.value.suggested_filename == links.nth(place).get_attribute("download")


def test_the_page_prints_on_a4_with_its_folded_parts_open(tab: "sync_api.Page", any_address: str) -> None:
    tab.set_viewport_size({"width": 718, "height": 1000})  # A4 less margins of 1 cm
    tab.goto(any_address)
    tab.emulate_media(media="print")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 718, "nothing is cut off on the right"
    for folded in tab.locator("details:not(.repeated) > :last-child").all():
        assert folded.is_visible(), "what is folded on the screen is open on paper, unless a figure says it all"
    assert not tab.get_by_role("navigation").is_visible()
    assert not tab.locator(".sort").first.is_visible()
    assert len(tab.pdf(format="A4")) > 10_000


def test_the_keyboard_reaches_the_content_first_and_every_scrolling_table(tab: "sync_api.Page", address: str) -> None:
    tab.goto(address)
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"
    tab.keyboard.press("Enter")
    tab.wait_for_url("**#main")
    assert tab.locator(".scroll:not([tabindex='0'])").count() == 0


def test_hostile_names_run_nothing(tab: "sync_api.Page", any_address: str, hostile: str) -> None:
    dialogs: list[str] = []
    tab.on("dialog", lambda dialog: dialogs.append(dialog.message))
    tab.goto(any_address)
    for link in tab.locator('#results a[href^="#metric-"]').all()[:6]:
        link.click()
        tab.keyboard.press("Escape")
    for button in tab.locator("#results .sort").all()[:3]:
        button.click()
    tab.wait_for_timeout(200)
    assert dialogs == []
    assert tab.locator("img[src='x']").count() == 0
    assert hostile in tab.locator("h1").inner_text()
