"""Each loss against a value computed by hand, and the direction of its gradient."""

import pytest
import torch

from model import losses


def test_hinge_of_known_scores() -> None:
    real, fake = torch.tensor([2.0, 0.5]), torch.tensor([-3.0, 0.25])
    assert losses.hinge(real, fake).item() == pytest.approx((0 + 0.5) / 2 + (0 + 1.25) / 2)


def test_hinge_is_zero_only_beyond_the_margins() -> None:
    assert losses.hinge(torch.tensor([1.0]), torch.tensor([-1.0])).item() == 0
    assert losses.hinge(torch.tensor([0.99]), torch.tensor([-1.0])).item() > 0


def test_adversarial_term_pushes_scores_up() -> None:
    scores = torch.tensor([0.5, -1.5], requires_grad=True)
    loss = losses.adversarial(scores)
    loss.backward()
    assert loss.item() == pytest.approx(0.5)
    assert scores.grad is not None
    assert (scores.grad < 0).all()


def test_feature_matching_is_the_mean_over_blocks_and_leaves_real_features_alone() -> None:
    real = [torch.zeros(1, 2, 2, 2, requires_grad=True), torch.ones(1, 1, 1, 1, requires_grad=True)]
    fake = [torch.full((1, 2, 2, 2), 3.0, requires_grad=True), torch.full((1, 1, 1, 1), 0.0, requires_grad=True)]
    loss = losses.feature_matching(real, fake)
    loss.backward()
    assert loss.item() == pytest.approx((3 + 1) / 2)
    assert real[0].grad is None
    assert fake[0].grad is not None


def test_match_is_the_mean_absolute_difference() -> None:
    assert losses.match(torch.tensor([[1.0, -2.0]]), torch.tensor([[0.0, 2.0]])).item() == pytest.approx(2.5)
