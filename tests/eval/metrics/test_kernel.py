import numpy as np
import pytest
from pytest import approx

from eval.metrics import kernel
from eval.metrics.kernel import KernelMetric, kernel_distance
from eval.specs.distribution import KD_EFFICIENTNET


def features(rows: int, width: int = 5, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32)


def by_double_loop(x: np.ndarray, y: np.ndarray) -> float:
    def k(a: np.ndarray, b: np.ndarray) -> float:
        return (float(a.astype(np.float64) @ b.astype(np.float64)) / len(a) + 1) ** 3

    n, m = len(x), len(y)
    own = sum(k(x[i], x[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    other = sum(k(y[i], y[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    return own + other - 2 * sum(k(a, b) for a in x for b in y) / (n * m)


@pytest.mark.parametrize(("rows", "others"), [(2, 2), (7, 12), (30, 20)])
def test_equals_a_double_loop(rows: int, others: int) -> None:
    x, y = features(rows), features(others, seed=1) + 0.5
    assert kernel_distance(x, y) == approx(by_double_loop(x, y), rel=1e-10)


def test_a_value_by_hand() -> None:
    """One feature: k(1, 3) = 64, k(0, 2) = 1, and across 1, 27, 1, 343."""
    x, y = np.array([[1.0], [3.0]]), np.array([[0.0], [2.0]])
    assert kernel_distance(x, y) == approx(64 + 1 - 2 * (1 + 27 + 1 + 343) / 4)


def test_large_sets_are_summed_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = features(23), features(17, seed=1)
    whole = kernel_distance(x, y)
    monkeypatch.setattr(kernel, "_ROWS", 5)
    assert kernel_distance(x, y) == approx(whole, rel=1e-12)


def test_leaving_out_a_person_equals_the_distance_without_their_rows() -> None:
    x, y = features(20), features(20, seed=1) + 1
    owners = ["ann", "bob", "ann", "eve"] * 5
    found = KernelMetric(KD_EFFICIENTNET, None).without_each(x, y, owners)
    for owner, value in found.items():
        rest = np.array([name != owner for name in owners])
        assert value == approx(kernel_distance(x[rest], y[rest]), rel=1e-9)
    assert list(found) == ["ann", "bob", "eve"]
    assert np.isnan(KernelMetric(KD_EFFICIENTNET, None).without_each(x, y, ["ann"] * 20)["ann"])


def test_it_is_unbiased_and_so_negative_at_times() -> None:
    """Two samples of one distribution: nothing on average whatever the size, unlike a Frechet distance."""
    for rows in (8, 32):
        draws = [kernel_distance(features(rows, seed=2 * i), features(rows, seed=2 * i + 1)) for i in range(300)]
        assert min(draws) < 0 < max(draws)
        assert abs(np.mean(draws)) < 3 * np.std(draws) / np.sqrt(len(draws))


def test_order_and_side_do_not_matter_and_more_noise_is_farther() -> None:
    x, y = features(40), features(40, seed=1)
    rng = np.random.default_rng(2)
    assert kernel_distance(rng.permutation(x), y) == approx(kernel_distance(x, y))
    assert kernel_distance(y, x) == approx(kernel_distance(x, y))
    values = [kernel_distance(x + shift, y) for shift in (0.2, 1, 3)]
    assert values == sorted(values)


def test_one_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="1 and 5"):
        kernel_distance(np.zeros((1, 3)), np.zeros((5, 3)))
