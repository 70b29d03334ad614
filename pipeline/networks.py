"""A TensorFlow Lite network on one thread."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from jaxtyping import Float


class TfliteNetwork:
    """A network with one input picture and named outputs. Where its batch is larger, each place gets that picture.

    One thread: the pipeline runs one process per core, and results stay the same on every machine layout.
    """

    def __init__(self, path: Path) -> None:
        with _native_messages_off():
            self._interpreter = Interpreter(model_path=str(path), num_threads=1)
            self._interpreter.allocate_tensors()
        (entry,) = self._interpreter.get_input_details()
        self._input_index = entry["index"]
        self._output_indices = [output["index"] for output in self._interpreter.get_output_details()]
        self._batch = int(entry["shape"][0])
        self.input_px = int(entry["shape"][1])

    def __call__(self, picture: Float[np.ndarray, "side side 3"]) -> list[np.ndarray]:
        """Return the outputs for one picture, without the batch axis, in the order of the file."""
        self._interpreter.set_tensor(self._input_index, np.repeat(picture[None], self._batch, axis=0))
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index)[0] for index in self._output_indices]


@contextmanager
def _native_messages_off() -> Iterator[None]:
    """Keep the runtime's announcement of its CPU kernels off the terminal; it has no setting for that."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(nowhere)
        os.close(kept)
