"""The page that discloses, after the answers are in, which pictures of a form were not real."""

from collections.abc import Sequence
from dataclasses import dataclass

from eval.study.key import StudyKey, Trial
from model.disclosure.label import ALTERED
from pipeline.images import decode
from reports.html import headshot_version, policy, style, templates
from reports.media import Media
from reports.numbers import plural
from reports.pictures import Picture, marked_picture, picture

REAL = "Real"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosed:
    """One set with what each picture is."""

    number: int
    said: str
    pictures: tuple[tuple[Picture, str], ...]
    """Each with its caption; what is not real is labelled in its pixels, too."""


def render_debriefing(key: StudyKey, form: int, pictures: Sequence[tuple[bytes, bytes, bytes]]) -> str:
    """Return the debriefing of a form as HTML.

    Args:
        key: Of the study.
        form: Number of the form.
        pictures: JPEG files of each trial, as the form shows them.
    """
    media = Media()
    trials = key.of_form(form)
    sets = [_disclosed(key, *one, media) for one in zip(range(1, len(trials) + 1), trials, pictures, strict=True)]
    look = style("style.css", "study/debrief.css")
    template = templates().get_template("study/debrief.html")
    return template.render(
        key=key, form=form, sets=sets, version=headshot_version(), style=look, policy=policy(look, look[:0])
    )


def _disclosed(
    key: StudyKey, number: int, trial: Trial, pictures: tuple[bytes, bytes, bytes], media: Media
) -> Disclosed:
    mark, maker = _maker(key, trial)
    shown = []
    for place, jpeg in enumerate(pictures):
        image = decode(jpeg)
        about = f"set {number}, picture {place + 1}"
        if place == trial.answer and mark:
            shown.append((marked_picture(image, about, mark, media), mark))
        else:
            caption = "Recorded" if place == trial.answer else REAL
            shown.append((picture(image, f"{caption}: {about}", media), caption))
    return Disclosed(number=number, said=f"Picture {trial.answer + 1} was {maker}.", pictures=tuple(shown))


def _maker(key: StudyKey, trial: Trial) -> tuple[str, str]:
    """Return the mark on the fake, and how it came about."""
    if trial.catch:
        return ALTERED, "a real frame, distorted on purpose: this set only tested whether you look"
    mark = next(system.mark for system in key.systems if system.name == trial.system)
    return mark, f"made by {trial.system} from {plural(trial.shots, 'frame')} of the person"
