"""Read what headshot asks for. Copy this file beside your own; it needs nothing but Python 3.8.

from headshot_system import tasks

for task in tasks():
    ...  # learn the person from task.support and task.support_landmarks
    for points, path in zip(task.driving_landmarks, task.outputs):
        ...  # write the frame with these landmarks to path: PNG, 8-bit RGB, task.size_px wide and high
"""

import json
import os
import sys


class Task:
    """One person and the frames to draw.

    id: says nothing about the person.
    size_px: side of every frame, given or drawn.
    seed: for anything random.
    support: paths of the person's frames (PNG).
    support_landmarks: for each of them 68 points [x, y] in pixels, the centre of the top-left pixel at [0, 0].
    driving_landmarks: the points of each frame to draw.
    driving: paths of the frames that those points are from, where the protocol allows them, else None.
    outputs: where to write each frame.
    """

    def __init__(self, folder, size_px, told):
        """Take what request.json tells about the task, and read its points."""

        def place(path):
            return os.path.join(folder, path)

        def read(path):
            with open(place(path), encoding="utf-8") as file:
                return json.load(file)

        self.id, self.seed, self.size_px = told["id"], told["seed"], size_px
        self.support = [place(path) for path in told["support"]]
        self.support_landmarks = read(told["support_landmarks"])
        self.driving_landmarks = read(told["driving_landmarks"])
        self.driving = None if told["driving"] is None else [place(path) for path in told["driving"]]
        self.outputs = [place(path) for path in told["outputs"]]


def tasks(path=None):
    """Yield the tasks of a request.json, that of the last word of the command line where no path is given."""
    path = os.path.abspath(sys.argv[-1] if path is None else path)
    with open(path, encoding="utf-8") as file:
        request = json.load(file)
    if request["schema_version"] != 1:
        sys.exit("request.json has version %s, this file reads version 1" % request["schema_version"])
    for told in request["tasks"]:
        yield Task(os.path.dirname(path), request["size_px"], told)
