"""Do the eyes look where the driver's do?"""

from eval.specs.expression import EYE_WEIGHTS, EYES_SHUT_BELOW, LOOKED_AT, NEEDS_EYES
from eval.specs.spec import MetricSpec

GAZE = MetricSpec(
    id="gaze.angular",
    version=1,
    title="Gaze error",
    level="frame",
    definition=(
        "Angle between the directions in which generated and target eyes look, relative to the head: a head that is "
        "turned wrongly shows in `apd` and not here. Landmarks do not say where somebody looks, so a system "
        "that gets nothing else can only guess."
    ),
    equation="arccos(g_generated . g_target), g = (sin yaw cos pitch, sin pitch, cos yaw cos pitch), the mean yaw and "
    "pitch of both eyes",
    source=(
        "The angular error of gaze estimation (Zhang et al. 2015, arXiv:1504.02863). The direction is that of a ball "
        "whose radius is 12 / 11.7 of the diameter of the iris, with the iris found by the network of Ablavatski et "
        "al. 2020, arXiv:2006.11341."
    ),
    unit="degrees",
    range=(0.0, 180.0),
    higher_is_better=False,
    perfect=0.0,
    weights=EYE_WEIGHTS,
    preparation=(
        f"{LOOKED_AT} At 128 pixels an iris is about 5 pixels wide, and compression (JPEG 80) moves the direction by 3 "
        "degrees: differences of a few degrees say something only as means over many frames."
    ),
    worst=45.0,
    failure_policy=(
        f"{NEEDS_EYES.format(worst='45 degrees')} Eyes that are shut (openness below {EYES_SHUT_BELOW:g}) look "
        "nowhere: the target's are counted as `target_eyes_shut` and left out likewise, those of a system while the "
        "target's are open are counted as `eyes_shut` and as 45 degrees."
    ),
    across="driver",
)
