"""Who is in the data, and who is not named any more."""

from pipeline.store import RejectRow
from reports.people import people
from reports.pictures import Picture


def reject(key: str, reason: str) -> RejectRow:
    return RejectRow(
        key=key, identity=key.partition("/")[0], split="train", reason=reason, detail="why", licence="", source_url=""
    )


def test_people_who_withdrew_are_counted_and_not_named() -> None:
    rejects = [reject("ann/a/1", "no_face"), reject("bob/a/1", "withdrawn"), reject("bob/a/2", "withdrawn")]
    section = people("", (), rejects, [])
    assert [(one.clip, one.reason, one.detail) for one in section.left_out] == [
        ("ann/a/1", "no face", "why"),
        ("not named", "withdrawn", "2 clips of 1 person"),
    ]
    assert section.reasons == "withdrawn: 2, no face: 1"


def test_a_clip_without_tasks_is_shown_and_one_that_the_data_set_does_not_hold_is_not() -> None:
    face = Picture(uri="media/face.webp", alt="face of cy", width=96, height=96)
    section = people("", (), [reject("ann/a/1", "no_face")], [("cy/v/c", "3 frames")], {"cy/v/c": face}.get)
    assert [(one.clip, one.stage, one.picture) for one in section.left_out] == [
        ("ann/a/1", "preprocessing", None),
        ("cy/v/c", "tasks", face),
    ]
