"""Template for the First Order Motion Model (AliaksandrSiarohin/first-order-model, vox-256 checkpoint).

It was not run here: read it as a list of what to change, and run `headshot check-system` on the result.

- Put this file and headshot_system.py into the checkout, and the checkpoint where CHECKPOINT says.
- The model takes motion from driving frames, not from landmarks. A self-reenactment task does not give them, since they
  are the frames to be drawn; there, every frame fails. Benchmark it where driving frames are given.
- One source frame is all it takes: more shots do not help it. The choice below is the first; another choice is part of
  the system, so give it a name or version of its own.
- Absolute motion, as for reenactment of the same person. With RELATIVE, the first driving frame has to look like the
  source, which no task promises.
"""

import sys

import cv2
import numpy as np
from demo import load_checkpoints, make_animation  # first-order-model
from headshot_system import tasks

CONFIG, CHECKPOINT = "config/vox-256.yaml", "vox-cpk.pth.tar"
RELATIVE = False
MODEL_PX = 256


def read(path):
    """Return a frame as the model wants it: RGB in [0, 1], 256 pixels."""
    picture = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)
    return cv2.resize(picture, (MODEL_PX, MODEL_PX), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


# Newer PyYAML wants a Loader: change yaml.load to yaml.safe_load in demo.py.
generator, detector = load_checkpoints(config_path=CONFIG, checkpoint_path=CHECKPOINT)

for task in tasks():
    if task.driving is None:
        sys.exit("this model needs driving frames, and this task does not give them")
    driving = [read(path) for path in task.driving]
    # The adaptation of scale compares with the first driving frame: off with absolute motion.
    drawn = make_animation(
        read(task.support[0]), driving, generator, detector, relative=RELATIVE, adapt_movement_scale=RELATIVE
    )
    for frame, path in zip(drawn, task.outputs):
        frame = cv2.resize(np.uint8(np.clip(frame, 0, 1) * 255 + 0.5), (task.size_px, task.size_px))
        cv2.imwrite(path, cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
