import re
from pathlib import Path

import pytest

from eval.specs.image import PSNR, SSIM
from eval.specs.profiles import SPECS
from tests.eval.conftest import drawn_store


@pytest.mark.slow
def test_the_code_on_the_page_runs_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Against drawn faces and the metrics without networks; all else is what the page shows."""
    page = Path(__file__).resolve().parents[3] / "docs" / "your-model.md"
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    data = tmp_path / "data" / "demo"
    data.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pipeline.store.Store.open", lambda root: drawn_store(root, ("ann", "bob"), frames=48))
    monkeypatch.setitem(SPECS, "embedded", (SSIM, PSNR))
    exec("\n".join(blocks), {"__name__": "page"})
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("last-frame 32 ssim") for line in lines)
    assert any(line.endswith(("better", "worse", "not separated")) for line in lines)
    assert (tmp_path / "runs" / "mine" / "run.json").is_file()


def test_a_system_is_no_more_than_ten_lines_of_code() -> None:
    page = Path(__file__).resolve().parents[3] / "docs" / "your-model.md"
    first = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)[0]
    assert len([line for line in first.splitlines() if line.strip()]) <= 10
