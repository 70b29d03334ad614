import math

import pytest

from eval.runs.results import Run
from eval.statistics.agreement import Agreement
from pipeline.store import Store
from reports.charts.agreement_chart import (
    CELL_HEIGHT,
    CELL_WIDTH,
    LEFT,
    TOP,
    AgreementChart,
    agreement_chart,
    agreement_section,
)
from reports.findings import findings
from reports.media import Media
from tests.reports.charts.study import BY_ID, column, made_up

NAN = math.nan
COLUMNS = [column(BY_ID[name]) for name in ("ssim", "psnr", "lpips.alex")]


def pair(metric: str, other: str, tau: float, people: int = 20) -> Agreement:
    known = people > 1 and math.isfinite(tau)
    return Agreement(
        metric=metric,
        other=other,
        shots=8,
        tau=tau,
        low=max(tau - 0.1, -1) if known else NAN,
        high=min(tau + 0.1, 1) if known else NAN,
        n_results=10 * people,
        n_identities=people,
    )


def drawn(one: float, two: float, three: float, people: int = 20) -> AgreementChart:
    """SSIM and PSNR, SSIM and LPIPS, PSNR and LPIPS."""
    chart = agreement_chart(
        [
            pair("ssim", "psnr", one, people),
            pair("ssim", "lpips.alex", two, people),
            pair("psnr", "lpips.alex", three, people),
        ],
        COLUMNS,
    )
    assert chart is not None
    return chart


def test_a_pair_is_where_its_row_and_column_meet() -> None:
    chart = drawn(0.9, 0.5, 0.2)
    assert [head.label for head in chart.across] == ["SSIM", "PSNR"]
    assert [head.label for head in chart.down] == ["PSNR", "LPIPS"]
    assert [(cell.tau, cell.x, cell.y) for cell in chart.cells] == [
        ("0.90", LEFT, TOP),
        ("0.50", LEFT, TOP + CELL_HEIGHT),
        ("0.20", LEFT + CELL_WIDTH, TOP + CELL_HEIGHT),
    ]


def test_agreement_and_contradiction_have_hues_of_their_own_and_zero_has_none() -> None:
    assert [cell.shade for cell in drawn(1.0, 0.5, 0.3).cells] == ["plus3", "plus2", "plus1"]
    assert [cell.shade for cell in drawn(-1.0, -0.5, 0.05).cells] == ["minus3", "minus2", "zero-tau"]


def test_the_sentence_says_which_agree_and_what_that_means() -> None:
    assert drawn(0.9, 0.5, 0.2).meaning == (
        "SSIM and PSNR agree most: of two results they prefer the same one in 95% of cases; "
        "PSNR and LPIPS agree least, in 60%."
    )
    assert drawn(0.9, 0.5, -0.2).meaning.endswith(
        "in 40%. 1 pair of 3 disagrees more often than not, so which system is ahead depends on the metric."
    )


def test_what_could_not_be_compared_is_shown_without_a_shade() -> None:
    chart = drawn(0.9, NAN, NAN)
    assert [(cell.tau, cell.shade) for cell in chart.cells[1:]] == [("–", "unknown")] * 2
    assert chart.meaning == "SSIM and PSNR: of two results they prefer the same one in 95% of cases."
    assert drawn(NAN, NAN, NAN).meaning == "No two metrics could be compared."


def test_one_person_gives_no_interval_and_says_so() -> None:
    chart = drawn(0.9, 0.5, 0.2, people=1)
    assert {cell.interval for cell in chart.cells} == {""}
    assert {row.interval for row in chart.rows} == {"–"}
    assert chart.sample == "Over 10 results, each a system on one of 1 person. One person gives no interval."


def test_one_metric_has_nothing_to_agree_with() -> None:
    assert agreement_chart([], COLUMNS) is None


def test_the_order_of_pairs_changes_nothing() -> None:
    pairs = [pair("ssim", "psnr", 0.9), pair("ssim", "lpips.alex", 0.5), pair("psnr", "lpips.alex", 0.2)]
    assert agreement_chart(pairs, COLUMNS) == agreement_chart(pairs[::-1], COLUMNS)


def test_metrics_that_were_made_to_agree_do(run: Run, store: Store) -> None:
    chart = agreement_section(findings(made_up(run, people=12), store, Media()))
    assert chart is not None
    assert len(chart.cells) == 10
    assert min(one.tau for one in chart.numbers) == pytest.approx(0.75, abs=0.2)
    assert all(one.low < one.tau < one.high for one in chart.numbers)
