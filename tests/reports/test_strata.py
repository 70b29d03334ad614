"""Near and far on the page: how much is in each stratum, and the same statistics over each."""

import pytest

from eval.runs.results import Run
from eval.statistics.cells import summarise
from reports.motion import stratum_sizes
from reports.page import Page


def test_every_frame_is_in_one_stratum(run: Run) -> None:
    sizes = stratum_sizes(run)
    assert [size.stratum for size in sizes] == ["near", "middle", "far"]
    assert sum(size.frames for size in sizes) == sum(len(task.frames) for task in run.tasks.tasks if task.shots == 1)


def test_the_tables_hold_the_statistics_of_their_stratum(run: Run, page: Page) -> None:
    far = page.content("motion").tables[0]
    wanted = {
        (one.system, one.shots): one.value
        for one in summarise(run.scores, run.record.specs, "far")
        if one.metric == "ssim"
    }
    place = [column.metric for column in far.table.columns].index("ssim")
    shown = {
        (row.key.name, group.shots): float(row.cells[place].value) for group in far.table.groups for row in group.rows
    }
    assert shown == pytest.approx(wanted, abs=1e-3)


def test_the_two_charts_of_a_metric_have_the_same_axes(page: Page) -> None:
    assert page.content("motion").charts
    for pair in page.content("motion").charts:
        assert pair.everywhere.y_ticks == pair.far.y_ticks
        assert pair.everywhere.series != pair.far.series


def test_the_answer_speaks_of_the_far_frames(page: Page) -> None:
    far = page.content("motion").sizes[2]
    assert f"On the {far.frames} frames of {far.people} people that are far from every source frame" in " ".join(
        page.content("answer").paragraphs
    )
