"""How networks in the ONNX format are run here."""

from pathlib import Path
from typing import Any


def one_thread_session(model: Path | bytes) -> Any:
    """Return an `onnxruntime.InferenceSession` on one thread: the pipeline runs a process per core.

    Args:
        model: A file, or what would be in one.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    network = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
