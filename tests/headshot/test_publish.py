"""`headshot report` of several runs, and `headshot publish`: what is printed, and the exit code."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from headshot.cli import app
from reports import build
from reports.compare.groups import Refusal


@pytest.mark.parametrize(("comparable", "code"), [(True, 0), (False, 2)])
def test_runs_that_are_not_compared_are_said_and_fail_only_where_no_two_are(
    comparable: bool, code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = SimpleNamespace(comparable=comparable, refusals=(Refusal(what="b", reason="b has other tasks than a"),))
    monkeypatch.setattr(build, "build_reports", lambda *_, **__: page)
    monkeypatch.setattr(build, "measure_marks", lambda *_: None)
    ended = CliRunner().invoke(app, ["report", "a", "b", "-o", str(tmp_path)])
    assert ended.exit_code == code
    assert str(tmp_path / "index.html") in ended.stdout.replace("\n", "")
    assert "not compared: b has other tasks than a" in ended.stderr


def test_a_folder_without_reports_is_published_as_such(tmp_path: Path) -> None:
    ended = CliRunner().invoke(app, ["publish", "--out", str(tmp_path)])
    assert ended.exit_code == 0, ended.stderr
    assert "0 reports" in ended.stdout
    assert "There is no report yet" in (tmp_path / "index.html").read_text(encoding="utf-8")
