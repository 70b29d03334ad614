"""What a system takes of the machine while it works, as the harness sees it from outside."""

import ctypes
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_RESET_PEAK = "5"
"""What the kernel takes for: forget the peak (proc_pid_clear_refs in Linux' manual)."""
_MIB = 2.0**20


@dataclass(slots=True)
class MemoryWatch:
    """Measures how far memory grew within a `with` block, at its peak, beyond what was taken before.

    Only what this process takes is seen. Main memory is what the kernel counts as resident, so that nothing is slowed
    down by looking; it is known on Linux alone. What was in memory before, such as networks that another system loaded
    too, is not growth.
    """

    tidy: bool = False
    """Hand freed memory back to the system first: it would be used again, and not be seen as growth. Costs page
    faults, so once for a system is enough."""
    resident_mib: float | None = None
    """Growth of main memory; None where the system does not tell."""
    accelerator_mib: float | None = None
    """Growth of what torch took of the CUDA device; None where none was used."""
    _resident_before: float | None = None
    _accelerator_before: float = 0.0

    def __enter__(self) -> Self:
        """Forget earlier peaks."""
        if self.tidy:
            _hand_back_freed_memory()
        self._resident_before = _read_mib("VmRSS") if _forget_peak() else None
        if cuda_in_use():
            torch = sys.modules["torch"]
            torch.cuda.reset_peak_memory_stats()
            self._accelerator_before = torch.cuda.memory_allocated() / _MIB
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Read the peaks."""
        peak = _read_mib("VmHWM")
        if peak is not None and self._resident_before is not None:
            self.resident_mib = round(max(0.0, peak - self._resident_before), 1)
        if cuda_in_use():
            peak_bytes = sys.modules["torch"].cuda.max_memory_allocated()
            self.accelerator_mib = round(max(0.0, peak_bytes / _MIB - self._accelerator_before), 1)


def cuda_in_use() -> bool:
    """Return whether this process works on a CUDA device; torch is not imported to find out."""
    torch = sys.modules.get("torch")
    return torch is not None and bool(torch.cuda.is_initialized())


def wait_for_accelerator() -> None:
    """Return when the CUDA device has done all it was told: otherwise a clock stops too early."""
    if cuda_in_use():
        sys.modules["torch"].cuda.synchronize()


def processor_name() -> str:
    """Return the processor's name for people."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def machine() -> str:
    """Return what a system had to itself here: the processor with torch's threads, and the CUDA device in use."""
    torch = sys.modules.get("torch")
    threads = f", torch on {torch.get_num_threads()} threads" if torch is not None else ""
    accelerator = f", {torch.cuda.get_device_name()}" if torch is not None and cuda_in_use() else ""
    return f"{processor_name()}{threads}{accelerator}".replace("on 1 threads", "on 1 thread")


def _forget_peak() -> bool:
    try:
        _CLEAR.write_text(_RESET_PEAK, encoding="ascii")
    except OSError:  # not Linux, or a container that forbids it
        return False
    return True


def _read_mib(field: str) -> float | None:
    try:
        found = re.search(rf"^{field}:\s+(\d+) kB$", _STATUS.read_text(encoding="utf-8", errors="replace"), re.M)
    except OSError:
        return None
    return int(found[1]) / 1024 if found else None


def _hand_back_freed_memory() -> None:
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc alone
    if trim is not None:
        trim(0)
