"""Programs under test: what they are told, and what it costs them to misbehave."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from eval.systems.external import ExternalSpec, ExternalSystem
from eval.systems.process import Limits
from eval.systems.protocol import Delivered
from tests.conftest import REPOSITORY
from tests.eval.systems.asking import asked_of
from weights.errors import HeadshotError

EXAMPLES = REPOSITORY / "examples" / "systems"
BEGINNING = f"""
import os, shutil, sys, time
sys.path.insert(0, {str(EXAMPLES)!r})
from headshot_system import tasks
TASKS = list(tasks())
def fill(task, places=None):
    for path in task.outputs[slice(places)]:
        shutil.copyfile(task.support[0], path)
"""
Make = Callable[..., ExternalSystem]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return a system from the body of its program."""

    def made(body: str, **options) -> ExternalSystem:
        (tmp_path / "infer.py").write_text(BEGINNING + body)
        command = (sys.executable, "infer.py")
        limits = {"task_s": 20, "total_s": 60, **options.pop("limits", {})}
        spec = ExternalSpec(command=command, working_dir=tmp_path, limits=Limits(**limits), **options)
        return ExternalSystem("mine", spec, tmp_path / "logs" / "mine.log")

    return made


def go(system: ExternalSystem, count: int = 3) -> dict[int, Delivered]:
    """Ask for some tasks; every one has to be answered once."""
    found = list(system.render_all(asked_of(number) for number in range(count)))
    assert sorted(int(one.id, 16) for one in found) == list(range(count))
    return {int(one.id, 16): one for one in found}


def test_a_program_is_started_once_and_its_frames_arrive_to_the_bit(make: Make, tmp_path: Path) -> None:
    found = go(make("open('starts', 'a').write('x')\nfor task in TASKS: fill(task)"))
    assert (tmp_path / "starts").read_text() == "x"
    for number, one in found.items():
        assert one.failures == {}
        assert np.array_equal(one.frames, np.repeat(asked_of(number).support.frames[:1], 3, axis=0))
        assert one.cost.adaptation_s is not None
        assert one.cost.adaptation_s >= 0
        assert one.cost.peak_memory_bytes is not None


def test_points_arrive_to_the_bit(make: Make, tmp_path: Path) -> None:
    body = (
        "import json\njson.dump([[t.support_landmarks, t.driving_landmarks, t.seed] for t in TASKS], open('told', 'w'))"
    )
    go(make(body))
    for number, (support, driving, seed) in enumerate(json.loads((tmp_path / "told").read_text())):
        asked = asked_of(number)
        assert np.array_equal(np.float32(support), asked.support.landmarks)
        assert np.array_equal(np.float32(driving), asked.driving_landmarks)
        assert seed == number


def test_tasks_arrive_while_the_program_still_runs(make: Make) -> None:
    system = make("fill(TASKS[0])\ntime.sleep(60)")
    began = time.monotonic()
    delivering = system.render_all([asked_of(0), asked_of(1)])
    assert next(delivering).failures == {}
    assert time.monotonic() - began < 20
    delivering.close()  # type: ignore[attr-defined]


def test_a_program_ends_with_all_it_started_when_nobody_listens(make: Make, tmp_path: Path) -> None:
    body = """
import subprocess
child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], start_new_session=True)
open('pids', 'w').write(f'{os.getpid()} {child.pid}')
fill(TASKS[0])
time.sleep(60)
"""
    delivering = make(body).render_all([asked_of(0), asked_of(1)])
    next(delivering)
    delivering.close()  # type: ignore[attr-defined]
    for pid in map(int, (tmp_path / "pids").read_text().split()):
        assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_crash_costs_the_frames_that_are_missing_and_nothing_else(make: Make, tmp_path: Path) -> None:
    body = """
open('starts', 'a').write('x')
for task in TASKS:
    if task.seed == 1:
        fill(task, 2)
        raise RuntimeError('out of luck')
    fill(task)
"""
    found = go(make(body))
    assert found[0].failures == found[2].failures == {}
    assert found[1].failures == {2: "crashed: exit code 1: RuntimeError: out of luck"}
    assert (tmp_path / "starts").read_text() == "xx"


def test_a_crash_while_learning_costs_that_person_only(make: Make) -> None:
    body = """
for task in TASKS:
    if task.seed == 1:
        os.kill(os.getpid(), 11)
    fill(task)
"""
    found = go(make(body))
    assert found[0].failures == found[2].failures == {}
    assert set(found[1].failures.values()) == {"crashed: killed by SIGSEGV: it said nothing"}


def test_a_program_that_never_draws_anything_is_not_started_for_every_task(make: Make, tmp_path: Path) -> None:
    found = go(make("open('starts', 'a').write('x')\nimport no_such_network"), count=5)
    assert (tmp_path / "starts").read_text() == "xx"
    reasons = {reason for one in found.values() for reason in one.failures.values()}
    assert reasons == {"crashed: exit code 1: ModuleNotFoundError: No module named 'no_such_network'"}
    assert "No module named 'no_such_network'" in (tmp_path / "logs" / "mine.log").read_text()


def test_what_a_program_that_ends_well_leaves_out_is_missing(make: Make) -> None:
    found = go(make("fill(TASKS[0])\nfill(TASKS[1], 1)"))
    assert found[0].failures == {}
    assert found[1].failures == dict.fromkeys((1, 2), "missing: was not written")
    assert found[2].failures == dict.fromkeys(range(3), "missing: was not written")


def test_a_program_that_hangs_loses_the_task_it_hangs_at(make: Make) -> None:
    body = """
for task in TASKS:
    if task.seed == 1:
        fill(task, 1)
        time.sleep(60)
    fill(task)
"""
    found = go(make(body, limits={"task_s": 3}))
    assert found[0].failures == found[2].failures == {}
    assert found[1].failures == dict.fromkeys((1, 2), "timed_out: finished no task for 3 s")


@pytest.mark.slow
def test_a_program_that_ignores_being_asked_to_end_is_ended(make: Make, tmp_path: Path) -> None:
    body = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open('pid', 'w').write(str(os.getpid()))
time.sleep(60)
"""
    found = go(make(body, limits={"total_s": 2}))
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))
    assert {reason for one in found.values() for reason in one.failures.values()} == {
        "timed_out: the time for all tasks is over"
    }


def test_too_much_memory_ends_a_program(make: Make) -> None:
    body = """
for task in TASKS:
    if task.seed == 0:
        held = b'x' * 2**29
        time.sleep(60)
    fill(task)
"""
    found = go(make(body, limits={"memory_gib": 0.4}))
    assert found[0].cost.peak_memory_bytes > 0.4 * 2**30
    assert set(found[0].failures.values()) == {"out_of_memory: took more than 0.4 GiB"}
    assert found[1].failures == found[2].failures == {}


def test_a_full_disk_costs_the_task_that_filled_it(make: Make) -> None:
    body = """
for task in TASKS:
    if task.seed == 1:
        with open(os.path.join(os.path.dirname(task.outputs[0]), 'scratch'), 'wb') as file:
            for _ in range(300):
                file.write(b'x' * 2**20)
                file.flush()
                time.sleep(0.01)
    fill(task)
"""
    found = go(make(body, limits={"disk_gib": 0.03}))
    assert found[0].failures == found[2].failures == {}
    assert set(found[1].failures.values()) == {"disk_full: wrote more than 0.03 GiB"}


def test_a_log_without_end_is_ended(make: Make) -> None:
    found = go(make("while True: print('x' * 10**6)", limits={"disk_gib": 0.01}))
    assert {reason for one in found.values() for reason in one.failures.values()} == {
        "disk_full: wrote more than 0.01 GiB"
    }


SPOILT = (
    ("open(path, 'w').close()", "is empty"),
    ("open(path, 'w').write('no picture')", "is no PNG"),
    ("open(path, 'r+b').truncate(200)", "is cut off"),
    ("data = bytearray(open(path, 'rb').read()); data[100] ^= 1; open(path, 'wb').write(data)", "checksum"),
    ("os.remove(path)", "missing: was not written"),
    ("os.remove(path); os.symlink(task.support[0], path)", "lies behind a link"),
    ("os.remove(path); os.mkfifo(path)", "is no file"),
    ("os.remove(path); os.mkdir(path)", "is no file"),
    ("os.rename(path, os.path.join(os.path.dirname(path), '..', '..', 'x'))", "missing: was not written"),
    ("open(path, 'ab').truncate(2**26)", "too much for one frame"),
    ("import cv2; cv2.imwrite(path, cv2.imread(path)[:8])", "is 16 x 8 pixels, 16 x 16 were asked for"),
)


def test_a_frame_that_is_none_costs_that_frame(make: Make) -> None:
    spoiling = "".join(f"path = task.outputs[{2 * number}]\n{spoil}\n" for number, (spoil, _) in enumerate(SPOILT))
    body = f"for task in TASKS: fill(task)\ntask = TASKS[0]\n{spoiling}"
    asked = asked_of(0, frames=2 * len(SPOILT)), asked_of(1)
    spoilt, other = sorted(make(body).render_all(asked), key=lambda one: one.id)
    assert sorted(spoilt.failures) == [2 * number for number in range(len(SPOILT))]
    for number, (_, reason) in enumerate(SPOILT):
        assert reason in spoilt.failures[2 * number]
    assert (spoilt.frames[1::2] == asked[0].support.frames[0]).all()
    assert other.failures == {}


def test_a_folder_that_became_a_link_shows_nothing_from_behind_it(make: Make, tmp_path: Path) -> None:
    body = """
for task in TASKS:
    fill(task)
folder = os.path.dirname(TASKS[2].outputs[0])
shutil.move(folder, 'elsewhere')
os.symlink(os.path.abspath('elsewhere'), folder)
"""
    found = go(make(body))
    assert found[2].failures == dict.fromkeys(range(3), "bad_output: lies behind a link")


def test_a_program_that_spoils_the_folder_of_all_frames_loses_what_was_in_it(make: Make) -> None:
    body = """
frames = os.path.dirname(os.path.dirname(TASKS[0].outputs[0]))
if len(TASKS) == 3:
    shutil.rmtree(frames)
    os.symlink('nowhere', frames)
    sys.exit(1)
for task in TASKS: fill(task)
"""
    found = go(make(body))
    assert set(found[0].failures.values()) == {"crashed: exit code 1: it said nothing"}
    assert found[1].failures == found[2].failures == {}


def test_only_what_is_listed_passes_into_the_environment(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "s")
    monkeypatch.setenv("WANTED", "w")
    system = make(
        "import json\njson.dump(dict(os.environ), open('env', 'w'))",
        environment={"THREADS": "2"},
        pass_environment=("WANTED",),
    )
    go(system)
    told = json.loads((tmp_path / "env").read_text())
    assert (told["THREADS"], told["WANTED"]) == ("2", "w")
    assert set(told) <= {"PATH", "HOME", "LANG", "LC_CTYPE", "THREADS", "WANTED"}
    assert "w" not in system.config["environment"].values()


def test_the_key_of_a_prediction_depends_on_the_program_and_not_on_its_limits(make: Make) -> None:
    one = make("pass").config
    assert make("pass", limits={"task_s": 5}).config == one
    assert make("print()").config != one
    assert make("pass", version=2).config != one
    assert make("pass", environment={"A": "b"}).config != one


def test_nothing_is_left_behind(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    go(make("for task in TASKS: fill(task)"))
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_program_that_is_not_there_is_a_mistake_of_the_user(tmp_path: Path) -> None:
    with pytest.raises(HeadshotError, match="no program no-such-program"):
        ExternalSystem("mine", ExternalSpec(command=("no-such-program",), working_dir=tmp_path), tmp_path / "log")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("command = []", "command"),
        ('command = ["python3"]\ncolour = "red"', "colour"),
        ('command = ["python3"]\nfiles = ["absent.pth"]', "absent.pth"),
        ("command =", "does not describe"),
    ],
)
def test_a_description_with_a_fault_is_a_mistake_of_the_user(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "system.toml"
    path.write_text(text)
    with pytest.raises(HeadshotError, match=message):
        ExternalSpec.load(path)
    with pytest.raises(HeadshotError, match=r"absent\.toml"):
        ExternalSpec.load(tmp_path / "absent.toml")
