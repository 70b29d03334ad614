import pytest

from reports.numbers import decimals, duration, interval, listing, number, plural

NAN = float("nan")


@pytest.mark.parametrize(
    ("values", "places"),
    [([0.12, 0.9], 3), ([21.6, 0.3], 2), ([-140.0, 3.0], 1), ([], 3), ([NAN, 0.5], 3)],
)
def test_a_column_has_as_many_decimals_as_its_scale_bears(values: list[float], places: int) -> None:
    assert decimals(values) == places


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.12345, "0.123"), (-0.5, "\N{MINUS SIGN}0.500"), (-0.0001, "0.000"), (NAN, "–"), (float("inf"), "–")],
)
def test_numbers_have_a_true_minus_no_negative_zero_and_a_dash_for_nothing(value: float, text: str) -> None:
    assert number(value, 3) == text


def test_an_interval_without_an_end_is_none() -> None:
    assert interval(0.1, 0.2, 2) == "0.10 to 0.20"
    assert interval(NAN, 0.2, 2) == "–"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0004, "under 1 ms"),
        (0.042, "42 ms"),
        (0.25, "0.2 s"),
        (9.97, "10 s"),
        (59.7, "1 min 0 s"),
        (754.0, "12 min 34 s"),
        (7384.0, "2 h 3 min"),
        (NAN, "–"),
    ],
)
def test_durations_read_like_speech(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_lists_and_counts_are_english() -> None:
    assert [listing(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == ["", "a", "a and b", "a, b and c"]
    assert [plural(1, "person", "people"), plural(1200, "frame")] == ["1 person", "1,200 frames"]
