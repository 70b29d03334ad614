"""What the guides show of synthetic people carries what headshot asks of others."""

import pytest

from model.disclosure.verification import verify
from tests.conftest import REPOSITORY


@pytest.mark.parametrize("name", ["living-portrait.png", "report-pictures.jpg", "shots.jpg"])
def test_a_picture_of_synthetic_people_in_the_guides_carries_every_mark(name: str) -> None:
    assert verify(REPOSITORY / "docs" / "images" / name).complete
