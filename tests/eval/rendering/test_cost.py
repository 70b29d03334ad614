"""What a system costs, as the harness sees it."""

import sys
from pathlib import Path

import numpy as np
import pytest

from eval.benchmark import benchmark
from eval.rendering import predictions
from eval.rendering.cost import MemoryWatch
from eval.specs.image import PSNR
from eval.systems.baselines import CopySource, StillHead
from eval.systems.protocol import Support
from eval.tasks.making import make_tasks
from tests.eval.conftest import DrawnStore

needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how much memory a process has had")
MIB = 2**20  # the kernel counts in batches: a page or a few hundred may be missing


def fill(mib: int) -> np.ndarray:
    """Return an array whose every page was written to."""
    return np.ones(mib * MIB, np.uint8)


@needs_linux
def test_a_peak_is_seen_after_it_is_over() -> None:
    with MemoryWatch(tidy=True) as watch:
        del_me = fill(80)
        del del_me
    assert 78 < watch.resident_mib < 90


@needs_linux
def test_what_was_there_before_and_earlier_peaks_are_not_growth() -> None:
    before = fill(60)
    earlier = fill(90)
    del earlier
    with MemoryWatch(tidy=True) as watch:
        fill(20)
    assert 18 < watch.resident_mib < 30
    assert before[0] == 1


@needs_linux
def test_memory_is_known_for_a_block_that_raises() -> None:
    watch = MemoryWatch(tidy=True)
    with pytest.raises(RuntimeError), watch:
        fill(40)
        raise RuntimeError
    assert watch.resident_mib > 38


def test_where_the_kernel_does_not_tell_nothing_is_claimed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eval.rendering.cost._CLEAR", tmp_path)
    with MemoryWatch() as watch:
        fill(10)
    assert watch.resident_mib is None


class Hungry(CopySource):
    """Copies, and takes memory on its first task as a system does that loads its networks."""

    name, title, parameters = "hungry", "Takes memory", 1234

    def __init__(self) -> None:
        self.network: np.ndarray | None = None

    def adapt(self, support: Support) -> StillHead:
        if self.network is None:
            self.network = fill(64)
        return super().adapt(support)


@needs_linux
def test_the_record_has_the_largest_memory_of_all_tasks_and_the_size(store: DrawnStore, tmp_path: Path) -> None:
    tasks = make_tasks(store, [1, 8], size_px=32)
    run = benchmark(store, [CopySource(), Hungry()], tasks, tmp_path / "run", specs=[PSNR], threads=1)
    costs = {(cost.system, cost.shots): cost for cost in run.record.cost}
    assert 62 < costs["hungry", 1].memory_mib < 80
    assert costs["copy-source", 1].memory_mib < 40
    assert costs["hungry", 8].memory_mib < 40  # its network was there already
    assert (costs["hungry", 8].parameters, costs["copy-source", 8].parameters) == (1234, None)
    assert costs["hungry", 8].accelerator_mib is None
    (machine,) = costs["hungry", 8].machines
    assert machine == predictions.header(tmp_path / "run", "hungry", tasks.tasks[0]).machine
    assert "torch on 1 thread" in machine
