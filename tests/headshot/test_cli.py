"""Every command explains itself, appears in the guides, and fails with one paragraph."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from headshot.cli import app
from tests.conftest import REPOSITORY

GUIDES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]


def commands() -> Iterator[tuple[str, Any]]:
    """Yield every command with its full name."""
    root: Any = typer.main.get_command(app)
    for name, command in root.commands.items():
        below = getattr(command, "commands", None)
        if below:
            yield from ((f"{name} {sub}", found) for sub, found in below.items())
        else:
            yield name, command


COMMANDS = dict(commands())


def test_the_promised_commands_are_there() -> None:
    groups = {name.split()[0] for name in COMMANDS}
    assert groups >= {
        "samples",
        "weights",
        "manifest",
        "preprocess",
        "status",
        "verify",
        "train",
        "benchmark",
        "report",
        "drive",
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_help_with_an_example_that_would_parse(name: str) -> None:
    text = COMMANDS[name].help or ""
    example = re.search(r"Example: \[bold\](.+?)\[/\]", text)
    assert example, f"{name} shows no example"
    assert example[1].startswith(f"headshot {name}")
    check_usage(example[1])


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_shown_in_the_readme_or_the_guides(name: str) -> None:
    assert any(f"headshot {name}" in guide.read_text(encoding="utf-8") for guide in GUIDES)


def shown_usages() -> list[str]:
    """Return every command line of headshot in the guides' code blocks."""
    found = []
    for guide in GUIDES:
        for block in re.findall(r"```(?:sh|console)\n(.*?)```", guide.read_text(encoding="utf-8"), re.S):
            lines = block.replace("\\\n", " ").splitlines()
            found += [line.removeprefix("$ ").split(" #")[0].strip() for line in lines if "headshot " in line]
    return [line for line in found if line.startswith("headshot ") and "..." not in line]


@pytest.mark.parametrize("usage", shown_usages())
def test_a_command_line_in_the_guides_would_parse(usage: str) -> None:
    check_usage(usage)


def check_usage(line: str) -> None:
    """Parse a command line without running it; options and arguments have to exist and be complete."""
    words = shlex.split(line)[1:]
    name = " ".join(words[:2]) if " ".join(words[:2]) in COMMANDS else words[0]
    COMMANDS[name].make_context(name, words[len(name.split()) :])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["preprocess", "--manifest", "absent.toml"], "absent.toml"),
        (["train", "grand"], "choose one of: compact, compact-faithful, tiny"),
        (["benchmark", "--shots", "1,eight"], "whole numbers"),
        (["report", "nowhere"], "nowhere"),
        (["publish", "--out", "nowhere"], "nowhere"),
        (["status", "--data", "nowhere"], "nowhere"),
        (["statistics", "--data", "nowhere"], "nowhere"),
        (["takedown", "ann", "--data", "nowhere"], "nowhere"),
        (["drive", "--support", "a", "--driving", "b", "--out", "c.gif"], ".mp4"),
        (
            ["drive", "--support", "a", "--driving", "b", "--out", "c.mp4", "--feed-forward", "--steps", "9"],
            "--steps 9",
        ),
        (["weights", "fetch", "no-such-network"], "no-such-network"),
        (["weights", "add", "fr-pose", "absent.onnx"], "absent.onnx"),
    ],
)
def test_a_users_mistake_is_one_paragraph_and_exit_code_2(
    arguments: list[str], message: str, refusal: Callable[[list[str]], str]
) -> None:
    assert message in refusal(arguments)


def test_a_users_mistake_leaves_the_process_without_a_traceback(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "headshot", "weights", "add", "fr-pose", "absent.onnx"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert ended.returncode == 2
    assert ended.stderr.startswith("error: absent.onnx is not a file")
    assert "Traceback" not in ended.stderr


def test_help_comes_without_the_heavy_libraries() -> None:
    """Nobody waits for torch to read the help."""
    code = "import sys, headshot.cli; print([m for m in ('torch', 'cv2', 'pyarrow', 'dask') if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_make_help_lists_targets_and_variables_with_their_defaults() -> None:
    shown = subprocess.run(["make", "help"], capture_output=True, text=True, check=True, cwd=REPOSITORY).stdout
    for target in ("setup", "preprocess", "train", "benchmark", "report", "publish", "test", "check", "bench", "clean"):
        assert re.search(rf"^  make {target} +\S", shown, re.M), target
    for variable, default in {"MANIFEST": "manifests/demo.toml", "SHOTS": "1,8,32", "PROFILE": "embedded"}.items():
        assert re.search(rf"^  {variable} +{re.escape(default)} ", shown, re.M), variable
    for variable in ("DATA", "RUN", "PRESET", "DEVICE", "WORKERS"):
        assert re.search(rf"^  {variable} ", shown, re.M), variable
