"""USER: whether people find the generated picture among real ones."""

from eval.specs.spec import MetricSpec

ALTERNATIVES = 3
CHANCE = 1 / ALTERNATIVES

USER = MetricSpec(
    id="user.3afc",
    version=1,
    title="USER (found by people)",
    kind="judgement",
    tier="person",
    level="trial",
    definition=(
        "Share of trials in which a person who sees two real frames of somebody and one generated frame says which one "
        "was generated. A third is what guessing gives: there the generated frames pass for real. Above it, "
        "people see a difference; below it, they take the generated frames for more real than the real ones."
    ),
    equation="trials answered correctly / trials",
    source=(
        "Zakharov, Shysheya, Burkov and Lempitsky 2019, arXiv:1905.08233, section 4 (USER). It differs in the "
        "interval, in trials that show who does not look, and in showing single frames."
    ),
    unit="share of trials",
    range=(0.0, 1.0),
    higher_is_better=False,
    perfect=CHANCE,
    preparation=(
        "Frames at the size of the run, all encoded alike and stored in equally many bytes, in random order; no label "
        "and no watermark in any of the three, since either would give the answer."
    ),
    worst=1.0,
    failure_policy=(
        "A frame that the system did not deliver is shown to nobody and counts as found in the headline. "
        "People who miss more of the obvious trials than the study allows are left out and counted."
    ),
)
