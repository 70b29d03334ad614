import numpy as np
import pytest
from pytest import approx

from eval.metrics.frechet import FrechetMetric, frechet_distance
from eval.specs.distribution import FD_EFFICIENTNET
from weights.torchvision_import import import_torchvision

RNG = np.random.default_rng(7)


def gaussians(rows: int, width: int, shift: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(rows * 1000 + width)
    mix = rng.normal(size=(width, width)) / np.sqrt(width)
    return rng.normal(size=(rows, width)) @ mix, rng.normal(size=(rows, width)) * 1.5 + shift


def by_eigenvalues(x: np.ndarray, y: np.ndarray) -> float:
    """The textbook formula: the root of the first covariance, then eigenvalues of a symmetric product."""
    one, other = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    values, vectors = np.linalg.eigh(one)
    root = vectors @ np.diag(np.sqrt(np.clip(values, 0, None))) @ vectors.T
    trace = np.sqrt(np.clip(np.linalg.eigvalsh(root @ other @ root), 0, None)).sum()
    return float(np.sum((x.mean(0) - y.mean(0)) ** 2) + np.trace(one) + np.trace(other) - 2 * trace)


@pytest.mark.parametrize(("rows", "width"), [(200, 16), (64, 64), (40, 100)])
def test_equals_the_eigenvalue_formula(rows: int, width: int) -> None:
    x, y = gaussians(rows, width)
    assert frechet_distance(x, y) == approx(by_eigenvalues(x, y), rel=1e-6)


@pytest.mark.slow
def test_equals_pytorch_fid_at_full_rank() -> None:
    import_torchvision()
    from pytorch_fid.fid_score import calculate_frechet_distance

    x, y = gaussians(500, 32)
    theirs = calculate_frechet_distance(x.mean(0), np.cov(x, rowvar=False), y.mean(0), np.cov(y, rowvar=False))
    assert frechet_distance(x, y) == approx(theirs, rel=1e-6)


@pytest.mark.slow
def test_equals_torch_fidelity_at_full_rank() -> None:
    import_torchvision()
    from torch_fidelity.metric_fid import fid_statistics_to_metric

    x, y = gaussians(500, 32)
    statistics = [{"mu": side.mean(0), "sigma": np.cov(side, rowvar=False)} for side in (x, y)]
    theirs = fid_statistics_to_metric(*statistics, verbose=False)
    assert frechet_distance(x, y) == approx(theirs["frechet_inception_distance"], rel=1e-6)


def test_in_one_dimension_it_is_the_difference_of_means_and_deviations() -> None:
    x, y = np.array([[0.0], [2.0], [4.0]]), np.array([[10.0], [11.0], [12.0]])
    assert frechet_distance(x, y) == approx((2 - 11) ** 2 + (2 - 1) ** 2)


def test_a_shift_costs_its_square() -> None:
    x, _ = gaussians(50, 8)
    assert frechet_distance(x, x + 3) == approx(8 * 9)


@pytest.mark.parametrize(("rows", "width"), [(300, 10), (20, 200)])
def test_a_set_is_at_no_distance_from_itself_in_any_order(rows: int, width: int) -> None:
    x, _ = gaussians(rows, width)
    assert frechet_distance(x, x[::-1]) == approx(0, abs=1e-8 * np.var(x) * width)


def test_order_side_and_rotation_do_not_matter() -> None:
    x, y = gaussians(30, 12)
    turn = np.linalg.qr(RNG.normal(size=(12, 12)))[0]
    expected = frechet_distance(x, y)
    assert frechet_distance(y, x) == approx(expected)
    assert frechet_distance(RNG.permutation(x), y) == approx(expected)
    assert frechet_distance(x @ turn, y @ turn) == approx(expected)


def test_more_noise_is_farther() -> None:
    x, _ = gaussians(100, 20)
    noise = RNG.normal(size=x.shape)
    values = [frechet_distance(x + scale * noise, x) for scale in (0.1, 0.5, 2)]
    assert values == sorted(values)
    assert values[0] > 0


def test_single_precision_features_are_summed_in_double() -> None:
    x, y = gaussians(100, 20)
    shifted = [(side + 1000).astype(np.float32) for side in (x, y)]
    expected = frechet_distance(*[side.astype(np.float64) for side in shifted])
    assert frechet_distance(*shifted) == approx(expected, rel=1e-9)


def test_one_frame_has_no_covariance() -> None:
    with pytest.raises(ValueError, match="1 and 5"):
        frechet_distance(np.zeros((1, 3)), np.zeros((5, 3)))


def test_leaving_out_a_person_leaves_out_both_sides() -> None:
    x, y = gaussians(30, 4)
    owners = ["ann"] * 10 + ["bob"] * 20
    metric = FrechetMetric(FD_EFFICIENTNET, None)
    found = metric.without_each(x, y, owners)
    assert found == {
        "ann": approx(frechet_distance(x[10:], y[10:])),
        "bob": approx(frechet_distance(x[:10], y[:10])),
    }
    assert np.isnan(metric.without_each(x, y, ["ann"] * 30)["ann"])
