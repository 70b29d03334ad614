from pathlib import Path

import pytest

from eval.metrics.loading import can_load, load_metrics
from eval.metrics.page import render_page
from eval.specs.image import SSIM
from eval.specs.profiles import SPECS
from weights.errors import HeadshotError
from weights.registry import load_registry

ALL = [(profile, spec) for profile, specs in SPECS.items() for spec in specs]


def test_the_page_is_current() -> None:
    """If this fails: `python -m eval.metrics.page > docs/metrics.md`."""
    page = Path(__file__).resolve().parents[3] / "docs" / "metrics.md"
    assert page.read_text(encoding="utf-8") == render_page()


@pytest.mark.parametrize(("profile", "spec"), ALL)
def test_every_network_is_registered_for_its_profile(profile: str, spec) -> None:
    registry = load_registry()
    for weight in spec.weights:
        assert registry[weight].profile in ("embedded", profile)
    assert can_load(spec)


@pytest.mark.parametrize(("profile", "spec"), ALL)
def test_the_worst_bound_and_the_perfect_value_lie_in_the_range(profile: str, spec) -> None:
    low, high = spec.range
    for value in (spec.worst, spec.perfect):
        if value is not None:
            assert low is None or low <= value
            assert high is None or value <= high
    assert (spec.worst is None) == (spec.level == "set")
    if spec.worst is not None:
        assert (spec.worst < spec.perfect) == spec.higher_is_better


def test_only_the_network_of_2015_is_called_fid() -> None:
    for _, spec in ALL:
        over_inception = "inception-2015" in spec.weights
        assert over_inception == spec.id.startswith(("fid.", "kid.")) == (spec.title in ("FID", "KID"))


def test_an_unknown_metric_is_refused() -> None:
    with pytest.raises(HeadshotError, match="vmaf@1"):
        load_metrics([SSIM.model_copy(update={"id": "vmaf"})])
