"""Is the head turned as the driver's is?"""

from eval.specs.geometry import FOUND_ANEW, LANDMARK_WEIGHTS
from eval.specs.spec import NEEDS_FACE, MetricSpec


def _apd(*, metric: str, title: str, what: str, equation: str) -> MetricSpec:
    return MetricSpec(
        id=metric,
        version=1,
        title=title,
        level="frame",
        definition=(
            f"Average pose distance: how far {what} of the generated head is from the target's. Papers print the "
            "name for angles and for coefficients of a face model, in radians, in degrees or without a unit."
        ),
        equation=equation,
        source=(
            "The mean absolute error that `cal_3dmm_distance.py` of github.com/MrTornado24/Next3D prints as APD; "
            "differs in the pose, which is read off the axes of FaceMesh's vertices (outer eye corners, forehead and "
            "chin) instead of the coefficients of a face model."
        ),
        unit="degrees",
        range=(0.0, 180.0),
        higher_is_better=False,
        perfect=0.0,
        weights=LANDMARK_WEIGHTS,
        preparation=(
            f"{FOUND_ANEW} At 128 pixels, compression (JPEG 80) or slight blur moves yaw and pitch by 0.6 to 1 and "
            "roll by 0.3 degrees: smaller differences say nothing."
        ),
        worst=90.0,
        failure_policy=NEEDS_FACE.format(worst="90 degrees"),
        across="driver",
    )


APD = _apd(
    metric="apd",
    title="APD",
    what="the turn (mean of yaw, pitch and roll)",
    equation="(|yaw error| + |pitch error| + |roll error|) / 3, each the short way round",
)
APD_YAW, APD_PITCH, APD_ROLL = (
    _apd(
        metric=f"apd.{axis}",
        title=f"APD ({axis})",
        what=f"the {axis} ({words})",
        equation=f"|{axis}_generated - {axis}_target|, the short way round",
    )
    for axis, words in (
        ("yaw", "looking to the side"),
        ("pitch", "looking up or down"),
        ("roll", "leaning to a shoulder"),
    )
)
