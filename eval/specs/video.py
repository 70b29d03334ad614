"""The distance between the set of generated and the set of target videos."""

from eval.specs.spec import MetricSpec

FVD_I3D = MetricSpec(
    id="fvd.i3d-kinetics400",
    version=1,
    title="FVD",
    kind="distribution",
    tier="named",
    level="set",
    definition=(
        "Frechet video distance: between Gaussians fitted to the I3D scores of all generated and of all target runs of "
        "16 frames that follow each other. Off unless asked for by its id, and only tasks of the protocol `video` have "
        "such runs. Read it with care. Few videos make it large, so only values over the same number compare, and "
        "published ones are over 2,048 and more; other ways of resizing moved it by about a tenth; and it judges the "
        "frames more than the motion between them (Ge et al. 2024, arXiv:2404.12391), so read it beside the metrics "
        "over time."
    ),
    equation="|mx - my|^2 + Tr Sx + Tr Sy - 2 ||Xc Yc^T||_* / sqrt((n - 1)(m - 1)), "
    "Xc and Yc being the centred feature rows, one for each run",
    source=(
        "Unterthiner et al. 2018, arXiv:1812.01717, over the I3D of Carreira and Zisserman 2017, arXiv:1705.07750, "
        "trained on Kinetics-400. Scores equal those of the original module in TensorFlow; frames are enlarged with "
        "PyTorch's bilinear interpolation, as in the FVD of StyleGAN-V and of the package cd-fvd, where the original "
        "samples at slightly other places. cd-fvd has 1e-5 in the batch normalisation where the original has 1e-3, "
        "which with the same parameters moves the distance of black from white videos by 0.2%."
    ),
    unit="",
    range=(0.0, None),
    higher_is_better=False,
    perfect=0.0,
    weights=("i3d-kinetics400",),
    preparation=(
        "RGB, each frame bilinear to 224 pixels, scaled to [-1, 1]; the 400 class scores before the softmax, averaged "
        "over time. Runs are at the frame rate of the stored clips and do not overlap; frames outside of runs take no "
        "part."
    ),
    worst=None,
    failure_policy=(
        "A frame that the system did not deliver is black in its run, so every system is measured over the same runs; "
        "the distance over runs that were delivered whole stands beside it. Refused below 64 runs and flagged as "
        "unreliable below 2,048."
    ),
)
