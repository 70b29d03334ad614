"""The player in a real browser: one frame everywhere, by keyboard, by link and by click; and quiet."""

import io
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from eval.runs.results import Run
from pipeline.store import Store
from reports.build import write_site
from reports.player.film import Layout
from reports.player.heat import FULL_LEVELS, STOPS, colours
from tests.reports.player.conftest import FRAMES, SYSTEMS, TARGET_TURN, colour, place_of

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")

pytestmark = pytest.mark.slow

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PATIENCE_MS = 180_000
LINK = "#clip=ben/v/c&frame={row}&shots=8&system=mean-frame&metric=psnr"
PANES = """all => [...all.querySelectorAll("canvas.frame")].map(one => {
    const [inner, outer] = [one.getBoundingClientRect(), all.getBoundingClientRect()];
    return [inner.x - outer.x, inner.y - outer.y, inner.width];
})"""
"""Where each pane is inside of all of them, and how wide."""
Open = Callable[..., "sync_api.Page"]


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
def site(coded: tuple[Run, Store], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the report."""
    folder = tmp_path_factory.mktemp("site")
    write_site(*coded, folder, single_file=False)
    return folder


@pytest.fixture
def open_page(browser: "sync_api.Browser", site: Path) -> Iterator[Open]:
    """Opens the report in a tab of its own, at an anchor, and waits for the player."""
    contexts = []

    def opened(anchor: str = "", folder: Path = site, **options: object) -> "sync_api.Page":
        context = browser.new_context(**{"viewport": {"width": 1200, "height": 1000}, **options})
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        tab = context.new_page()
        tab.goto((folder / "index.html").as_uri() + anchor)
        if options.get("java_script_enabled", True):
            tab.locator("#player").scroll_into_view_if_needed()
            tab.wait_for_selector("#player[data-ready]")
        return tab

    yield opened
    for context in contexts:
        context.close()


def seen(tab: "sync_api.Page", part: str) -> np.ndarray:
    """Return what the reader sees of a pane."""
    with io.BytesIO(tab.locator(part).screenshot()) as file:
        return cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


def middle(picture: np.ndarray) -> np.ndarray:
    """Return the mean colour of the middle of a picture."""
    height, width = picture.shape[:2]
    return picture[height // 3 : height // 2, width // 3 : width // 2].reshape(-1, 3).mean(axis=0)


def places(tab: "sync_api.Page", site: Path) -> dict[str, int]:
    """Return which frame of the task each pane shows, by the pixels on the screen."""
    found = {"driving": _drawn_place(tab, site)}
    for pane, turn in ((2, TARGET_TURN), (3, 0), (4, 1), (5, 2)):
        found[f"pane {pane}"] = place_of(middle(seen(tab, f".pane:nth-child({pane}) canvas.frame")), turn)
    return found


def _drawn_place(tab: "sync_api.Page", site: Path) -> int:
    """Return the frame whose landmark map is most like the one on the screen."""
    shown = cv2.resize(seen(tab, ".pane:nth-child(1) canvas.frame"), (64, 64), interpolation=cv2.INTER_AREA)
    url = tab.evaluate("JSON.parse(document.getElementById('player-data').textContent).clips[0].driving")
    sheet, layout = cv2.imread(str(site / url))[..., ::-1], Layout.of(FRAMES, 64)
    cells = [sheet[y : y + 64, x : x + 64] for x, y in map(layout.corner, range(FRAMES))]
    return min(range(FRAMES), key=lambda place: np.abs(cells[place].astype(float) - shown).sum())


def settled(tab: "sync_api.Page", frame: int) -> None:
    tab.wait_for_selector(f'#player[data-frame="{frame}"]')


def test_keys_move_every_pane_to_the_same_frame(open_page: Open, site: Path) -> None:
    tab = open_page()
    tab.locator('[data-part="stage"]').focus()
    for key, expected in (
        ("ArrowRight", 1),
        ("ArrowRight", 2),
        ("End", 15),
        ("ArrowLeft", 14),
        ("Home", 0),
        ("ArrowLeft", 15),
    ):
        tab.keyboard.press(key)
        settled(tab, expected)
        assert set(places(tab, site).values()) == {expected}, key


def test_the_scrubber_moves_every_pane_to_the_same_frame(open_page: Open, site: Path) -> None:
    tab = open_page()
    tab.locator('[data-part="scrub"]').fill("9")
    settled(tab, 9)
    assert set(places(tab, site).values()) == {9}


def test_while_it_plays_all_panes_show_one_frame_and_stopping_leaves_them_there(open_page: Open) -> None:
    tab = open_page()
    tab.locator('[data-part="speed"]').select_option("1")
    tab.locator('[data-part="stage"]').focus()
    tab.keyboard.press(" ")
    kinds = set()
    for _ in range(4):
        tab.wait_for_timeout(130)
        picture = seen(tab, '[data-part="panes"]')
        boxes = tab.locator('[data-part="panes"]').evaluate(PANES)
        shown = []
        for (x, y, width), turn in zip(boxes[1:], (TARGET_TURN, 0, 1, 2), strict=True):
            top, left, side = round(y), round(x), round(width)
            shown.append(place_of(middle(picture[top : top + side, left : left + side]), turn))
        assert len(set(shown)) == 1, shown
        kinds.add(shown[0])
    assert len(kinds) > 1, "it did play"
    tab.keyboard.press(" ")
    stays = tab.locator("#player").get_attribute("data-frame")
    tab.wait_for_timeout(300)
    assert tab.locator("#player").get_attribute("data-frame") == stays


def test_with_reduced_motion_it_plays_once_and_stops_at_the_end(open_page: Open) -> None:
    tab = open_page(reduced_motion="reduce")
    tab.locator('[data-part="speed"]').select_option("1")
    tab.locator('[data-part="scrub"]').fill("12")
    tab.locator('[data-part="play"]').click()
    tab.wait_for_selector('[data-part="play"][aria-pressed="false"]')
    settled(tab, 15)


def test_a_link_opens_clip_frame_shots_system_and_metric(open_page: Open, coded: tuple[Run, Store]) -> None:
    task = next(one for one in coded[0].tasks.tasks if one.identity == "ben")
    tab = open_page(LINK.format(row=task.frames[6].row))
    settled(tab, 6)
    chosen = {
        name: tab.locator(f'[data-part="{name}"] option:checked').inner_text()
        for name in ("clip", "shots", "system", "metric")
    }
    assert chosen == {"clip": "ben (ben/v/c)", "shots": "8", "system": "mean-frame", "metric": "PSNR ↑"}
    assert place_of(middle(seen(tab, ".pane:nth-child(4) canvas.frame")), 1) == 6


def test_back_and_forward_go_through_what_was_chosen(open_page: Open, coded: tuple[Run, Store]) -> None:
    tab = open_page(LINK.format(row=coded[0].tasks.tasks[0].frames[0].row))
    first = tab.url
    tab.locator('[data-part="clip"]').select_option(label="cleo (cleo/v/c)")
    tab.locator('[data-part="system"]').select_option(label="copy-source")
    assert "#clip=cleo/v/c&frame=" in tab.url
    assert "system=copy-source" in tab.url
    second = tab.url
    tab.go_back()
    tab.go_back()
    assert tab.url == first
    assert tab.locator('[data-part="clip"] option:checked').inner_text() == "ben (ben/v/c)"
    tab.go_forward()
    tab.go_forward()
    assert tab.url == second
    assert tab.locator('[data-part="system"] option:checked').inner_text() == "copy-source"


@pytest.mark.parametrize("anchor", ["#clip=nobody&frame=3", "#clip=ada/v/c&frame=x&shots=-1&system=%00", "#results"])
def test_an_address_that_names_nothing_here_is_harmless(open_page: Open, anchor: str) -> None:
    tab = open_page(anchor)
    settled(tab, 0)
    assert tab.locator('[data-part="clip"] option:checked').inner_text() == "ada (ada/v/c)"


def test_a_click_into_the_strip_goes_to_that_frame(open_page: Open) -> None:
    tab = open_page()
    box = tab.locator('[data-part="strip"]').bounding_box()
    tab.locator('[data-part="strip"]').click(position={"x": box["width"] * (11 + 0.5) / FRAMES, "y": 20})
    settled(tab, 11)


def test_the_value_under_a_pane_is_the_one_of_the_score_rows(open_page: Open, coded: tuple[Run, Store]) -> None:
    run, _ = coded
    task = next(one for one in run.tasks.tasks if (one.identity, one.shots) == ("ben", 8))
    tab = open_page(LINK.format(row=task.frames[6].row))
    for pane, system in enumerate(SYSTEMS, start=3):
        row = next(
            row
            for row in run.scores.to_pylist()
            if (row["system"], row["shots"], row["clip"], row["frame"], row["metric"])
            == (system, 8, task.clip, task.frames[6].row, "psnr")
        )
        assert tab.locator(f".pane:nth-child({pane}) .value").inner_text() == f"{row['value']:.2f} dB"


def test_worst_and_best_are_those_of_the_score_rows_and_lead_there(open_page: Open, coded: tuple[Run, Store]) -> None:
    run, _ = coded
    tab = open_page(LINK.format(row=coded[0].tasks.tasks[0].frames[0].row))
    values = sorted(
        row["value"]
        for row in run.scores.to_pylist()
        if (row["system"], row["shots"], row["metric"]) == ("mean-frame", 8, "psnr")
    )
    for name, expected in (("worst", values[:5]), ("best", values[:-6:-1])):
        assert tab.locator(f'[data-part="{name}"] b').all_inner_texts() == [f"{value:.2f} dB" for value in expected]
    link = tab.locator('[data-part="worst"] a').nth(2)
    anchor = link.get_attribute("href")
    link.click()
    assert tab.url.endswith(anchor)
    assert f"frame {anchor.split('frame=')[1].split('&')[0]}," in tab.locator('[data-part="where"]').inner_text()


def test_failed_frames_are_the_worst(open_page: Open) -> None:
    tab = open_page("#clip=ada/v/c&frame=0&shots=1&system=reference-ft&metric=nme.interocular")
    assert tab.locator('[data-part="worst"] b').all_inner_texts() == ["no face"] * 5
    assert "no face" not in tab.locator('[data-part="best"]').inner_text()
    assert tab.locator('[data-part="strip"] .failed').count() == 2


def test_the_worst_cases_of_the_page_lead_into_the_player(open_page: Open) -> None:
    tab = open_page()
    tab.locator("#worst figcaption a").first.click()
    assert tab.locator('[data-part="where"]').is_visible()
    assert "metric=" in tab.url


def test_the_slider_uncovers_the_target_by_keyboard_and_never_covers_the_label(open_page: Open) -> None:
    tab = open_page()
    slider, screen = tab.locator('[data-part="wipe"]'), '[data-part="wiped"]'
    slider.focus()

    def halves() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        picture = seen(tab, screen)
        height, width = picture.shape[0] * 64 // 80, picture.shape[1]
        left, right = (middle(picture[:height, x : x + width // 2]) for x in (0, width // 2))
        return left, right, picture[height + 3 : -3]

    tab.keyboard.press("Home")
    left, right, label = halves()
    assert (place_of(left, 2), place_of(right, 2)) == (0, 0), "all of it is the system's"
    for _ in range(50):
        tab.keyboard.press("ArrowRight")
    left, right, same_label = halves()
    assert (place_of(left, TARGET_TURN), place_of(right, 2)) == (0, 0)
    assert np.abs(label.astype(int) - same_label).mean() < 1
    assert label.std() > 20, "there is a label"
    tab.keyboard.press("End")
    left, right, no_label = halves()
    assert (place_of(left, TARGET_TURN), place_of(right, TARGET_TURN)) == (0, 0)
    assert no_label.std() < 10, "a recorded frame has none"


def test_every_picture_of_what_never_happened_shows_its_label_and_says_so(open_page: Open) -> None:
    tab = open_page()
    frame = tab.locator(".pane:nth-child(5) canvas.frame")
    box = frame.bounding_box()
    assert box["height"] / box["width"] == pytest.approx(Layout.of(FRAMES, 64).cell_height_px / 64, rel=0.02)
    strip = seen(tab, ".pane:nth-child(5) canvas.frame")[-round(box["height"] * 0.15) :]
    assert strip.std() > 20, "white on dark"
    assert frame.get_attribute("aria-label").startswith("AI-generated: reference-ft from 32 shots, ada, frame ")
    assert tab.locator('[data-part="wiped"] canvas.over').get_attribute("aria-label").startswith("AI-generated: ")


def test_the_error_map_has_the_colour_of_the_difference(open_page: Open) -> None:
    tab = open_page()
    tab.locator('[data-part="scrub"]').fill("5")
    tab.locator('[data-part="errors"]').check()
    for pane, turn in ((3, 0), (5, 2)):
        gap = np.abs(colour(5, turn).astype(float) - colour(5, TARGET_TURN)).mean() / FULL_LEVELS
        expected = [255 * np.interp(min(gap, 1), np.linspace(0, 1, STOPS), channel) for channel in colours().T]
        assert np.abs(middle(seen(tab, f".pane:nth-child({pane}) .screen")) - expected).max() < 14
    target = middle(seen(tab, ".pane:nth-child(2) .screen"))
    assert place_of(target, TARGET_TURN) == 5, "the target stays as it is"


def test_landmarks_are_drawn_where_they_are(open_page: Open, coded: tuple[Run, Store]) -> None:
    run, store = coded
    tab = open_page()
    tab.locator('[data-part="scrub"]').fill("3")
    before = seen(tab, ".pane:nth-child(2) .screen")
    tab.locator('[data-part="asked"]').check()
    tab.wait_for_selector(".pane:nth-child(2) canvas.points:not([hidden])")
    after = seen(tab, ".pane:nth-child(2) .screen")
    changed = np.abs(after.astype(int) - before).sum(axis=-1) > 30
    task = next(one for one in run.tasks.tasks if one.identity == "ada")
    points = store.landmarks(store.clip(task.clip), [task.frames[3].row], 64)[0] * after.shape[1] / 64
    near = cv2.dilate(changed.astype(np.uint8), np.ones((3, 3), np.uint8))
    on_lines = [near[round(float(y)), round(float(x))] for x, y in points]
    assert np.mean(on_lines) > 0.95
    assert changed.mean() < 0.35, "and hardly anywhere else"


def test_without_scripts_the_pictures_are_there_and_the_player_is_not(open_page: Open) -> None:
    tab = open_page(java_script_enabled=False)
    assert not tab.locator("#player").is_visible()
    assert tab.locator("#pictures img").first.is_visible()
    assert tab.locator("#pictures table").count() == 3


def test_on_paper_there_are_pictures_and_no_buttons(open_page: Open) -> None:
    tab = open_page()
    assert not tab.locator("#pictures .still").is_visible()
    tab.emulate_media(media="print")
    assert tab.locator("#pictures img").first.is_visible()
    assert not tab.locator("#player").is_visible()


def test_it_reads_nothing_outside_its_folder_and_names_run_nothing(
    browser: "sync_api.Browser", site: Path, hostile: str
) -> None:
    context = browser.new_context(viewport={"width": 375, "height": 800})
    context.set_default_timeout(PATIENCE_MS)
    tab = context.new_page()
    heard: list[str] = []
    requests: list[str] = []
    tab.on("console", lambda message: heard.append(message.text))
    tab.on("pageerror", lambda error: heard.append(str(error)))
    tab.on("dialog", lambda dialog: heard.append(dialog.message))
    tab.on("request", lambda request: requests.append(request.url))
    tab.goto((site / "index.html").as_uri())
    tab.locator("#player").scroll_into_view_if_needed()
    tab.wait_for_selector("#player[data-ready]")
    for name in ("asked", "errors"):
        tab.locator(f'[data-part="{name}"]').check()
    tab.locator('[data-part="next"]').click()
    settled(tab, 1)
    assert heard == []
    assert all(url.startswith((site.as_uri(), "data:")) for url in requests)
    assert any("media/" in url for url in requests)
    assert hostile in tab.locator("h1").inner_text()
    context.close()


def test_where_the_media_are_missing_it_says_so(open_page: Open, site: Path, tmp_path: Path) -> None:
    shutil.copy(site / "index.html", tmp_path)
    tab = open_page(folder=tmp_path)
    trouble = tab.locator('[data-part="trouble"]')
    trouble.wait_for()
    assert 'the folder "media" beside this page' in trouble.inner_text()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 375)])
def test_axe_finds_nothing_in_the_player(open_page: Open, scheme: str, width: int) -> None:
    tab = open_page(
        "#clip=ada/v/c&frame=0&shots=1&system=reference-ft&metric=nme.interocular",
        color_scheme=scheme,
        viewport={"width": width, "height": 900},
    )
    for name in ("asked", "errors"):
        tab.locator(f'[data-part="{name}"]').check()
    found = axe.Axe().run(tab, context="#player", options={"runOnly": RULES, "resultTypes": ["violations"]}).response
    assert len(found["passes"]) > 10, "axe did look"
    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
