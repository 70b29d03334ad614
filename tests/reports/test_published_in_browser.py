"""The page of several runs and the list of reports in a browser: quiet, accessible, at any width, without scripts."""

from dataclasses import replace
from pathlib import Path

import pytest

from eval.runs.results import Run
from reports.compare.build import build_comparison
from reports.publish.build import publish_reports
from reports.publish.summary import save, summary_of
from tests.reports import test_browser as of_report

pytestmark = pytest.mark.slow
browser, tab = of_report.browser, of_report.tab  # fixtures


@pytest.fixture(scope="module")
def site(run: Run, hostile: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A list of two reports, one of which compares three runs: one has another metric, one is over other data."""
    root, made = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("runs")
    data = run.record.dataset.model_copy(update={"manifest_sha256": "c" * 64, "name": hostile})
    specs = tuple(spec.model_copy(update={"version": 9}) if spec.id == "psnr" else spec for spec in run.record.specs)
    for name, changes in (("later", {"specs": specs, "python": hostile}), ("elsewhere", {"dataset": data})):
        replace(run, folder=made / name, record=run.record.model_copy(update=changes)).save()
    build_comparison([run.folder, made / "later", made / "elsewhere"], root / "compared", {"later": "later/index.html"})
    quick = run.tasks.model_copy(update={"limit": 3})
    save(root / "single", summary_of(replace(run, tasks=quick), hostile, f"{hostile} is best"))
    (root / "single" / "index.html").write_text("<!doctype html><html><head></head><body></body></html>")
    return publish_reports(root, "https://example.org/").index.parent


@pytest.fixture(params=["index.html", "compared/index.html"])
def address(site: Path, request: pytest.FixtureRequest) -> str:
    """Where each of the two pages lies on disk."""
    return (site / request.param).as_uri()


@pytest.mark.parametrize(("scheme", "width"), [("light", 375), ("dark", 375), ("light", 1440), ("dark", 1440)])
def test_a_page_is_quiet_fits_and_has_no_fault_that_axe_finds(
    browser: "of_report.sync_api.Browser", address: str, scheme: str, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    context.set_default_timeout(of_report.PATIENCE_MS)
    tab = context.new_page()
    noise: list[str] = []
    requests: list[str] = []
    tab.on("request", lambda request: requests.append(request.url))
    tab.on("console", lambda message: noise.append(message.text))
    tab.on("pageerror", lambda error: noise.append(str(error)))
    tab.on("dialog", lambda dialog: noise.append(dialog.message))
    tab.goto(address)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    options = {"runOnly": of_report.RULES, "resultTypes": ["violations"]}
    results = of_report.axe.Axe().run(tab, options=options).response
    assert len(results["passes"]) > 20, "axe did look"
    assert [(found["id"], found["nodes"][0]["html"]) for found in results["violations"]] == []
    assert [url for url in requests if not url.startswith("data:")] == [address]
    assert noise == []
    context.close()


def test_the_list_says_all_with_scripts_off(browser: "of_report.sync_api.Browser", site: Path, hostile: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(of_report.PATIENCE_MS)
    tab = context.new_page()
    tab.goto((site / "index.html").as_uri())
    assert tab.get_by_role("heading", name=hostile).is_visible()
    assert tab.get_by_text("quick look", exact=True).is_visible()
    tab.get_by_role("link", name="compared").click()
    tab.wait_for_url("**/compared/index.html")
    context.close()


def test_the_comparison_says_all_with_scripts_off(
    browser: "of_report.sync_api.Browser", site: Path, hostile: str
) -> None:
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(of_report.PATIENCE_MS)
    tab = context.new_page()
    tab.goto((site / "compared" / "index.html").as_uri())
    assert tab.get_by_role("table").count() >= 4
    assert tab.get_by_role("rowheader", name="elsewhere", exact=True).count() == 2, "as a run, and as not compared"
    assert tab.get_by_text(hostile).count() > 0
    assert tab.locator("img, script").count() == 0
    context.close()


def test_the_keyboard_reaches_every_table_that_scrolls(tab: "of_report.sync_api.Page", site: Path) -> None:
    tab.goto((site / "compared" / "index.html").as_uri())
    assert tab.locator(".scroll").count() >= 4
    assert tab.locator(".scroll:not([tabindex='0'])").count() == 0
