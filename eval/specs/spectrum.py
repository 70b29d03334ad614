"""Whether a picture has the fine texture of a photograph."""

from eval.specs.spec import RENDERED_ONLY, MetricSpec

SPECTRUM = MetricSpec(
    id="spectrum.radial",
    version=1,
    title="Spectrum (radial)",
    kind="image",
    level="frame",
    definition=(
        "Distance between the power spectra of generated and target frame: how much of each size of detail there is, "
        "wherever it lies. Blur lacks power at high frequencies and upsampling adds some; a weight-free cue, and no "
        "judgement of what is drawn."
    ),
    equation="root mean square over radii r = 1 ... size / 2 of 10 log10 (P_x(r) + 1/12) - 10 log10 (P_y(r) + 1/12)",
    source=(
        "Radial spectra as in Durall et al. 2020, arXiv:2003.01826; distance as the log-spectral distance of speech "
        "coding (Gray and Markel 1976, doi:10.1109/TASSP.1976.1162849)."
    ),
    unit="dB",
    range=(0.0, None),
    higher_is_better=False,
    perfect=0.0,
    preparation=(
        "Luma (Rec. 601) of the 8-bit RGB at the size of the task, less its mean, under a Hann window. P(r) is the "
        "mean power at frequencies whose rounded radius is r, scaled so that noise has its variance at every radius; "
        "1/12 is the variance of rounding to whole numbers, so a flat picture has a spectrum too."
    ),
    worst=60.0,
    failure_policy=RENDERED_ONLY.format(worst="60 dB"),
)
