"""Template for LivePortrait (KwaiVGI/LivePortrait).

It was not run here: read it as a list of what to change, and run `headshot check-system` on the result.

- Put this file and headshot_system.py into the checkout, with its pretrained weights where its guide wants them.
- The model takes motion from driving frames, not from landmarks. A self-reenactment task does not give them, since they
  are the frames to be drawn; there, every frame fails. Benchmark it where driving frames are given.
- One source frame is all it takes; the choice below is the first.
- The frames of a task are face crops already: the cropper of the repository, which needs a detector with a licence of
  its own, is left out, and nothing is pasted back. If the crops of your dataset are much wider than the model's, crop
  and paste back here, and raise the version.
- Motion is absolute: pose, expression, scale and shift of the driver with the shape of the source.
"""

import sys

import cv2
from headshot_system import tasks
from src.config.inference_config import InferenceConfig  # LivePortrait
from src.live_portrait_wrapper import LivePortraitWrapper

wrapper = LivePortraitWrapper(InferenceConfig())


def read(path):
    """Return a frame as the model wants it; it resizes to 256 pixels by itself."""
    return wrapper.prepare_source(cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB))


for task in tasks():
    if task.driving is None:
        sys.exit("this model needs driving frames, and this task does not give them")
    source = read(task.support[0])
    appearance, shape = wrapper.extract_feature_3d(source), wrapper.get_kp_info(source)
    source_points = wrapper.transform_keypoint(shape)
    for driving, path in zip(task.driving, task.outputs):
        motion = wrapper.get_kp_info(read(driving))
        motion["kp"] = shape["kp"]  # the canonical points are the person, the rest is the movement
        points = wrapper.stitching(source_points, wrapper.transform_keypoint(motion))
        drawn = wrapper.parse_output(wrapper.warp_decode(appearance, source_points, points)["out"])[0]
        frame = cv2.resize(drawn, (task.size_px, task.size_px), interpolation=cv2.INTER_AREA)  # it draws 512 pixels
        cv2.imwrite(path, cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
