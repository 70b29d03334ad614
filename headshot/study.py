"""`headshot study`: ask people which picture is generated, score what they say, and plan how many to ask."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from headshot.console import Downloads, err, out, progress_bars, table
from headshot.options import DATA, RUN, ReadData, RunArgument, RunFolder, numbers
from weights.errors import HeadshotError

if TYPE_CHECKING:
    from eval.study.record import StudyRecord

app = typer.Typer(help="Human judgement: which of three pictures is generated?", no_args_is_help=True)
STUDY = Path("studies/demo")


@app.command(name="build")
def build_command(
    run: RunArgument = RUN,
    data: ReadData = str(DATA),
    to: Annotated[Path, typer.Option("--out", "-o", help="Folder of the study.")] = STUDY,
    systems: Annotated[
        str,
        typer.Option(help="Which ones, with commas between.", show_default="all that do not show recorded frames"),
    ] = "",
    shots: Annotated[
        str, typer.Option(help="Which numbers of shots, with commas between.", show_default="those of the run")
    ] = "",
    forms: Annotated[
        int | None,
        typer.Option(min=1, help="How many: one for each rater is best.", show_default="those that show all once"),
    ] = None,
    trials: Annotated[
        int | None, typer.Option(min=1, help="Sets of three on each form.", show_default="36, or fewer if few people")
    ] = None,
    catch: Annotated[int, typer.Option(min=0, help="Obvious sets on each form, on top.")] = 5,
    catch_allowed: Annotated[
        int, typer.Option(min=0, help="Raters who miss more of these are left out: decide now, not later.")
    ] = 1,
    contact: Annotated[
        str, typer.Option(help="Whom raters can ask: a name and an address.")
    ] = "the person who gave you this page",
) -> None:
    """Make the forms of a study from a finished run: one HTML page a rater, which opens from disk and sends nothing.

    `page/` is for raters. `key.json` and `debriefing/` have the answers: keep them until everybody has answered. The
    same command makes the same pages again.

    Example: [bold]headshot study build runs/demo --data data/demo --out studies/demo --forms 24[/]
    """
    from eval.runs.results import Run
    from eval.study.blocks import forms_for_all
    from eval.study.key import KEY_FILE, StudyOptions
    from reports.study.build import DEBRIEFINGS, PAGES, Wanted, build_study, studied
    from reports.study.jspsych import fetch_jspsych

    names = tuple(name.strip() for name in systems.split(",") if name.strip())
    opened = Run.open(run).split()[0]
    people, chosen = len(opened.tasks.identities()), studied(opened, names)
    at = tuple(numbers(shots, "--shots")) if shots else opened.tasks.shots
    each = trials or min(36, max(1, len(chosen) * people))
    options = StudyOptions(
        forms=forms or forms_for_all(len(chosen), len(at), people, each),
        trials=each,
        catch=catch,
        catch_allowed=catch_allowed,
        contact=contact,
    )
    with progress_bars() as bars:
        jspsych = fetch_jspsych(Downloads(bars))
    key = build_study(run, data, to, Wanted(options=options, systems=names, shots=at), jspsych)
    out.print(f"study {key.study}: {key.options.forms} forms of {key.options.trials} sets and {catch} obvious ones")
    out.print(f"  for raters:        {to / PAGES}")
    out.print(f"  after they answer: {to / DEBRIEFINGS}")
    out.print(f"  keep to yourself:  {to / KEY_FILE}")
    if one_clip := key.one_clip_people():
        out.print(f"real frames of one recording, for want of another, of {len(one_clip)} of {people} people")
    if key.left_out:
        out.print(f"{len(key.left_out)} sets could not be made; {KEY_FILE} has the reasons")


@app.command(name="score")
def score_command(
    files: Annotated[list[Path], typer.Argument(metavar="FILES...", help="What raters handed in; folders hold such.")],
    key: Annotated[Path, typer.Option(help="Folder of the study, or its key.json.")] = STUDY,
    run: RunFolder = RUN,
) -> None:
    """Score what raters handed in, and write study.json beside the run: reports then have a USER column.

    Files that are broken, foreign, unfinished or double, and raters who miss obvious sets, are counted and left out.

    Example: [bold]headshot study score answers/ --key studies/demo --run runs/demo[/]
    """
    from eval.runs.results import Run
    from eval.study.key import StudyKey
    from eval.study.record import STUDY_FILE
    from eval.study.scoring import score_study

    opened, answers = Run.open(run), StudyKey.load(key)
    if opened.record.tasks_sha256 != answers.tasks_sha256:
        raise HeadshotError(
            f"the study {answers.study} was made from other tasks than those of {run}; name its run (--run)"
        )
    paths = [path for one in files for path in (sorted(one.glob("*.json")) if one.is_dir() else [one])]
    found = score_study(answers, paths)
    found.save(run)
    _print(found)
    out.print(f"written: {run / STUDY_FILE}")


@app.command(name="plan")
def plan_command(
    people: Annotated[int, typer.Option(min=2, help="People under test, who are shown.")] = 50,
    systems: Annotated[int, typer.Option(min=1, help="How many are judged.")] = 4,
    shots: Annotated[int, typer.Option(min=1, help="At how many numbers of shots.")] = 3,
    trials: Annotated[int, typer.Option(min=1, help="Sets of three on each form.")] = 36,
    rater_icc: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the variance of answers that is between raters.")
    ] = 0.05,
    person_icc: Annotated[float, typer.Option(min=0, max=1, help="Share that is between people shown.")] = 0.05,
    power: Annotated[float, typer.Option(min=0.5, max=0.99, help="Share of studies that shall notice.")] = 0.8,
) -> None:
    """Say how many raters it takes to tell an accuracy from guessing, for one system at one number of shots.

    Answers of one rater, and about one person shown, resemble each other; each counts for less than an independent one.

    Example: [bold]headshot study plan --people 50 --systems 4 --shots 3 --trials 36[/]
    """
    from eval.study.planning import Design, independent_trials, raters_needed

    each = trials / (systems * shots)
    design = Design(people=people, trials_per_rater=each, rater_icc=rater_icc, person_icc=person_icc)
    if trials > systems * people:
        raise HeadshotError(
            f"--trials {trials}: a form shows nobody twice by one system, so {systems} systems and {people} people "
            f"make {systems * people} sets at most"
        )
    rows = table(
        f"To tell an accuracy from 1/3 in {power:.0%} of studies, {each:.3g} sets of the system at these shots a form",
        "accuracy",
        "independent sets, one-sided",
        "two-sided",
        "raters, one-sided",
        "two-sided",
        "design effect",
    )
    for accuracy in (0.36, 0.38, 0.40, 0.45, 0.50, 0.60):
        needed = [raters_needed(design, accuracy, two_sided=sides, power=power) for sides in (False, True)]
        effect = "-" if needed[0] is None else f"{design.effect(needed[0]):.2f}"
        rows.add_row(
            f"{accuracy:.2f}",
            *(str(independent_trials(accuracy, two_sided=sides, power=power)) for sides in (False, True)),
            *("show more people" if count is None else str(count) for count in needed),
            effect,
        )
    out.print(rows)
    out.print(
        "Raters whose answers count: ask a tenth more. This is for one number that was named beforehand; what is to "
        "survive Holm's correction for all numbers of a study takes more."
    )


def _print(found: "StudyRecord") -> None:
    from reports.numbers import interval, number, probability

    heads = ("USER", "95%", "d'", "p (Holm)", "sets", "raters", "people shown", "verdict")
    rows = table(
        f"Share of sets in which people found the generated picture; guessing: {1 / 3:.3f}", "system", "shots", *heads
    )
    for one in found.scores:
        rows.add_row(
            one.system,
            str(one.shots),
            number(one.value, 3),
            interval(one.interval.low, one.interval.high, 3) if one.interval else "-",
            number(one.d_prime, 2),
            "-" if one.p_holm is None else probability(one.p_holm),
            str(one.trials),
            str(one.raters),
            str(one.people),
            one.verdict,
        )
    out.print(rows)
    out.print(f"{found.raters} raters count. {found.rule}")
    for row in found.files:
        if row.reason != "used":
            err.print(f"left out: {row.file}: {row.reason.replace('_', ' ')} {row.detail}".rstrip(), markup=False)
