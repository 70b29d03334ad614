"""A complete system without any library: show the first frame of the person."""

import shutil

from headshot_system import tasks

for task in tasks():
    for path in task.outputs:
        shutil.copyfile(task.support[0], path)
