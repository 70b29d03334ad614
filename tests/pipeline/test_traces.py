"""The search for bytes of pictures that were removed."""

from pathlib import Path

import numpy as np

from pipeline.traces import CHUNK_BYTES, TRACES, WINDOW_BYTES, scan, traces_of


def test_padding_leaves_no_trace_and_hides_none() -> None:
    noise = np.random.default_rng(6).integers(0, 256, 4000, np.uint8).tobytes()
    assert len(traces_of([bytes(9000)])) == 0
    assert len(traces_of([bytes(9000) + noise])) == TRACES


def test_a_window_is_found_at_any_offset_across_reads_and_nowhere_else(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    needle = rng.integers(0, 256, 4000, np.uint8).tobytes()
    left = traces_of([needle])
    noise = rng.integers(0, 256, 2 * CHUNK_BYTES, np.uint8).tobytes()
    (tmp_path / "clean.bin").write_bytes(noise)
    (tmp_path / "short.bin").write_bytes(noise[: WINDOW_BYTES - 1])
    for offset in (0, 1, CHUNK_BYTES - 3000, CHUNK_BYTES - 1064, len(noise)):
        (tmp_path / f"at-{offset}.bin").write_bytes(noise[:offset] + needle + noise[offset:])
    (tmp_path / "part.bin").write_bytes(noise + needle[1500:3500])
    result = scan([tmp_path], left)
    assert [path.name for path in result.found] == sorted(
        path.name for path in tmp_path.iterdir() if path.stem[:2] in {"at", "pa"}
    )
    assert result.size_bytes > 0
