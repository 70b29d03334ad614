"""`headshot compare`: two runs, paired, with an exit code for CI."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from headshot.console import err, out, table
from headshot.options import Metrics, OverStratum, RunArgument, measured_ids
from weights.errors import HeadshotError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eval.runs.two_runs import Compared

FAILED = 1
"""Exit code where the other run is worse than allowed."""


def compare_command(
    run_a: RunArgument,
    run_b: RunArgument,
    systems: Annotated[
        str,
        typer.Option(
            help="Which ones, with commas between; NAME=OTHER compares NAME of the first run with OTHER of the second.",
            show_default="those in both",
        ),
    ] = "",
    metrics: Metrics = "headline",
    stratum: OverStratum = None,
    fail_if: Annotated[
        Literal["worse", "not-better"] | None,
        typer.Option(
            help="End with exit code 1 where a paired test says that the second run is worse, or where it does not say "
            "that it is better.",
            show_default="never",
        ),
    ] = None,
    max_loss: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="End with exit code 1 where the mean of the metric gets worse by more.",
            show_default="any",
        ),
    ] = None,
) -> None:
    """Compare a run with another one over the same people and tasks: RUN_B minus RUN_A, paired by person.

    Runs with other tasks, data, metric versions or networks are refused. In a CI job, --fail-if and --max-loss decide
    about the exit code: 0 passed, 1 failed, 2 not comparable.

    Example: [bold]headshot compare runs/before runs/after --metrics lpips.alex --max-loss 0.01 --fail-if worse[/]
    """
    from eval.runs.results import Run
    from eval.runs.two_runs import Gate, compare

    runs = [Run.open(run_a), Run.open(run_b)]
    ids = measured_ids(runs, metrics)
    if max_loss is not None and len(ids) != 1:
        raise HeadshotError("--max-loss needs one metric, such as --metrics lpips.alex: each has units of its own")
    pairs = [_pair(name.strip()) for name in systems.split(",") if name.strip()]
    found = compare(*runs, pairs=pairs, metrics=ids, stratum=stratum)
    _print(found, stratum)
    gate = Gate(fail_if=fail_if, max_loss=max_loss)
    faults = [fault for one in found if (fault := gate.fault(one))] if fail_if or max_loss is not None else []
    for fault in faults:
        err.print(f"failed: {fault}", markup=False)
    if faults:
        raise typer.Exit(FAILED)


def _pair(text: str) -> tuple[str, str]:
    before, _, after = text.partition("=")
    return before, after or before


def _print(found: "Sequence[Compared]", stratum: str | None) -> None:
    from eval.statistics.difference import limits

    people = max((one.gap.n_identities for one in found), default=0)
    over = f"{people} people" if stratum is None else f"{stratum} frames of {people} people"
    rows = table(
        f"Second run minus first, paired over {over}, with 95% interval",
        "system",
        "shots",
        "metric",
        "first",
        "second",
        "difference",
        "interval",
        "the second is",
    )
    for one in found:
        gap = one.gap
        name = gap.system if gap.system == gap.baseline else f"{gap.system} against {gap.baseline}"
        metric = f"{one.spec.id} {'↑' if one.spec.higher_is_better else '↓'}"
        numbers = (f"{one.before:.4f}", f"{one.after:.4f}", f"{gap.value:+.4f}", f"{gap.low:+.4f} to {gap.high:+.4f}")
        rows.add_row(name, str(gap.shots), metric, *numbers, gap.verdict)
    out.print(rows)
    if said := limits([one.gap for one in found]):
        out.print(said)
