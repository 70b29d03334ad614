import numpy as np
import pytest

from eval.features import FeatureCache, Frames
from eval.metrics.failure import MissingFace
from eval.metrics.recent import Recent
from eval.specs.failure import MISSING_FACE
from eval.specs.image import LPIPS_EMBEDDED, LPIPS_PAPER, PSNR, SSIM
from eval.specs.profiles import SETS, SPECS, choose_specs, headline_specs
from eval.specs.versions import conflicts, require_same_metrics
from weights.errors import HeadshotError

HEADLINE = ["fd.efficientnet-lite0", "ssim", "psnr", "lpips.alex", "csim.fr-feature-512", "nme.interocular"]


def ids(*arguments: str) -> list[str]:
    return [spec.id for spec in choose_specs(*arguments)]


def test_the_main_table_has_six_metrics_in_either_profile() -> None:
    assert ids("embedded", "headline") == HEADLINE
    assert len(ids("paper", "headline")) == 6
    assert [spec.id for spec in headline_specs(choose_specs("embedded", "all"))] == HEADLINE


@pytest.mark.parametrize("profile", list(SPECS))
def test_each_set_holds_the_one_before(profile: str) -> None:
    headline, default, everything = (set(ids(profile, name)) for name in SETS)
    assert headline < default < everything == {spec.id for spec in SPECS[profile] if spec.tier != "named"}
    assert default == set(ids(profile))


def test_fvd_is_measured_where_its_id_is_asked_for_and_nowhere_else() -> None:
    fvd = "fvd.i3d-kinetics400"
    assert not [name for profile in SPECS for name in SETS if fvd in ids(profile, name)]
    assert ids("paper", f"ssim,{fvd}") == ["ssim", fvd]
    with pytest.raises(HeadshotError, match="the profile embedded has no metric fvd"):
        choose_specs("embedded", fvd)
    with pytest.raises(HeadshotError, match="no metric fvd"):
        choose_specs("paper", fvd, across=True)


def test_a_set_of_metrics_stands_alone() -> None:
    with pytest.raises(HeadshotError, match="headline is a set of metrics and stands alone"):
        choose_specs("embedded", "headline,psnr@mouth")


def test_metrics_asked_for_by_name_make_the_main_table() -> None:
    chosen = choose_specs("embedded", "psnr@mouth, ssim,psnr@mouth")
    assert [spec.id for spec in chosen] == ["psnr@mouth", "ssim"]
    assert headline_specs(chosen) == chosen
    assert headline_specs((PSNR.model_copy(update={"tier": "extra"}),)), "a table is never empty"


@pytest.mark.parametrize("wrong", ["psnr@nose", "ssim,lpips.vg", "", ","])
def test_an_unknown_metric_is_refused_with_the_nearest_ones(wrong: str) -> None:
    with pytest.raises(HeadshotError, match=r"no metric .* docs/metrics\.md") as refused:
        choose_specs("embedded", wrong)
    if "@" in wrong:
        assert "psnr@mouth" in str(refused.value) or "psnr@face" in str(refused.value)


def test_ids_are_unique_in_a_profile() -> None:
    for specs in SPECS.values():
        assert len({spec.id for spec in specs}) == len(specs)


def test_versions_and_networks_have_to_agree_where_both_have_a_metric() -> None:
    newer = SSIM.model_copy(update={"version": 2})
    assert conflicts([SSIM, PSNR], [PSNR.model_copy(update={"title": "another", "tier": "extra"})]) == ()
    with pytest.raises(HeadshotError, match="ssim is version 1 in the one and version 2 in the other"):
        require_same_metrics([PSNR, SSIM], [newer])
    with pytest.raises(HeadshotError, match="lpips-alexnet in the one and alexnet-torchvision in the other"):
        require_same_metrics([LPIPS_EMBEDDED], [LPIPS_PAPER])


def test_recent_values_go_when_there_are_too_many() -> None:
    asked: list[int] = []
    recent: Recent[bytes] = Recent(3, len)

    def compute(places) -> list[bytes]:
        asked.extend(places)
        return [b"x"] * len(places)

    recent.get([b"a", b"b", b"a"], compute)
    assert asked == [2, 1] or asked == [0, 1]
    recent.get([b"a"], compute)
    assert len(asked) == 2
    recent.get([b"c", b"d"], compute)  # b is the oldest
    recent.get([b"a"], compute)
    assert len(asked) == 4
    recent.get([b"b"], compute)
    assert len(asked) == 5


class SeesBrightFaces:
    """A face is where the frame is bright."""

    key = "bright"
    width = 136

    def extract(self, frames: Frames, _cache: FeatureCache) -> np.ndarray:
        bright = frames.pixels.mean(axis=(1, 2, 3)) > 100
        return np.where(bright[:, None], np.zeros((1, 136)), np.nan)


def test_missing_faces_are_counted_where_the_target_has_one() -> None:
    def frames(*values: int) -> Frames:
        return Frames.of(np.stack([np.full((8, 8, 3), value, np.uint8) for value in values]))

    measured = MissingFace(MISSING_FACE, SeesBrightFaces()).score(
        frames(200, 10, 200, 10), frames(200, 200, 10, 10), FeatureCache()
    )
    assert measured.statuses == ("ok", "ok", "target_no_face", "target_no_face")
    assert measured.values[:2].tolist() == [0, 1]
