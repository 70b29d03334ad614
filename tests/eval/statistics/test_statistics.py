import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from scipy import stats

from eval.runs.results import SCORE_SCHEMA, held
from eval.specs.profiles import SPECS
from eval.specs.spec import MetricSpec
from eval.statistics.cells import Cell, summarise
from eval.statistics.comparisons import differences
from eval.statistics.difference import Difference
from eval.statistics.intervals import jackknife_interval
from eval.statistics.summary import statistics

BY_ID = {spec.id: spec for spec in SPECS["embedded"]}
SSIM, NME, FD = BY_ID["ssim"], BY_ID["nme.interocular"], BY_ID["fd.efficientnet-lite0"]
FRAME_SPECS = [spec for spec in SPECS["embedded"] if spec.level == "frame"]
NAN = float("nan")


def row(identity: str, value: float, **changes) -> dict:
    known = {
        "system": "a",
        "shots": 1,
        "draw": 0,
        "identity": identity,
        "clip": f"{identity}/video/1" if identity else "",
        "query_clip": f"{identity}/video/1" if identity else "",
        "frame": 0,
        "stratum": "",
        "metric": "ssim",
        "value": value,
        "status": "ok",
    }
    return {**known, **changes}


def table(*rows: dict) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=SCORE_SCHEMA)


def cell(spec: MetricSpec, *rows: dict) -> Cell:
    (found,) = summarise(table(*rows), [spec])
    return found


def difference(spec: MetricSpec, *rows: dict, **options) -> Difference:
    (found,) = differences(table(*rows), [spec], "a", "b", **options)
    return found


def test_frames_are_averaged_in_clips_clips_in_people_and_people_in_the_value() -> None:
    found = cell(
        SSIM,
        *[row("ann", value, frame=frame) for frame, value in enumerate([0.1, 0.2, 0.3])],  # clip mean 0.2
        row("ann", 0.6, clip="ann/video/2"),  # so ann is 0.4
        row("bob", 0.8),
    )
    assert found.value == pytest.approx(0.6)
    assert (found.n_identities, found.n_frames, found.n_failed) == (2, 5, 0)


def test_rows_with_names_as_codes_say_the_same_whatever_their_lists_of_names_hold() -> None:
    rng = np.random.default_rng(1)
    rows = [
        row(name, float(rng.normal()), system=system, metric=metric, frame=frame, stratum=("near", "far")[frame % 2])
        for system in ("gone", "b", "a", "c")
        for name in ("zoe", "ann", "left")
        for metric in ("psnr", "ssim")
        for frame in range(3)
    ]
    kept = (pc.field("system") != "gone") & (pc.field("identity") != "left")
    plain, coded = table(*rows).filter(kept), held(table(*rows)).filter(kept)
    backwards = coded.take(np.arange(len(coded))[::-1])
    psnr = BY_ID["psnr"]
    for stratum in (None, "far"):
        found, known = (statistics(rows, [psnr, SSIM], stratum) for rows in (coded, plain))
        assert repr(found) == repr(known), "NaN included"
        assert summarise(coded, [SSIM], stratum) == summarise(plain, [SSIM], stratum)
        turned = table(*plain.to_pylist()[::-1])
        assert summarise(backwards, [psnr, SSIM], stratum) == summarise(turned, [psnr, SSIM], stratum)
    assert [one.system for one in summarise(coded, [SSIM])] == ["b", "a", "c"]


def test_the_interval_is_students_t_over_people() -> None:
    values = {"ann": 0.5, "bob": 0.7, "eve": 0.9}
    rows = [row(name, value, frame=frame) for name, value in values.items() for frame in range(40)]
    found = cell(SSIM, *rows)
    expected = stats.t.interval(0.95, 2, loc=0.7, scale=stats.sem(list(values.values())))
    assert (found.low, found.high) == pytest.approx(expected)


def test_more_frames_of_the_same_people_do_not_narrow_the_interval() -> None:
    """Frames of one clip are not independent; treating them so would claim precision that is not there."""
    rng = np.random.default_rng(0)
    people = {f"p{index}": rng.normal(0.5, 0.1) for index in range(6)}

    def width(frames: int) -> float:
        rows = [
            row(name, value + rng.normal(0, 0.01), frame=frame)
            for name, value in people.items()
            for frame in range(frames)
        ]
        found = cell(SSIM, *rows)
        return found.high - found.low

    assert width(100) == pytest.approx(width(10), rel=0.1)


def test_one_person_has_a_value_and_no_interval() -> None:
    found = cell(SSIM, row("ann", 0.5))
    assert found.value == 0.5
    assert np.isnan([found.low, found.high]).all()


def test_a_failed_frame_counts_as_the_worst_bound_and_is_shown_apart() -> None:
    found = cell(
        NME,
        row("ann", 0.1, metric=NME.id),
        row("ann", NAN, frame=1, metric=NME.id, status="no_face"),
        row("bob", 0.3, metric=NME.id),
    )
    assert found.value == pytest.approx(((0.1 + 1.0) / 2 + 0.3) / 2)
    assert found.value_measured_only == pytest.approx(0.2)
    assert (found.n_frames, found.n_failed) == (3, 1)


def test_a_measured_value_beyond_the_bound_counts_as_the_bound_only_in_the_headline() -> None:
    """Else a system would gain by failing on its worst frames."""
    found = cell(NME, row("ann", 3.0, metric=NME.id), row("bob", 0.5, metric=NME.id))
    assert found.value == pytest.approx(0.75)
    assert found.value_measured_only == pytest.approx(1.75)
    assert cell(SSIM, row("ann", -0.4), row("bob", 0.5)).value == pytest.approx(0.25)


@pytest.mark.parametrize("spec", FRAME_SPECS, ids=lambda spec: spec.id)
@pytest.mark.parametrize("share", [0.05, 0.5])
def test_failing_on_frames_never_gains(spec: MetricSpec, share: float) -> None:
    """Whatever the scores are, bad ones included, the same system that fails on some frames stands no better."""
    rng = np.random.default_rng(1)
    low, high = spec.range[0], spec.range[1] or 2 * spec.worst
    values = rng.uniform(low, high, 200)
    blanked = rng.random(200) < share

    def headline(fails: np.ndarray) -> float:
        rows = [
            row(
                f"p{index % 5}",
                NAN if failed else value,
                frame=index,
                metric=spec.id,
                status="no_face" if failed else "ok",
            )
            for index, (value, failed) in enumerate(zip(values, fails, strict=True))
        ]
        return cell(spec, *rows).value

    whole, part = headline(np.zeros(200, bool)), headline(blanked)
    assert part < whole if spec.higher_is_better else part > whole


def test_skipping_failures_would_turn_the_order_around() -> None:
    """What the headline prevents: blanking the bad half makes the measured-only value better."""
    good = [row("ann", 0.05, frame=frame, metric=NME.id) for frame in range(5)]
    bad = [row("ann", 0.5, frame=frame, metric=NME.id) for frame in range(5, 10)]
    hidden = [{**one, "value": NAN, "status": "no_face"} for one in bad]
    whole, blanked = cell(NME, *good, *bad), cell(NME, *good, *hidden)
    assert blanked.value_measured_only < whole.value_measured_only
    assert blanked.value > whole.value


def test_a_target_without_a_face_is_left_out_for_everybody() -> None:
    found = cell(
        NME,
        row("ann", 0.1, metric=NME.id),
        row("ann", NAN, frame=1, metric=NME.id, status="target_no_face"),
    )
    assert found.value == pytest.approx(0.1)
    assert (found.n_frames, found.n_failed) == (1, 0)


def test_a_system_that_fails_everywhere_has_the_worst_value_and_none_measured() -> None:
    found = cell(NME, *[row(name, NAN, metric=NME.id, status="system_error: x") for name in ("ann", "bob")])
    assert found.value == 1
    assert np.isnan(found.value_measured_only)
    assert found.n_failed == found.n_frames == 2


def test_cells_come_in_the_order_of_systems_shots_and_specs() -> None:
    rows = [
        row("ann", 0.5, system=system, shots=shots, metric=metric)
        for system in ("z", "a")
        for shots in (8, 1)
        for metric in (NME.id, SSIM.id)
    ]
    found = [(one.system, one.shots, one.metric) for one in summarise(table(*rows), [SSIM, NME])]
    assert found == [(s, t, m) for s in ("z", "a") for t in (1, 8) for m in (SSIM.id, NME.id)]


def test_a_metric_that_was_not_measured_has_no_cell() -> None:
    assert summarise(table(row("ann", 0.5)), [NME]) == ()


def set_rows(value: float, without: dict[str, float], *, status: str = "ok", frames: int = 100, system: str = "a"):
    known = {"metric": FD.id, "system": system}
    members = [row(name, NAN, frame=frame, status="member", **known) for name in without for frame in range(frames)]
    whole = row("", value, frame=-1, status=status, **known)
    rest = [row(name, one, clip="", frame=-1, status="leave-one-out", **known) for name, one in without.items()]
    return [*members, whole, *rest]


def test_a_set_level_value_has_the_jackknife_interval_of_its_rows() -> None:
    without = {"ann": 11.0, "bob": 9.0, "eve": 12.0}
    found = cell(FD, *set_rows(10.0, without))
    assert found.value == 10
    assert [found.low, found.high] == pytest.approx(np.array(jackknife_interval(10.0, np.array([11.0, 9.0, 12.0]))))
    assert (found.n_identities, found.n_frames, found.n_failed) == (3, 300, 0)
    assert found.value_measured_only == 10
    assert found.flag == ""


def test_a_set_level_value_over_few_frames_is_flagged() -> None:
    assert cell(FD, *set_rows(10.0, {"ann": 1.0, "bob": 2.0}, status="unreliable")).flag == "unreliable"
    refused = cell(FD, *set_rows(NAN, {"ann": 1.0}, status="refused", frames=3))
    assert refused.flag == "refused"
    assert np.isnan(refused.value)
    assert refused.n_failed == 0


def test_missing_frames_of_a_set_are_counted_and_the_rest_is_shown_apart() -> None:
    rows = set_rows(30.0, {"ann": 1.0, "bob": 2.0})
    rows[0]["status"] = "system_error: x"
    rows.append(row("", 12.0, metric=FD.id, frame=-1, status="measured-only"))
    found = cell(FD, *rows)
    assert (found.value, found.value_measured_only, found.n_failed) == (30, 12, 1)


def test_differences_are_paired_by_person() -> None:
    """People differ much, the systems little: the difference is certain although the values are not."""
    base = {f"p{place}": 0.1 * place for place in range(8)}
    gain = {name: 0.01 + 0.001 * place for place, name in enumerate(base)}
    rows = [row(name, base[name] + gain[name]) for name in base]
    rows += [row(name, base[name], system="b") for name in base]
    found = difference(SSIM, *rows)
    expected = stats.t.interval(0.95, 7, loc=0.0135, scale=stats.sem(list(gain.values())))
    assert found.value == pytest.approx(0.0135)
    assert (found.low, found.high) == pytest.approx(expected)
    assert (found.verdict, found.n_identities) == ("better", 8)
    assert difference(NME, *[{**one, "metric": NME.id} for one in rows]).verdict == "worse"


def test_three_people_separate_nothing_however_sure_the_interval_seems() -> None:
    """Student's t would call it; flipping the signs of three people cannot give less than p = 0.25."""
    rows = [row(name, value) for name, value in {"ann": 0.210, "bob": 0.511, "eve": 0.912}.items()]
    rows += [row(name, value, system="b") for name, value in {"ann": 0.2, "bob": 0.5, "eve": 0.9}.items()]
    found = difference(SSIM, *rows)
    assert found.low > 0
    assert (found.p, found.p_holm, found.verdict) == (0.25, 0.25, "not separated")
    assert found.detectable == np.inf


def test_an_interval_across_zero_separates_nothing() -> None:
    rows = [row(name, value) for name, value in {"ann": 0.3, "bob": 0.2, "eve": 0.4}.items()]
    rows += [row(name, value, system="b") for name, value in {"ann": 0.2, "bob": 0.3, "eve": 0.4}.items()]
    assert difference(SSIM, *rows).verdict == "not separated"


def test_one_person_separates_nothing() -> None:
    found = difference(SSIM, row("ann", 0.9), row("ann", 0.1, system="b"))
    assert found.value == pytest.approx(0.8)
    assert np.isnan(found.low)
    assert found.verdict == "not separated"


def test_only_people_that_both_have_are_compared() -> None:
    rows = [row("ann", 0.5), row("bob", 0.6), row("bob", 0.1, system="b"), row("eve", 0.9, system="b")]
    found = difference(SSIM, *rows)
    assert (found.value, found.n_identities) == (pytest.approx(0.5), 1)


def test_shots_are_compared_with_another_number_of_shots() -> None:
    rows = [row("ann", value, shots=shots) for shots, value in ((1, 0.2), (8, 0.5), (32, 0.6))]
    found = differences(table(*rows), [SSIM], "a", "a", baseline_shots=8)
    assert [(one.shots, round(one.value, 6)) for one in found] == [(1, -0.3), (32, 0.1)]


def test_set_level_differences_use_paired_jackknife_values() -> None:
    gaps = {f"p{place}": 1.9 + 0.04 * place for place in range(6)}
    rows = set_rows(10.0, {name: 11.0 + gap for name, gap in gaps.items()})
    rows += set_rows(8.0, dict.fromkeys(gaps, 11.0), system="b")
    found = difference(FD, *rows)
    assert found.value == 2
    assert [found.low, found.high] == pytest.approx(np.array(jackknife_interval(2.0, np.array(list(gaps.values())))))
    assert (found.verdict, found.test) == ("worse", "jackknife t")
    assert np.isnan([found.typical, found.superiority, found.rank_biserial]).all(), "no person has a distance"


def test_a_false_alarm_is_as_rare_as_promised_although_frames_are_not_independent() -> None:
    """No true difference, frames of a person share half their variance: 5% of the intervals may leave out zero."""
    rng = np.random.default_rng(2)
    alarms, studies, people, frames = 0, 400, 8, 10
    for _ in range(studies):
        gaps = rng.normal(0, 0.1, (people, 1)) + rng.normal(0, 0.1, (people, frames))
        rows = []
        for person in range(people):
            for frame in range(frames):
                rows.append(row(f"p{person}", 0.5 + gaps[person, frame], frame=frame))
                rows.append(row(f"p{person}", 0.5, frame=frame, system="b"))
        alarms += difference(SSIM, *rows).verdict != "not separated"
    assert 0.02 < alarms / studies < 0.085


def test_a_stratum_is_summarised_and_compared_over_its_own_frames() -> None:
    def rows_of(system: str, near: float, far: dict[str, float]) -> list[dict]:
        near_rows = [row(name, near, stratum="near", system=system) for name in ("ann", "bob", "eve")]
        return near_rows + [row(name, one, frame=1, stratum="far", system=system) for name, one in far.items()]

    rows = rows_of("a", 0.9, {"ann": 0.5, "bob": 0.7}) + rows_of("b", 0.9, {"ann": 0.1, "bob": 0.3})
    (found, _) = summarise(table(*rows), [SSIM], "far")
    assert (found.value, found.n_identities, found.n_frames) == (pytest.approx(0.6), 2, 2)
    assert found.stratum == "far"
    (gap,) = differences(table(*rows), [SSIM], "a", "b", stratum="far")
    assert (gap.value, gap.n_identities) == (pytest.approx(0.4), 2)
    (whole,) = differences(table(*rows), [SSIM], "a", "b")
    assert whole.value == pytest.approx(0.4 / 3)


def test_the_distance_over_a_stratum_does_not_enter_the_one_over_all_frames() -> None:
    rows = set_rows(10.0, {"ann": 11.0, "bob": 9.0})
    far = [{**one, "stratum": "far"} for one in set_rows(50.0, {"ann": 60.0, "bob": 40.0}) if one["frame"] == -1]
    assert cell(FD, *rows, *far) == cell(FD, *rows)
    (found,) = summarise(table(*rows, *far), [FD], "far")
    assert found.value == 50


def test_a_stratum_without_frames_has_no_cell() -> None:
    assert summarise(table(row("ann", 0.5, stratum="near")), [SSIM], "far") == ()


def test_the_order_of_rows_does_not_matter() -> None:
    rng = np.random.default_rng(3)
    rows = [
        row(f"p{person}", rng.random(), frame=frame, system=system)
        for system in ("a", "b")
        for person in range(12)
        for frame in range(3)
    ]
    mixed = rows[:1] + [rows[place] for place in 1 + rng.permutation(len(rows) - 1)]
    one, other = (statistics(table(*some), [SSIM]) for some in (rows, mixed))
    for left, right in zip(one.cells, other.cells, strict=True):
        assert (left.value, left.low, left.high) == pytest.approx((right.value, right.low, right.high))
    assert one.pairs[0].p == other.pairs[0].p


def test_the_statistics_of_a_run_are_its_cells_pairs_gains_and_places() -> None:
    rows = [
        row(f"p{person}", 0.5 + 0.1 * (system == "a") + 0.01 * person * shots, system=system, shots=shots)
        for system in ("a", "b", "c")
        for shots in (1, 8)
        for person in range(12)
    ]
    found = statistics(table(*rows), [SSIM])
    assert found.cells == summarise(table(*rows), [SSIM])
    assert [(one.system, one.baseline, one.shots) for one in found.pairs] == [
        (*pair, shots) for shots in (1, 8) for pair in (("a", "b"), ("a", "c"), ("b", "c"))
    ]
    assert [(one.system, one.shots, one.baseline_shots) for one in found.gains] == [(name, 8, 1) for name in "abc"]
    assert [one.shots for one in found.rankings] == [1, 8]
    assert found.limits == ""


def test_a_run_without_rows_has_no_statistics() -> None:
    found = statistics(table(), [SSIM])
    assert (found.cells, found.pairs, found.gains, found.rankings, found.limits) == ((), (), (), (), "")
