import math
import re
from dataclasses import replace

import pytest

from eval.runs.results import Run
from eval.statistics.identities import IdentityTable
from pipeline.store import Store
from reports.charts.heat_map import (
    CELL,
    LEFT,
    MOST_PEOPLE,
    ROW,
    SHADES,
    UPRIGHT_HEAD,
    identities_section,
    people_map,
    system_maps,
)
from reports.findings import findings
from reports.html import FOLDERS
from reports.legend import legend
from reports.media import Media
from tests.reports.charts.study import BY_ID, NAMES, column, made_up

NAN = math.nan
SSIM, LPIPS = BY_ID["ssim"], BY_ID["lpips.alex"]
COLUMNS = (column(SSIM), column(LPIPS))
KEYS = legend([("a", "a"), ("b", "b")])


def table(metric: str = "ssim", **people: tuple[float, float]) -> IdentityTable:
    """Values of two systems; hardness falls from the first person to the last."""
    last = max(len(people) - 1, 1)
    return IdentityTable(
        metric=metric,
        shots=8,
        systems=("a", "b"),
        identities=tuple(people),
        values=tuple(people.values()),
        mean=tuple(sum(values) / 2 for values in people.values()),
        hardness=tuple(1 - place / last if len(people) > 1 else NAN for place in range(len(people))),
    )


def shade_of(path_of: tuple[str, ...], x: float, y: float) -> int:
    (found,) = (shade for shade, path in enumerate(path_of) if f"M{x:g} {y:g}h" in path)
    return found


def test_the_hardest_person_is_on_top_in_the_strongest_shade() -> None:
    drawn = people_map([table(ann=(0.2, 0.3), bob=(0.5, 0.6), eve=(0.8, 0.9))], COLUMNS)
    assert [row.identity for row in drawn.rows] == ["ann", "bob", "eve"]
    left = LEFT + 0.5
    assert [shade_of(drawn.shades, left, UPRIGHT_HEAD + ROW * place) for place in range(3)] == [6, 3, 0]
    assert [row.cells[0].text for row in drawn.rows] == ["0.250", "0.550", "0.850"]
    assert [row.cells[0].strong for row in drawn.rows] == [True, False, False]


def test_a_cell_lies_in_its_row_and_column() -> None:
    (drawn,) = system_maps([table(ann=(0.2, 0.3), bob=(0.5, 0.6))], COLUMNS, KEYS)
    assert [head.x for head in drawn.heads] == [LEFT + CELL / 2, LEFT + 3 * CELL / 2]
    assert [cell.x for cell in drawn.rows[1].cells] == [head.x for head in drawn.heads]
    assert (drawn.width, drawn.height) == (LEFT + 2 * CELL, drawn.head_y + 8 + 2 * ROW)
    assert drawn.rows[0].y < drawn.rows[1].y


def test_the_worse_value_has_the_stronger_shade_whichever_way_the_metric_counts() -> None:
    up, down = (
        system_maps([table(metric, ann=(0.2, 0.8), bob=(0.2, 0.8))], COLUMNS, KEYS)[0]
        for metric in ("ssim", "lpips.alex")
    )
    top = up.head_y + 8
    shades = [[shade_of(one.shades, head.x - (CELL - 1) / 2, top) for head in one.heads] for one in (up, down)]
    assert shades == [[SHADES - 1, 0], [0, SHADES - 1]]


def test_what_could_not_be_measured_has_a_cell_without_a_shade() -> None:
    (drawn,) = system_maps([table(ann=(NAN, 0.8), bob=(0.2, 0.4))], COLUMNS, KEYS)
    assert [cell.text for cell in drawn.rows[0].cells] == ["–", "0.800"]
    assert drawn.unknown.count("M") == 1
    assert sum(path.count("M") for path in drawn.shades) == 3


def test_nobody_is_hard_alone() -> None:
    drawn = people_map([table(ann=(0.2, 0.3))], COLUMNS)
    assert drawn.rows[0].cells[0].text == "0.250"
    assert not any(drawn.shades)
    (systems,) = system_maps([table(ann=(0.2, 0.2))], COLUMNS, KEYS)
    assert systems.shades[SHADES // 2].count("M") == 2, "all alike: the middle, neither good nor bad"


def test_a_person_whom_one_metric_lacks_is_in_the_row_of_the_others() -> None:
    drawn = people_map([table(ann=(0.2, 0.3), bob=(0.4, 0.5)), table("lpips.alex", ann=(0.2, 0.3))], COLUMNS)
    (bob,) = (row for row in drawn.rows if row.identity == "bob")
    assert [cell.text for cell in bob.cells] == ["0.450", "–"]


def test_one_odd_value_does_not_take_all_shades() -> None:
    people = {f"p{place:02d}": (0.5 + 0.005 * place, 0.5 + 0.005 * place) for place in range(40)}
    (drawn,) = system_maps([table(**people, odd=(-9.0, 0.7))], COLUMNS, KEYS)
    assert sum(bool(path) for path in drawn.shades) == SHADES


def test_of_very_many_people_the_hardest_are_shown_and_the_page_says_so(run: Run, store: Store) -> None:
    section = identities_section(findings(made_up(run, people=MOST_PEOPLE + 5), store, Media()))
    assert len(section.people.rows) == MOST_PEOPLE
    assert "person-64" not in {row.identity for row in section.people.rows}, "the easiest"
    assert "5 are easier" in section.left_out
    assert "FD has no value for one person" in section.left_out


def test_systems_stand_in_the_order_of_the_page_and_people_in_that_of_the_first_map(run: Run, store: Store) -> None:
    section = identities_section(findings(made_up(run, people=7), store, Media()))
    assert section.people.rows[0].identity == "person-00", "made to be the hardest"
    assert section.people.rows[-1].identity == "person-06"
    for one in section.systems:
        assert [head.name for head in one.heads] == list(NAMES)
        assert [row.identity for row in one.rows] == [row.identity for row in section.people.rows]


def test_the_order_of_people_changes_nothing() -> None:
    one = table(ann=(0.2, 0.3), bob=(0.5, 0.6), eve=(0.8, 0.9))
    turned = replace(one, **{name: getattr(one, name)[::-1] for name in ("identities", "values", "mean", "hardness")})
    assert people_map([one], COLUMNS) == people_map([turned], COLUMNS)
    assert system_maps([one], COLUMNS, KEYS) == system_maps([turned], COLUMNS, KEYS)


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def colours(sheet: str, scheme: str) -> dict[str, str]:
    """Return the variables of a style sheet in a colour scheme."""
    text = next(folder / sheet for folder in FOLDERS if (folder / sheet).is_file()).read_text()
    light, dark = re.split(r"@media (?:screen and )?\(prefers-color-scheme: dark\)", text)[:2]
    dark = dark[: dark.index("\n}\n")]
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-fA-F]{6})", light))
    return found if scheme == "light" else found | dict(re.findall(r"--([\w-]+): (#[0-9a-fA-F]{6})", dark))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_figures_can_be_read_on_every_shade_and_shades_be_told_apart_without_hue(scheme: str) -> None:
    found = colours("style.css", scheme) | colours("charts.css", scheme)
    shades = [found[f"heat-{place}"] for place in range(SHADES)]
    steps = [luminance(shade) for shade in shades]
    assert steps in (sorted(steps), sorted(steps, reverse=True))
    for place, shade in enumerate(shades):
        ink = found["heat-ink"] if place >= 4 else found["ink"]
        assert contrast(ink, shade) >= 4.5, f"shade {place}"
    for name, ink in (("against-1", "ink"), ("against-2", "ink"), ("against-3", "heat-ink")):
        assert contrast(found[ink], found[name]) >= 4.5, name
