"""Pictures of what a model in training makes of people it trains on, labelled as synthetic."""

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from model.disclosure.label import BAR_RGB, FONT, LABEL, label_below
from model.disclosure.mark import write_picture
from model.disclosure.statement import Shown

STATEMENT = (
    "AI-generated: the faces in the column `generated` were synthesised by headshot, the others are recorded. "
    "A picture for those who train the model: it shows people of the training data, ask them before you publish it."
)
TITLE_PX = 16
LABEL_PX = 20

Images = UInt8[np.ndarray, "rows size size 3"]


def grid(columns: Mapping[str, Images], mark: str = LABEL) -> UInt8[np.ndarray, "height width 3"]:
    """Return one column a kind of picture, with titles above and the label below.

    Args:
        columns: RGB pictures by title, the same number and size in each column.
        mark: The label; empty where all pictures are recorded ones.
    """
    pictures = np.concatenate([np.concatenate(list(column)) for column in columns.values()], axis=1)
    head = np.full((TITLE_PX, pictures.shape[1], 3), BAR_RGB, np.uint8)
    width = pictures.shape[1] // len(columns)
    for number, title in enumerate(columns):
        cv2.putText(head, title, (number * width + 3, TITLE_PX - 5), FONT, 0.32, (255, 255, 255), 1, cv2.LINE_AA)
    whole = np.concatenate([head, pictures])
    return label_below(whole, LABEL_PX, mark) if mark else whole


def write_grid(path: Path, picture: UInt8[np.ndarray, "height width 3"]) -> None:
    """Write a labelled grid as PNG with the other marks; the metadata say what it is, and of whom."""
    write_picture(path, picture, Shown(description=STATEMENT), place="drawn")
