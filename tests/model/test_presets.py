"""Presets are what they are called, say what was varied, and leave `compact` and `tiny` where they were."""

import pytest
import torch

from model.checkpoint import Networks
from model.loss_weights import EMBEDDED_CONTENT
from model.presets import PRESETS, Preset, preset
from weights.errors import HeadshotError


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_prints_itself_and_is_read_back(name: str) -> None:
    assert Preset.model_validate_json(preset(name).model_dump_json()) == preset(name)


def test_a_name_that_is_none_is_answered_with_the_names() -> None:
    with pytest.raises(HeadshotError, match="zakharov-256-v1, zakharov-256-v2"):
        preset("zakharov")


def test_the_two_published_sets_of_loss_weights() -> None:
    first, second = preset("zakharov-256-v1"), preset("zakharov-256-v2")
    assert first.losses.content_networks == (("vgg19", 1e-2), ("vggface", 2e-3))
    assert second.losses.content_networks == (("vgg19", 1.5e-1), ("vggface", 2.5e-2))
    assert (first.losses.match, second.losses.match) == (80, 10)
    assert first.losses.feature_matching == second.losses.feature_matching == 10
    assert (first.network.pooling, second.network.pooling) == ("max", "sum")


def test_embedded_content_is_recorded_and_changes_nothing_where_it_is_the_preset_s_own() -> None:
    varied = preset("zakharov-256-v2").varied(embedded_content=True)
    assert varied.losses.content_networks == EMBEDDED_CONTENT
    assert varied.losses.content / varied.losses.adversarial == pytest.approx(10)
    assert preset("compact").varied(embedded_content=True) == preset("compact")


def test_variant_and_gaze_are_recorded() -> None:
    varied = preset("compact").varied(variant="ff", gaze=True)
    assert (varied.meta_learning.variant, varied.network.gaze) == ("ff", True)
    assert preset("compact").varied() == preset("compact")


@pytest.mark.parametrize(
    ("name", "sums"),
    [
        ("compact", {"embedder": 650775.090652, "generator": 1143046.996881, "discriminator": 508192.974268}),
        ("tiny", {"embedder": 14295.111240, "generator": 26564.807308, "discriminator": 33386.545423}),
    ],
)
def test_initial_weights_of_a_seed_stay_what_they_were(name: str, sums: dict[str, float]) -> None:
    """Every tensor, weighted by its place in the list, so that neither order nor stream can change unseen."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        parts = Networks(preset(name), clips=3).parts
    found = {
        part: sum(
            place * float(tensor.double().abs().sum()) for place, tensor in enumerate(module.state_dict().values(), 1)
        )
        for part, module in parts.items()
    }
    assert found == {part: pytest.approx(value, rel=1e-5) for part, value in sums.items()}
