"""What is said about programs that keep the contract, and about those that do not."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from eval.systems.check import Checked, check
from eval.systems.drawn import drawn_tasks
from eval.systems.external import ExternalSpec
from eval.systems.process import Limits
from tests.conftest import REPOSITORY

EXAMPLES = REPOSITORY / "examples" / "systems"
Go = Callable[[str], Checked]


@pytest.fixture
def go(tmp_path: Path) -> Go:
    """Check a program with this body, which is run for every task and every frame."""

    def checked(body: str) -> Checked:
        beginning = f"import os, shutil, sys\nsys.path.insert(0, {str(EXAMPLES)!r})\nimport cv2\nimport numpy as np\n"
        loop = (
            "from headshot_system import tasks\nfor task in tasks():\n    for place, path in enumerate(task.outputs):\n"
        )
        lines = "".join(f"        {line}\n" for line in ["frame = cv2.imread(task.support[0])", *body.splitlines()])
        (tmp_path / "infer.py").write_text(beginning + loop + lines)
        spec = ExternalSpec(
            command=(sys.executable, "infer.py"), working_dir=tmp_path, limits=Limits(task_s=20, total_s=40)
        )
        return check(spec, drawn_tasks(64))

    return checked


def texts(checked: Checked, kept: bool | None) -> str:
    return "\n".join(f"{one.what}: {one.said} {one.advice}" for one in checked.findings if one.kept is kept)


def test_the_drawn_tasks_are_two_people_with_points_inside_the_frame() -> None:
    one, other = drawn_tasks(64, gaze=True)
    assert (len(one.support.frames), len(other.support.frames)) == (1, 3)
    assert not np.array_equal(one.support.frames[0], other.support.frames[0])
    for points in (one.driving_landmarks, other.driving_landmarks):
        assert points.shape[1:] == (70, 2)
        assert 0 <= points.min() <= points.max() <= 63
        assert np.ptp(points, axis=0).max() > 1
    assert one.support.frames_2x is None


def test_a_program_that_keeps_the_contract_has_nothing_broken(go: Go) -> None:
    checked = go("frame[place, place] = 255\ncv2.imwrite(path, frame)")
    assert checked.kept
    assert texts(checked, None) == texts(checked, False) == ""
    assert "9 of 9 frames of 2 tasks" in texts(checked, True)


@pytest.mark.parametrize(
    ("body", "found", "advice"),
    [
        ("if place: cv2.imwrite(path, frame)", "missing: was not written", "Write every path"),
        ("cv2.imwrite(path, frame[:32, :32])", "is 32 x 32 pixels, 64 x 64 were asked for", "resize"),
        ("cv2.imwrite(path, frame[..., 0])", "colour type 0", "three channels"),
        ("open(path, 'w').close()", "is empty", "nothing was written"),
        ("cv2.imwrite(path + '.jpg', frame); os.rename(path + '.jpg', path)", "is no PNG", "Write PNG"),
        ("os.symlink(task.support[0], path)", "lies behind a link", "Write the file itself"),
        ("raise ValueError('no face')", "crashed: exit code 1: ValueError: no face", "The log below"),
        ("cv2.imwrite(task.support[0], frame * 0); cv2.imwrite(path, frame)", "changed", "write elsewhere"),
    ],
)
def test_what_is_broken_is_named_with_what_to_do(body: str, found: str, advice: str, go: Go) -> None:
    checked = go(body)
    assert not checked.kept
    assert found in texts(checked, False)
    assert advice in texts(checked, False)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("cv2.imwrite(path, frame)", "all frames of a task are the same"),
        ("cv2.imwrite(path, frame * 0)", "of one colour"),
        ("frame[place] = 0; cv2.imwrite(path, frame[..., ::-1])", "red and blue look swapped"),
        ("frame[place] = 0; cv2.imwrite(path, frame); cv2.imwrite(path + '.png', frame)", "9 other files"),
    ],
)
def test_what_looks_wrong_is_remarked_and_breaks_nothing(body: str, found: str, go: Go) -> None:
    checked = go(body)
    assert checked.kept
    assert found in texts(checked, None)


def test_the_end_of_the_log_is_shown(go: Go) -> None:
    assert go("print('line', place); sys.exit('what went wrong')").log.endswith("what went wrong")
