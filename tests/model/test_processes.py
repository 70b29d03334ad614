"""Two processes that share each batch learn what one process learns from it."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch.distributed.run import parse_args

from model.checkpoint import MODEL_FILE, read_config
from model.journal import STATS_FILE
from model.processes import average
from tests.conftest import REPOSITORY
from tests.headshot.test_cli import check_usage
from tests.pipeline.conftest import SMALL, clip_of, disc_frames, discs_for_faces, encode_video, manifest_of
from tests.pipeline.conftest import run as preprocess

_CHILD = """
import sys
from contextlib import nullcontext
from pathlib import Path
sys.path.insert(0, {repository!r})
import model.content
from tests.model.conftest import random_content
from model import metalearning, processes, training
from model.content import ContentLoss
from model.presets import preset
from pipeline.store import Store
model.content.fetch = lambda _: Path(__file__)
ContentLoss.pretrained = classmethod(lambda *_: random_content())
metalearning.mixed_precision = lambda _: nullcontext()
data, folder, averaging = sys.argv[1:]
if averaging == "apart":
    from model import engine
    engine.average = lambda _: None
tiny = preset("tiny")
schedule = tiny.meta_learning.model_copy(update=dict(batch=4, adversarial_from=0.5))
training.train(
    Store.open(data), tiny.model_copy(update=dict(meta_learning=schedule)), Path(folder), device="cpu"
)
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset made from videos by the pipeline itself."""
    root = tmp_path_factory.mktemp("shared")
    people = [("ann", 50, 22), ("bob", 70, 24), ("eve", 90, 26)]
    films = [encode_video(root / f"{name}.mp4", disc_frames(30, [(x, 60, size)])) for name, x, size in people]
    with discs_for_faces():
        preprocess(manifest_of(*(clip_of(film) for film in films)), root / "data", SMALL)
    return root / "data"


def trained(script: Path, data: Path, processes: int, averaging: str = "together") -> Path:
    """Train in so many processes and return the checkpoint."""
    folder = script.parent / f"{processes}-{averaging}"
    launcher = ["-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1", "--nproc-per-node"]
    command = [*launcher, str(processes)] if processes > 1 else ["-W", "ignore"]
    subprocess.run(
        [sys.executable, *command, str(script), str(data), str(folder), averaging],
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY), "GLOO_SOCKET_IFNAME": "lo"},
        check=True,
        timeout=300,
    )
    return folder


def distance(one: Path, other: Path) -> float:
    """Return the mean distance of all weights of E and G of two checkpoints."""
    left, right = load_file(one / MODEL_FILE), load_file(other / MODEL_FILE)
    assert left.keys() == right.keys()
    names = [name for name in left if not name.startswith("discriminator.")]
    return float(torch.cat([(left[name] - right[name]).abs().flatten() for name in names]).mean())


def losses(folder: Path) -> dict[str, float]:
    (line,) = [json.loads(line) for line in (folder / STATS_FILE).read_text().splitlines()]
    return {name: value for name, value in line.items() if name not in ("images_per_s", "data_share")}


@pytest.mark.slow
def test_two_processes_learn_from_a_batch_what_one_does(data: Path, tmp_path: Path) -> None:
    script = tmp_path / "run.py"
    script.write_text(_CHILD.format(repository=str(REPOSITORY)))
    alone, together, apart = (
        trained(script, data, 1),
        trained(script, data, 2),
        trained(script, data, 2, averaging="apart"),
    )
    assert read_config(together).execution.processes == 2
    assert losses(together) == pytest.approx(losses(alone), rel=0.02, abs=0.02)
    assert all(abs(value) < 100 for value in losses(together).values())
    assert distance(alone, together) < 0.1 * distance(alone, apart)
    assert not list(tmp_path.rglob("*.tmp*"))


def test_a_process_that_is_alone_keeps_its_gradients() -> None:
    gradients = [torch.ones(3), torch.full((2, 2), 4.0)]
    average(gradients)
    assert gradients[0].tolist() == [1, 1, 1]
    assert gradients[1].eq(4).all()


def test_the_command_line_in_the_guide_is_one_that_torchrun_understands() -> None:
    """torchrun would take `--run` for an abbreviation of its own options."""
    page = (REPOSITORY / "docs" / "model.md").read_text(encoding="utf-8")
    (line,) = [line for line in page.splitlines() if line.startswith("torchrun ")]
    parsed = parse_args(shlex.split(line)[1:])
    assert (parsed.module, parsed.training_script) == (True, "headshot")
    check_usage(shlex.join(["headshot", *parsed.training_script_args]))
