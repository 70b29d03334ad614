"""torchvision can be imported whatever torch build it lies beside."""

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

# Like the real one, it can only be imported where torch knows the operators that it describes.
UNFIT = """
import torch
try:
    torch.library.register_fake("torchvision::nms")(lambda dets, scores, iou_threshold: dets)
    torch.library.register_fake("torchvision::qnms")(lambda dets, scores, iou_threshold: dets)
except RuntimeError as error:
    raise RuntimeError("operator torchvision::nms does not exist") from error
from torchvision import inner
"""

IMPORT = "from weights.torchvision_import import import_torchvision; import_torchvision(); "


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"import sys; sys.path[:0] = [{str(folder)!r}, {str(REPOSITORY)!r}]; "
    return subprocess.run([sys.executable, "-c", path + code], capture_output=True, text=True, check=False)


def package(folder: Path, text: str) -> Path:
    (folder / "torchvision").mkdir()
    (folder / "torchvision" / "__init__.py").write_text(text)
    (folder / "torchvision" / "inner.py").write_text("whole = True")
    return folder


@pytest.mark.slow
def test_a_torchvision_whose_operators_are_unknown_is_imported_whole(tmp_path: Path) -> None:
    done = run(IMPORT + "import torchvision; print(torchvision.inner.whole)", package(tmp_path, UNFIT))

    assert done.stdout == "True\n", done.stderr


def test_a_healthy_torchvision_is_left_alone(tmp_path: Path) -> None:
    code = "import sys; print('torch' in sys.modules)"
    done = run(IMPORT + code, package(tmp_path, ""))

    assert done.stdout == "False\n", done.stderr  # nothing was declared, torch was not even imported


def test_another_error_of_torchvision_is_not_hidden(tmp_path: Path) -> None:
    done = run(IMPORT, package(tmp_path, "raise RuntimeError('the disk is on fire')"))

    assert "the disk is on fire" in done.stderr
    assert done.returncode == 1


@pytest.mark.slow
def test_lpips_and_pytorch_fid_can_be_imported_here(tmp_path: Path) -> None:
    done = run(IMPORT + "import lpips, pytorch_fid.inception; print(lpips.LPIPS.__name__)", tmp_path)

    assert done.stdout == "LPIPS\n", done.stderr
