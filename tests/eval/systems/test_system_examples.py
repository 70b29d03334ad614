"""The examples that people copy: run as they stand, in an environment of their own."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from eval.benchmark import benchmark
from eval.rendering.asking import asked
from eval.runs.results import Run
from eval.specs.image import PSNR, SSIM
from eval.systems.baselines import CopySource, NearestFrame
from eval.systems.external import ExternalSpec, ExternalSystem
from eval.systems.finished import FinishedPredictions
from eval.systems.request import FRAMES_FOLDER, publish_request, write_tasks
from eval.tasks.making import make_tasks
from eval.tasks.task_set import TaskSet
from tests.conftest import REPOSITORY
from tests.eval.conftest import DrawnStore

EXAMPLES = REPOSITORY / "examples" / "systems"
TEMPLATES = ("first_order_model", "lia", "liveportrait", "x2face")
SPECS = (SSIM, PSNR)


@pytest.fixture
def tasks(store: DrawnStore) -> TaskSet:
    return make_tasks(store, [1, 8], size_px=32, query_frames=8)


def code_lines(path: Path) -> list[str]:
    """Return the lines of a program that are neither empty nor a comment nor part of its docstring."""
    text = path.read_text(encoding="utf-8")
    head = ast.parse(text).body[0]
    lines = text.splitlines()[head.end_lineno :]
    return [line for line in lines if line.strip() and not line.strip().startswith("#")]


def values(run: Run, system: str) -> list[tuple]:
    columns = [
        run.scores[name].to_pylist() for name in ("shots", "clip", "query_clip", "frame", "metric", "value", "status")
    ]
    names = run.scores["system"].to_pylist()
    return sorted(row for name, row in zip(names, zip(*columns, strict=True), strict=True) if name == system)


def described(folder: Path, name: str, python: str) -> ExternalSpec:
    """Return the example's own description, with the interpreter to use."""
    spec = ExternalSpec.load(Path(shutil.copytree(EXAMPLES, folder)) / f"{name}.toml")
    return spec.model_copy(update={"command": (python, *spec.command[1:])})


def test_the_complete_example_is_ten_lines_and_needs_numpy_and_opencv_only() -> None:
    path = EXAMPLES / "nearest_frame.py"
    assert len(code_lines(path)) <= 10
    assert imported(path) == {"cv2", "numpy", "headshot_system"}
    assert imported(EXAMPLES / "copy_source.py") | imported(EXAMPLES / "headshot_system.py") <= {
        "headshot_system",
        *sys.stdlib_module_names,
    }


def imported(path: Path) -> set[str]:
    tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    names = [
        [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
        for node in tree
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    return {name.split(".")[0] for group in names for name in group}


def test_the_complete_example_scores_like_the_built_in_system(
    store: DrawnStore, tasks: TaskSet, tmp_path: Path
) -> None:
    spec = described(tmp_path / "mine", "nearest_frame", sys.executable)
    system = ExternalSystem("mine", spec, tmp_path / "log")
    run = benchmark(store, [system, NearestFrame()], tasks, tmp_path / "run", specs=SPECS)
    assert values(run, "mine") == values(run, "nearest-frame")
    cost = run.record.cost[0]
    assert cost.adaptation_s is not None
    assert cost.frames_per_s is None or cost.frames_per_s > 0


def test_frames_made_elsewhere_from_a_request_score_the_same(store: DrawnStore, tasks: TaskSet, tmp_path: Path) -> None:
    folder = tmp_path / "request"
    path = publish_request(folder, write_tasks(folder, asked(store, tasks, tasks.tasks)))
    subprocess.run([sys.executable, EXAMPLES / "nearest_frame.py", path], check=True, env={})
    system = FinishedPredictions("mine", folder / FRAMES_FOLDER)
    run = benchmark(store, [system, NearestFrame()], tasks, tmp_path / "run", specs=SPECS)
    assert values(run, "mine") == values(run, "nearest-frame")


def other_python() -> str:
    """Return a Python of another version than this one, on PATH or of pyenv, which has to start."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for version in ((3, 13), (3, 12), (3, 11)):
        name = "python{}.{}".format(*version)
        for found in filter(None, (shutil.which(name), *sorted(pyenv.glob(f"versions/*/bin/{name}")))):
            code = "import sys, venv; print(*sys.version_info[:2])"
            told = subprocess.run([found, "-c", code], capture_output=True, text=True, check=False)
            if version != sys.version_info[:2] and told.stdout.split() == [str(part) for part in version]:
                return str(found)
    pytest.skip("no Python 3.11, 3.12 or 3.13 here that is another version than this one")


@pytest.mark.slow
def test_a_system_in_an_environment_without_torch_on_another_python_is_benchmarked(
    store: DrawnStore, tasks: TaskSet, tmp_path: Path
) -> None:
    environment = tmp_path / "environment"
    subprocess.run([other_python(), "-m", "venv", "--without-pip", environment], check=True)
    place = tmp_path / "mine"
    place.mkdir()
    shutil.copy(EXAMPLES / "headshot_system.py", place)
    shutil.copy(EXAMPLES / "copy_source.py", place)
    (place / "infer.py").write_text(
        "import importlib.util, sys\n"
        "print(*sys.version_info[:2], [importlib.util.find_spec(name) for name in ('torch', 'numpy', 'cv2')])\n"
        "import copy_source\n"
    )
    spec = ExternalSpec(command=(str(environment / "bin" / "python"), "infer.py"), working_dir=place)
    system = ExternalSystem("mine", spec, tmp_path / "log")
    run = benchmark(store, [system, CopySource()], tasks, tmp_path / "run", specs=SPECS)
    assert values(run, "mine") == values(run, "copy-source")
    (said,) = set((tmp_path / "log").read_text().splitlines())  # the same at every start
    major, minor, modules = said.split(" ", 2)
    assert (int(major), int(minor)) != sys.version_info[:2]
    assert modules == "[None, None, None]"


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_parses_says_that_it_was_not_run_and_has_a_description(name: str) -> None:
    path = EXAMPLES / f"{name}.py"
    module = ast.parse(path.read_text(encoding="utf-8"))
    assert "not run" in (ast.get_docstring(module) or "")
    assert "headshot_system" in imported(path)
    description = tomllib.loads((EXAMPLES / f"{name}.toml").read_text(encoding="utf-8"))
    assert ExternalSpec.model_validate(description).command[-1] == f"{name}.py"


def test_the_guide_shows_the_complete_example_as_it_is() -> None:
    page = (REPOSITORY / "docs" / "your-model.md").read_text(encoding="utf-8")
    body = "\n".join(code_lines(EXAMPLES / "nearest_frame.py"))
    assert body in [
        "\n".join(line for line in block.splitlines() if line.strip())
        for block in re.findall(r"```py\n(.*?)```", page, re.DOTALL)
    ]


def test_the_description_in_the_guide_is_one() -> None:
    page = (REPOSITORY / "docs" / "your-model.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    described = ExternalSpec.model_validate(tomllib.loads(block))
    assert set(tomllib.loads(block)) == set(ExternalSpec.model_fields) - {"schema_version"}
    assert described.limits.memory_gib == 24
