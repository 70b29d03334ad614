"""The time rule, on lists of times."""

import numpy as np
import pytest

from pipeline.timeline import Resampler


def resample(times_s: list[float], fps: float = 25.0) -> list[tuple[int, int]]:
    """Return (slot, number of the source frame)."""
    resampler: Resampler[int] = Resampler(fps)
    chosen = [pair for number, time_s in enumerate(times_s) for pair in resampler.push(time_s, number)]
    return [*chosen, *resampler.finish()]


def test_a_video_at_the_wanted_rate_keeps_every_frame() -> None:
    assert resample([i / 25 for i in range(100)]) == [(i, i) for i in range(100)]


def test_a_video_at_the_wanted_rate_keeps_every_frame_whatever_its_first_time_and_jitter() -> None:
    jitter = np.random.default_rng(0).uniform(-0.009, 0.009, 100)
    times = [12.345 + i / 25 + float(jitter[i]) for i in range(100)]
    assert [number for _, number in resample(times)] == list(range(100))


def test_twice_the_rate_loses_every_second_frame() -> None:
    assert resample([i / 50 for i in range(20)]) == [(i, 2 * i) for i in range(10)]


@pytest.mark.parametrize("fps", [5.0, 11.94, 23.976, 24.0])
def test_a_slower_video_keeps_each_frame_once_and_leaves_slots_empty(fps: float) -> None:
    chosen = resample([i / fps for i in range(200)])
    assert [number for _, number in chosen] == list(range(200))
    assert chosen[-1][0] == pytest.approx(199 / fps * 25, abs=0.5)


@pytest.mark.parametrize("fps", [29.97, 30.0, 59.94, 120.0])
def test_of_a_faster_video_each_slot_gets_the_nearest_frame(fps: float) -> None:
    times = np.arange(300) / fps
    for slot, number in resample(times.tolist()):
        assert number == np.abs(times - slot / 25).argmin()


def test_no_frame_is_used_twice_and_slots_increase_for_any_times() -> None:
    times = np.sort(np.random.default_rng(1).uniform(0, 20, 700)).tolist()
    slots, numbers = zip(*resample(times), strict=True)
    assert len(set(numbers)) == len(numbers)
    assert list(slots) == sorted(set(slots))
    assert all(
        abs(times[number] - times[0] - slot / 25) <= 0.02 + 1e-9 for slot, number in zip(slots, numbers, strict=True)
    )


def test_a_frame_whose_clock_runs_backwards_is_left_out() -> None:
    assert [number for _, number in resample([0.0, 0.04, 0.08, 0.01, 0.12])] == [0, 1, 2, 4]
