"""Commands that read a dataset read it from a web server too; those that write to it want a folder."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from headshot.cli import app
from model import families
from model.checkpoint import read_config
from tests.headshot.conftest import one_step, train_without_downloads
from tests.pipeline.range_server import Served, serve


@pytest.fixture(scope="module")
def served(finished: Path) -> Iterator[Served]:
    """The dataset on a web server."""
    with serve(finished / "data") as server:
        yield server


def headshot(*arguments: object) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)


def test_status_of_an_address_is_that_of_the_folder(finished: Path, served: Served) -> None:
    here, there = (headshot("status", "--data", data) for data in (finished / "data", served.address))
    assert there.exit_code == 0
    assert "5 of 5, 0 to do" in " ".join(there.stdout.split())
    assert there.stdout == here.stdout


def test_verify_reads_every_shard_of_an_address(finished: Path, served: Served) -> None:
    ended = headshot("verify", "--data", served.address)
    assert ended.exit_code == 0
    assert "every shard is what its record says" in ended.stdout
    sizes = [path.stat().st_size for path in sorted((finished / "data" / "data").iterdir())]
    assert sorted(size for _, size in served.of("data") if size in sizes) == sorted(sizes)


def test_verify_finds_damage_at_an_address(place: Path) -> None:
    shard = sorted((place / "data" / "data").iterdir())[0]
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    with serve(place / "data") as server:
        ended = headshot("verify", "--data", server.address)
    assert ended.exit_code == 1
    assert f"{shard.stem}: bytes changed" in ended.stdout


def test_the_model_learns_from_an_address_what_it_learns_from_the_folder(
    finished: Path, served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_without_downloads(monkeypatch, tmp_path)
    monkeypatch.setattr(families, "find_preset", lambda _: one_step())
    ended = headshot("train", "tiny", "--data", served.address, "--run", tmp_path / "run", "--device", "cpu")
    assert ended.exit_code == 0
    trained = [read_config(folder / "run" / "checkpoint") for folder in (tmp_path, finished)]
    assert trained[0].model_sha256 == trained[1].model_sha256


def test_a_person_at_an_address_is_driven_by_another(finished: Path, served: Served, tmp_path: Path) -> None:
    clips = ("--support", "dora/video/full", "--driving", "cy/video/full", "--feed-forward", "--device", "cpu")
    folders = ("--data", served.address, "--run", finished / "run", "--out", tmp_path / "out.mp4")
    ended = headshot("drive", *clips, *folders)
    assert ended.exit_code == 0
    assert "44 frames" in ended.stdout
    assert (tmp_path / "out.mp4").stat().st_size > 0


def test_the_report_of_an_address_is_that_of_the_folder(finished: Path, served: Served, tmp_path: Path) -> None:
    pages = []
    for number, data in enumerate((finished / "data", served.address)):
        out = tmp_path / str(number)
        assert headshot("report", finished / "run", "--data", data, "-o", out).exit_code == 0
        pages.append((out / "index.html").read_text(encoding="utf-8"))
    assert pages[0] == pages[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["status", "--data", "http://127.0.0.1:1/faces"], "http://127.0.0.1:1/faces cannot be read"),
        (["verify", "--data", "nosuch://bucket"], "Protocol not known: nosuch"),
        (["status", "--data", "memory://empty"], "memory:///empty holds no dataset"),
        (["statistics", "--data", "s3://bucket/faces"], "s3://bucket/faces is an address, and this command writes"),
        (["preprocess", "--data", "s3://bucket/faces"], "s3://bucket/faces is an address, and this command writes"),
        (["takedown", "ann", "--data", "s3://bucket/faces"], "s3://bucket/faces is an address"),
        (["train", "--run", "s3://bucket/run"], "s3://bucket/run is an address, and this command writes"),
    ],
)
def test_an_address_that_will_not_do_is_one_paragraph_and_exit_code_2(
    arguments: list[str], message: str, refusal: Callable[[list[str]], str]
) -> None:
    assert message in refusal(arguments)
