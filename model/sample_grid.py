"""Pictures of what a model in training makes of people it trains on, labelled as synthetic."""

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from model.label import BAR_RGB, FONT, label_below
from model.labelled_png import write_labelled

STATEMENT = (
    "AI-generated: the faces in the column `generated` were synthesised by headshot, the others are recorded. "
    "A picture for those who train the model: it shows people of the training data, ask them before you publish it."
)
TITLE_PX = 16
LABEL_PX = 20

Images = UInt8[np.ndarray, "people size size 3"]


def grid(columns: Mapping[str, Images]) -> UInt8[np.ndarray, "height width 3"]:
    """Return one row a person and one column a kind of picture, with titles above and the label below.

    Args:
        columns: RGB pictures by title, the same number and size in each column.
    """
    pictures = np.concatenate([np.concatenate(list(column)) for column in columns.values()], axis=1)
    head = np.full((TITLE_PX, pictures.shape[1], 3), BAR_RGB, np.uint8)
    width = pictures.shape[1] // len(columns)
    for number, title in enumerate(columns):
        cv2.putText(head, title, (number * width + 3, TITLE_PX - 5), FONT, 0.32, (255, 255, 255), 1, cv2.LINE_AA)
    return label_below(np.concatenate([head, pictures]), LABEL_PX)


def write_grid(path: Path, picture: UInt8[np.ndarray, "height width 3"]) -> None:
    """Write a grid as PNG; the metadata say what it is, and of whom."""
    write_labelled(path, picture, STATEMENT)
