"""Who is in the data, and who is not named any more."""

from pipeline.store import RejectRow
from reports.people import people


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
