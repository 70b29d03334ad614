"""The guide to the benchmarks names each of them, with command lines that would run."""

import argparse
import importlib
import re
import shlex
from typing import Any

import pytest

from tests.conftest import REPOSITORY
from tests.headshot.test_cli import check_usage

PAGE = (REPOSITORY / "docs" / "benchmarks.md").read_text(encoding="utf-8")
MODULES = {
    path.stem for path in (REPOSITORY / "benchmarks").glob("*.py") if "def main(" in path.read_text(encoding="utf-8")
}
SECTIONS = dict(section.split("\n", 1) for section in PAGE.split("\n## ")[1:])
COMMANDS = [
    line.split(" #")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
    if line.strip()
]


class ParsedError(Exception):
    """Raised where a command line was accepted, instead of running it."""


def parse_benchmark(line: str, monkeypatch: pytest.MonkeyPatch) -> argparse.ArgumentParser:
    """Have a benchmark read its command line, no more, and return how it does so."""
    _, _, name, *words = shlex.split(line)
    used: list[argparse.ArgumentParser] = []
    original = argparse.ArgumentParser.parse_args

    def parse(parser: argparse.ArgumentParser, *_: Any) -> None:
        original(parser, words)
        used.append(parser)
        raise ParsedError

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse)
    with pytest.raises(ParsedError):
        importlib.import_module(name).main()
    return used[0]


def test_every_benchmark_and_no_other_is_on_the_page() -> None:
    assert set(re.findall(r"python -m benchmarks\.(\w+)", "\n".join(COMMANDS))) == MODULES


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_on_the_page_would_run(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    match shlex.split(line):
        case ["python", "-m", _, *_]:
            parse_benchmark(line, monkeypatch)
        case ["headshot", *_]:
            check_usage(line)
        case ["make", target]:
            assert f"\n{target}: " in (REPOSITORY / "Makefile").read_text(encoding="utf-8")
        case ["pytest", path]:
            assert (REPOSITORY / path).is_file()
        case ["pip", "install", requirement]:
            extra = requirement.removeprefix("headshot[").removesuffix("]")
            assert f"\n{extra} = [" in (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
        case ["source", ".venv/bin/activate"]:
            pass
        case _:
            pytest.fail(f"nobody checks {line}")


@pytest.mark.parametrize("name", sorted(MODULES))
def test_a_benchmark_says_what_it_measures_and_what_its_options_are(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    parser = parse_benchmark(f"python -m benchmarks.{name} {'--video x' * (name == 'scaling')}", monkeypatch)
    assert f"python -m benchmarks.{name}" in (parser.description or "")
    assert all(action.help for action in parser._actions)


@pytest.mark.parametrize("title", list(SECTIONS))
def test_a_section_has_a_command_what_it_needs_and_a_place_for_figures(title: str) -> None:
    text = SECTIONS[title]
    assert "```sh\n" in text
    assert "*Needs*" in text
    assert "*Takes*" in text
    assert "\n| what | target | measured | machine |\n" in text
    assert "?" in text or "because the answer is yes or no" in text


def test_the_page_is_linked_from_the_readme() -> None:
    assert "(docs/benchmarks.md)" in (REPOSITORY / "README.md").read_text(encoding="utf-8")


def test_a_wrong_option_would_be_noticed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Guards the tests above."""
    with pytest.raises(SystemExit):
        parse_benchmark("python -m benchmarks.storage --dato x", monkeypatch)
    assert "--dato" in capsys.readouterr().err
