from pathlib import Path

import pytest

from eval.systems.choice import load_systems
from eval.systems.external import ExternalSystem
from eval.systems.finished import FinishedPredictions
from weights.errors import HeadshotError


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    path = tmp_path / "theirs.toml"
    path.write_text('command = ["python3", "infer.py"]\ntitle = "Theirs"\ntraining_identities = ["zoe"]\n')
    return path


def test_systems_of_all_kinds_stand_in_one_list_and_keep_its_order(theirs: Path, tmp_path: Path) -> None:
    text = f"mean-frame, theirs=cmd:{theirs}, warp-nearest,mine=dir:{tmp_path} ,mean-frame"
    systems = load_systems(text, tmp_path / "run")
    assert [one.name for one in systems] == ["mean-frame", "theirs", "warp-nearest", "mine"]
    assert isinstance(systems[1], ExternalSystem)
    assert (systems[1].title, systems[1].training_identities) == ("Theirs", {"zoe"})
    assert isinstance(systems[3], FinishedPredictions)


@pytest.mark.parametrize("name", ["", "Mine", "../x", "a b", "copy-source", ".hidden"])
def test_a_name_that_is_no_folder_or_taken_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(HeadshotError, match="name of its own"):
        load_systems(f"mean-frame,{name}=dir:{tmp_path}", tmp_path)


def test_two_systems_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(HeadshotError, match="name of its own"):
        load_systems(f"mine=dir:{tmp_path},mine=dir:{tmp_path}", tmp_path)


@pytest.mark.parametrize("text", ["mine=zip:somewhere", "mine=dir:", "", " , "])
def test_what_names_no_system_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(HeadshotError):
        load_systems(text, tmp_path)


def test_two_runs_of_one_description_have_logs_of_their_own(theirs: Path, tmp_path: Path) -> None:
    one, other = load_systems(f"a=cmd:{theirs},b=cmd:{theirs}", tmp_path)
    assert one.config == other.config
    assert one.name != other.name
