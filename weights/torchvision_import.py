"""Importing torchvision beside a torch build that it was not compiled for."""

import sys
from functools import cache
from typing import Any

_KEPT_ALIVE: list[Any] = []
"""Operators vanish with the library object that defined them."""


@cache
def import_torchvision() -> None:
    """Import torchvision, also where its compiled part does not fit torch; before lpips or pytorch_fid.

    A torchvision wheel whose compiled part cannot be loaded (a build for CUDA beside a CPU torch) leaves its
    operators undefined, and the import stops with "operator torchvision::nms does not exist", although
    nothing here uses that operator. Declaring the two operators that torchvision describes at import is
    enough for the rest of it, which is plain Python. A torchvision that imports is left alone.

    Raises:
        RuntimeError: The import fails for another reason.
    """
    try:
        import torchvision
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        _declare_operators()
        import torchvision  # noqa: F401


def _declare_operators() -> None:
    import torch

    library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for name in ("nms", "qnms"):
        schema = f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        library.define(schema)  # type: ignore[no-untyped-call]
    _KEPT_ALIVE.append(library)
