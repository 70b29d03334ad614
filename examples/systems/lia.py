"""Template for LIA (wyhsirius/LIA, vox checkpoint).

It was not run here: read it as a list of what to change, and run `headshot check-system` on the result.

- Put this file and headshot_system.py into the checkout, and the checkpoint where CHECKPOINT says.
- The model takes motion from driving frames, not from landmarks. A self-reenactment task does not give them, since they
  are the frames to be drawn; there, every frame fails. Benchmark it where driving frames are given.
- One source frame is all it takes; the choice below is the first.
- The demo of the repository stretches each video between its darkest and brightest value when it saves. That changes
  colours by what else is in the video; here, [-1, 1] becomes [0, 255] and nothing more.
"""

import sys

import cv2
import numpy as np
import torch
from headshot_system import tasks
from networks.generator import Generator  # LIA

CHECKPOINT = "checkpoints/vox.pt"
RELATIVE = False  # True moves relative to the first driving frame, which then has to look like the source
MODEL_PX = 256


def read(path):
    """Return a frame as the model wants it: RGB in [-1, 1], 256 pixels, 1 x 3 x 256 x 256."""
    picture = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)
    picture = cv2.resize(picture, (MODEL_PX, MODEL_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
    return torch.from_numpy(picture).permute(2, 0, 1)[None].cuda() / 127.5 - 1


# Size, width of the style code, number of motion directions, channel multiplier: as the checkpoint was trained.
model = Generator(MODEL_PX, 512, 20, 1).cuda().eval()
model.load_state_dict(torch.load(CHECKPOINT, map_location="cpu")["gen"])

with torch.no_grad():
    for task in tasks():
        if task.driving is None:
            sys.exit("this model needs driving frames, and this task does not give them")
        source = read(task.support[0])
        start = model.enc.enc_motion(read(task.driving[0])) if RELATIVE else None
        for driving, path in zip(task.driving, task.outputs):
            drawn = model(source, read(driving), start)[0].permute(1, 2, 0).clamp(-1, 1).cpu().numpy()
            frame = cv2.resize(np.uint8((drawn + 1) * 127.5 + 0.5), (task.size_px, task.size_px))
            cv2.imwrite(path, cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
