"""Fixtures that several floors share."""

import io
import os
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]

# The networks of tests are tiny: several threads would mostly wait for each other. Set before torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """Reference data that lies beside the checkout on some machines and is never part of it."""
    folder = REPOSITORY.parent / "shared"
    if not folder.is_dir():
        pytest.skip("no reference data beside the checkout")
    return folder


@pytest.fixture(scope="session", autouse=True)
def _waits_for_no_disk() -> Iterator[None]:
    """No test cuts the power, and a killed process loses nothing that it wrote: to wait for disks shows nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("HEADSHOT_CACHE", str(folder))
    return folder


@pytest.fixture
def pip_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for its only package index."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def make_wheel(pip_index: Path) -> Callable[..., Path]:
    """Make `demo_nets-1.0` with the given members and put it into the index."""

    def make(members: Mapping[str, bytes]) -> Path:
        path = pip_index / "demo_nets-1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as bundle:
            for name, content in members.items():
                bundle.writestr(name, content)
            bundle.writestr(
                "demo_nets-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: demo-nets\nVersion: 1.0\n"
            )
            bundle.writestr(
                "demo_nets-1.0.dist-info/WHEEL",
                "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            )
            bundle.writestr("demo_nets-1.0.dist-info/RECORD", "")
        return path

    return make


@pytest.fixture
def make_tarball() -> Callable[..., Path]:
    """Write a .tar.gz; a member that is a string becomes a symbolic link to it."""

    def make(path: Path, members: Mapping[str, bytes | str]) -> Path:
        with tarfile.open(path, "w:gz") as bundle:
            for name, content in members.items():
                info = tarfile.TarInfo(name)
                if isinstance(content, str):
                    info.type, info.linkname = tarfile.SYMTYPE, content
                    bundle.addfile(info)
                else:
                    info.size = len(content)
                    bundle.addfile(info, io.BytesIO(content))
        return path

    return make


NPM = """#!{python} -IS
import os, shutil, sys
tarball = os.path.join({folder!r}, sys.argv[2].replace("@", "-") + ".tgz")
if sys.argv[1] != "pack" or "--ignore-scripts" not in sys.argv or not os.path.exists(tarball):
    print("npm error code E404", file=sys.stderr)
    print("npm error 404", sys.argv[2], "is not in this registry.", file=sys.stderr)
    sys.exit(1)
shutil.copy(tarball, sys.argv[sys.argv.index("--pack-destination") + 1])
"""


@pytest.fixture
def npm_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose `name-version.tgz` files an npm on PATH, the only program there, can pack."""
    folder = tmp_path / "npm registry"
    folder.mkdir()
    program = tmp_path / "bin" / "npm"
    program.parent.mkdir()
    program.write_text(NPM.format(python=sys.executable, folder=str(folder)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    return folder
