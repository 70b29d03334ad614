"""The page that a rater fills in: one file that opens from disk, asks for nothing and sends nothing."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from eval.study.key import StudyKey, Trial
from reports.html import headshot_version, policy, script, style, templates
from reports.study.jspsych import NOTICE, JsPsych

SECONDS_A_TRIAL = 7
"""How long people look at a set of three, roughly; for the announcement of how long it takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """Who made a recording, and under which terms it is shown."""

    credit: str
    licence: str


def render_form(
    key: StudyKey,
    form: int,
    pictures: Sequence[tuple[bytes, bytes, bytes]],
    terms: Sequence[Credit],
    jspsych: JsPsych,
) -> str:
    """Return a form as HTML. It holds names of trials and pictures, and nothing that says which is which.

    Args:
        key: Of the study.
        form: Number of the form.
        pictures: JPEG files of each trial, in the order in which they stand on the page.
        terms: Of the recordings that are shown.
        jspsych: The program that runs the trials.
    """
    trials = key.of_form(form)
    look = Markup("\n").join((Markup(jspsych.style), style("style.css", "study/form.css")))
    run = Markup("\n").join((style(NOTICE), Markup(jspsych.script), script("study/form.js")))  # the notice is text, too
    return (
        templates()
        .get_template("study/form.html")
        .render(
            key=key,
            form=form,
            minutes=max(1, round(len(trials) * SECONDS_A_TRIAL / 60)),
            trials=len(trials),
            credits=terms,
            data={
                "study": key.study,
                "form": form,
                "size": key.size_px,
                "trials": [_shown(trial, three) for trial, three in zip(trials, pictures, strict=True)],
            },
            version=headshot_version(),
            style=look,
            script=run,
            policy=policy(look, run),
        )
    )


def _shown(trial: Trial, pictures: tuple[bytes, bytes, bytes]) -> dict[str, object]:
    addresses = [f"data:image/jpeg;base64,{base64.b64encode(one).decode('ascii')}" for one in pictures]
    return {"id": trial.id, "pictures": addresses}
