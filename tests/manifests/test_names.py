"""Any text becomes a name, and no two texts the same one."""

import itertools
import random

import pytest
from pydantic import TypeAdapter

from manifests.names import safe_name
from manifests.schema import Name

NAME = TypeAdapter(Name)


@pytest.mark.parametrize("text", ["id10005", "WMh3ye5tBsE", "bDxy7bnj_bc", "Clip-1.take_2", "x", "a" * 128])
def test_a_name_that_is_fine_stays(text: str) -> None:
    assert safe_name(text) == text


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("-bDxy7bnj_b", "x.-bDxy7bnj_b"),
        ("_Mh3ye5tBsE", "x._Mh3ye5tBsE"),
        ("Zoë", "x.Zo.c3.ab"),
        ("a/b", "x.a.2fb"),
        ("x.a", "x.x.2ea"),
        ("h.a", "x.h.2ea"),
        ("", "x."),
    ],
)
def test_another_name_is_escaped_so_that_it_can_be_told(text: str, name: str) -> None:
    assert safe_name(text) == name


def test_a_long_name_keeps_its_beginning_behind_a_hash() -> None:
    one, two = (safe_name("a" * 200 + end) for end in "xy")

    assert one != two
    assert one.startswith("h.") and one.endswith("." + "a" * 61)


def test_all_texts_get_names_and_no_two_the_same() -> None:
    rng = random.Random(7)
    alphabet = "aZ9-_.x/ ëh2\udc80\n"
    texts = {"".join(letters) for length in range(4) for letters in itertools.product(alphabet, repeat=length)}
    texts |= {"".join(rng.choices(alphabet, k=rng.randint(4, 200))) for _ in range(3000)}
    texts |= {safe_name(text) for text in texts}

    names = [NAME.validate_python(safe_name(text)) for text in texts]

    assert len(set(names)) == len(texts)
