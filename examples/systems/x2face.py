"""Template for X2Face (oawiles/X2Face, folder UnwrapMosaic, checkpoint x2face_model.pth).

It was not run here: read it as a list of what to change, and run `headshot check-system` on the result.

- Put this file and headshot_system.py into UnwrapMosaic, and the checkpoint where CHECKPOINT says.
- The model takes motion from driving frames, not from landmarks. A self-reenactment task does not give them, since they
  are the frames to be drawn; there, every frame fails. Benchmark it where driving frames are given.
- It takes any number of source frames and averages what it unwraps from them, so it has a curve over shots.
- The code is of 2018: its grid_sample calls were written when the corners were aligned. With a newer torch, pass
  align_corners=True to each, or the picture is sampled beside where it was trained. UnwrappedFace.py mixes tabs and
  spaces, which Python 3 refuses: mend the indentation of its pose class.
"""

import sys

import cv2
import numpy as np
import torch
from headshot_system import tasks
from UnwrappedFace import UnwrappedFaceWeightedAverage  # X2Face

CHECKPOINT = "x2face_model.pth"
MODEL_PX = 256


def read(path):
    """Return a frame as the model wants it: RGB in [0, 1], 1 x 3 x 256 x 256."""
    picture = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)
    picture = cv2.resize(picture, (MODEL_PX, MODEL_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
    return torch.from_numpy(picture).permute(2, 0, 1)[None].cuda() / 255


# The width of the bottleneck is that of the published checkpoint.
model = UnwrappedFaceWeightedAverage(output_num_channels=2, input_num_channels=3, inner_nc=128)
model.load_state_dict(torch.load(CHECKPOINT, map_location="cpu")["state_dict"])
model = model.cuda().eval()

with torch.no_grad():
    for task in tasks():
        if task.driving is None:
            sys.exit("this model needs driving frames, and this task does not give them")
        sources = [read(path) for path in task.support]
        for driving, path in zip(task.driving, task.outputs):
            drawn = model(read(driving), *sources)[0].permute(1, 2, 0).clamp(0, 1).cpu().numpy()
            frame = cv2.resize(np.uint8(drawn * 255 + 0.5), (task.size_px, task.size_px))
            cv2.imwrite(path, cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
