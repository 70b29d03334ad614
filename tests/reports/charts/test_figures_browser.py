"""The figures in a real browser: accessible in both schemes, legible on a phone and on paper."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from eval.runs.results import Run
from pipeline.store import Store
from reports import page as report
from reports.findings import findings
from reports.media import Media
from tests.reports.charts.study import NAMES, made_up
from tests.reports.charts.test_sections import FIGURES

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")

pytestmark = pytest.mark.slow

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PATIENCE_MS = 180_000
SMALLEST_PX = 8.0
"""Letters as they are on the screen, after scaling."""
LETTERS = """
() => [...document.querySelectorAll('svg.chart text, svg.heat text')]
  .filter(text => text.checkVisibility())
  .map(text => parseFloat(getComputedStyle(text).fontSize) * Math.hypot(text.getScreenCTM().a, text.getScreenCTM().b))
"""
OUTSIDE = """
() => [...document.querySelectorAll('svg.chart text, svg.heat text')]
  .filter(text => text.checkVisibility() && text.textContent)
  .filter(text => {
    const [own, all] = [text.getBoundingClientRect(), text.ownerSVGElement.getBoundingClientRect()];
    return own.left < all.left - 1 || own.right > all.right + 1 || own.top < all.top - 1 || own.bottom > all.bottom + 1;
  }).map(text => text.textContent)
"""


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
def address(run: Run, store: Store, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where a page of nothing but figures lies on disk: nine systems, one with a long name, on 20 people."""
    found = findings(made_up(run, systems=(*NAMES, "somebody.elses:VeryLongName"), people=20), store, Media())
    path: Path = tmp_path_factory.mktemp("figures") / "index.html"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "SECTIONS", [one for one in report.SECTIONS if one.anchor in FIGURES])
        path.write_text(report.render(report.compose(found)), encoding="utf-8")
    return path.as_uri()


@pytest.mark.parametrize(("scheme", "width"), [("light", 375), ("dark", 1440)])
def test_figures_are_accessible_and_legible_in_both_schemes_on_a_phone_and_a_wide_screen(
    browser: "sync_api.Browser", address: str, scheme: str, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    context.set_default_timeout(PATIENCE_MS)
    tab = context.new_page()
    tab.goto(address)
    tab.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    results = axe.Axe().run(tab, options={"runOnly": RULES, "resultTypes": ["violations"]}).response
    assert len(results["passes"]) > 20, "axe did look"
    assert [(found["id"], found["nodes"][0]["html"]) for found in results["violations"]] == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    letters = tab.evaluate(LETTERS)
    assert len(letters) > 500
    assert min(letters) >= SMALLEST_PX
    assert tab.evaluate(OUTSIDE) == []
    context.close()


def test_figures_fit_on_paper(browser: "sync_api.Browser", address: str) -> None:
    context = browser.new_context(viewport={"width": 718, "height": 1000}, color_scheme="dark")
    tab = context.new_page()
    tab.set_default_timeout(PATIENCE_MS)
    tab.goto(address)
    tab.emulate_media(media="print")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 718
    assert tab.evaluate("getComputedStyle(document.querySelector('.h6')).fill") == "rgb(16, 61, 104)", "as on white"
    assert not tab.locator(".repeated").first.is_visible(), "every cell of a map has its value already"
    assert tab.locator("svg.heat").nth(2).is_visible(), "what is folded on the screen is open on paper"
    context.close()
