"""The page as a file: complete, self-contained, inert."""

import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from eval.rendering import predictions
from eval.runs.results import Run
from pipeline.store import Store
from reports.gallery import galleries
from reports.media import Media
from reports.page import Page, render
from reports.people import safe_link
from reports.worst import worst_cases
from tests.reports.conftest import composed


class Tags(HTMLParser):
    """Collects every tag with its attributes, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def of(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.found if tag == name]


@pytest.fixture(scope="module")
def html(page: Page) -> str:
    return render(page)


@pytest.fixture(scope="module")
def tags(html: str) -> Tags:
    return Tags(html)


def test_nothing_is_fetched_and_nothing_runs_but_our_script(tags: Tags) -> None:
    names = {tag for tag, _ in tags.found}
    assert not names & {"iframe", "object", "embed", "form", "audio", "base"}
    assert [script for script in tags.of("script") if script] == [{"type": "application/json", "id": "player-data"}], (
        "scripts are inline, and that one is data"
    )
    for tag, attributes in tags.found:
        assert not [name for name in attributes if name.startswith("on")], f"{tag} has a handler"
        assert (attributes.get("src") or "data:").startswith("data:image/webp;base64,") or tag != "img"
    assert [link["href"] for link in tags.of("link")] == ["data:,"]
    assert {link["href"][0] if link["href"][0] == "#" else link["href"] for link in tags.of("a")} == {
        "#",
        "https://example.org/clip",
        "https://arxiv.org/abs/1905.08233",
    }


def test_the_policy_admits_our_style_sheet_and_script_and_no_other(html: str, tags: Tags) -> None:
    policy = next(meta["content"] for meta in tags.of("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; img-src 'self' data:; media-src 'self' data:; style-src 'sha256-")
    assert "; script-src 'sha256-" in policy
    assert "unsafe" not in policy
    assert " style=" not in re.sub(r"data:[^\"]*", "", html), "an inline style would be blocked"


def test_hostile_names_are_text(html: str, tags: Tags, hostile: str) -> None:
    assert hostile not in html
    assert tags.text.count(hostile) >= 6, "title, data set, system, licence, credit and reject all carry it"
    assert not [image for image in tags.of("img") if image.get("src") == "x"]


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "//host/x", "file:///etc/passwd", "", "https:"]
)
def test_only_web_addresses_become_links(url: str) -> None:
    assert safe_link(url) == ""
    assert safe_link("https://example.org/a?b=c") == "https://example.org/a?b=c"


def test_every_reference_inside_the_page_has_its_target(tags: Tags) -> None:
    ids = Counter(attributes["id"] for _, attributes in tags.found if "id" in attributes)
    assert max(ids.values()) == 1
    wanted = {link["href"][1:] for link in tags.of("a") if link["href"].startswith("#")}
    wanted |= {attributes["aria-labelledby"] for _, attributes in tags.found if "aria-labelledby" in attributes}
    assert wanted <= set(ids)


def test_every_person_system_and_number_of_shots_is_in_the_grid(run: Run, tags: Tags) -> None:
    alts = [image["alt"] for image in tags.of("img")]
    for person in run.tasks.identities():
        assert sum(f"real target, {person}" in alt for alt in alts) >= 3
        assert sum(f"landmark map of {person}" in alt for alt in alts) >= 3
        for system in run.record.systems:
            for shots in run.tasks.shots:
                words = f"{system.name} from {shots} shot{'' if shots == 1 else 's'}, {person}"
                assert sum(words in alt for alt in alts) >= 3


def test_every_synthetic_picture_is_marked_and_no_real_one_is(tags: Tags) -> None:
    alts = [image["alt"] for image in tags.of("img") if image["alt"]]
    synthetic = [alt for alt in alts if "reference-ft from" in alt]
    assert synthetic
    assert all(alt.startswith("AI-generated: ") for alt in synthetic)
    assert not [alt for alt in alts if alt.startswith("AI-generated") and "reference-ft" not in alt]
    taller = [image for image in tags.of("img") if image["alt"] and int(image["height"]) > int(image["width"])]
    assert [image["alt"] for image in taller] == synthetic, "the strip with the label is part of the picture"


def test_the_frames_shown_differ_least_middling_and_most_from_the_source(page: Page) -> None:
    for gallery in page.content("pictures").clips:
        assert [block.movement for block in gallery.blocks] == ["Least movement", "Middle", "Most movement"]
        assert len({block.frame for block in gallery.blocks}) == 3


def test_everything_needed_to_trust_and_repeat_is_there(run: Run, tags: Tags) -> None:
    record = run.record
    expected = [
        record.dataset.manifest_sha256,
        record.tasks_sha256,
        record.score_key,
        record.git.revision,
        "headshot preprocess --manifest MANIFEST.toml --videos VIDEOS --data data/drawn --size 64",
        f"MANIFEST.toml: the manifest with the SHA-256 {record.dataset.manifest_sha256}",
        "headshot train tiny --data data/drawn",
        "--shots 1,8,32 \\ --systems copy-source,mean-frame,reference-ft \\",
        "--profile embedded --size 64 --query-frames 16 --draws 1 --seed 0",
        "preset tiny, 40 steps, trained on drawn cccccccccccccccc…",
        "two people of like size",
        "ambiguous face",
        "not known",
        "12 min 34 s",
        "a processor, 2 cores",
        "torch 2.8.0",
        *(spec.versioned_id for spec in record.specs),
        *(spec.equation for spec in record.specs),
        *(weight.sha256 for weight in record.weights),
        *(system.title for system in record.systems),
    ]
    words = " ".join(tags.text.split())
    missing = [piece for piece in expected if " ".join(piece.split()) not in words]
    assert not missing


def test_the_cost_of_a_system_is_shown_with_the_machine_it_was_measured_on(page: Page, tags: Tags) -> None:
    (costly,) = (row for row in page.content("costs").rows if row.key.name == "reference-ft")
    assert costly.parameters == "4.6 M"
    assert {cell.memory for cell in costly.rows} == {"812"}
    assert page.content("costs").hardware == "a processor, torch on 3 threads"
    for text in (costly.parameters, page.content("costs").hardware, "Memory, MiB", "none counted"):
        assert text in tags.text


def test_a_chart_has_the_same_numbers_beside_it(page: Page) -> None:
    for place, curve in enumerate(page.content("shots")):
        for line, row in enumerate(curve.rows):
            assert row.cells == tuple(group.rows[line].cells[place] for group in page.content("results").table.groups)


def test_the_worst_cases_are_the_worst_of_different_clips(run: Run, page: Page) -> None:
    assert [gallery.column.metric for gallery in page.content("worst")] == ["lpips.alex", "nme.interocular"]
    rows = run.scores.to_pylist()
    for gallery in page.content("worst"):
        for system in gallery.systems:
            own = [
                row
                for row in rows
                if row["metric"] == gallery.column.metric and row["system"] == system.key.name and row["shots"] == 32
            ]
            assert system.cases[0].verdict == f"{max(row['value'] for row in own):.3f}"
            assert len({case.clip for case in system.cases}) == len(system.cases) == 3


def test_a_failed_frame_is_worse_than_any_value(run: Run, store: Store, page: Page) -> None:
    few = replace(run, tasks=run.tasks.model_copy(update={"shots": (1,)}))
    keys = {key.name: key for key in page.keys}
    nme = worst_cases(few, store, page.content("results").table.columns, keys, Media())[1]
    assert [case.verdict for case in nme.systems[2].cases] == ["no face"] * 3


def test_a_system_that_delivered_nothing_leaves_a_hole_and_not_a_crash(
    tmp_path: Path, run: Run, store: Store, page: Page
) -> None:
    """The page of a run from which one prediction is gone."""
    lost = Run(folder=tmp_path, record=run.record, scores=run.scores, tasks=run.tasks)
    for task in run.tasks.tasks:
        for system in run.record.systems:
            source = predictions.path_of(run.folder, system.name, task)
            target = predictions.path_of(tmp_path, system.name, task)
            if (system.name, task.identity, task.shots) != ("reference-ft", "ada", 32):
                target.parent.mkdir(parents=True, exist_ok=True)
                target.symlink_to(source)
    shown = galleries(lost, store, {key.name: key for key in page.keys}, Media(), most_pictures=900)
    ada = next(gallery for gallery in shown if gallery.identity == "ada")
    row = next(row for row in ada.rows if row.key.name == "reference-ft")
    assert [block[-1] for block in row.generated] == [None, None, None]
    assert "nothing delivered" in render(composed(lost, store))


def test_many_clips_are_thinned_and_the_page_says_so(run: Run, store: Store) -> None:
    page = composed(run, store, most_pictures=25)
    assert len(page.content("pictures").clips) == 2
    assert "2 of 3 clips are shown" in page.content("pictures").note
    assert "2 of 3 clips are shown" in render(page)


def test_a_quick_look_says_so_before_anything_else_and_can_be_repeated(run: Run, store: Store, html: str) -> None:
    tasks = run.tasks.model_copy(update={"limit": 2, "people": 7, "draws": (3, 1, 1)})
    quick = composed(replace(run, tasks=tasks), store)
    text = " ".join(Tags(render(quick)).text.split())
    label = "Quick look (--limit 2): 3 of 7 people, one clip of each, 16 frames a clip."
    assert text.index(label) < text.index(quick.question)
    assert "--limit 2 --draws 1:3,8:1,32:1 --seed 0" in " ".join(quick.content("reproduce").commands)
    assert "Quick look" not in html


def test_references_stand_apart_and_compete_with_nobody(run: Run, store: Store, html: str) -> None:
    flagged = tuple(
        system.model_copy(update={"reference": system.name == "mean-frame"}) for system in run.record.systems
    )
    page = composed(replace(run, record=run.record.model_copy(update={"systems": flagged})), store)
    assert [key.name for key in page.content("floors").keys] == ["mean-frame"]
    assert [row.key.name for row in page.content("results").floors.groups[0].rows] == ["mean-frame"]
    assert "mean-frame" not in {key.name for key in page.keys}
    assert not [lead for lead in page.content("results").leads if "mean-frame" in (lead.leader, lead.runner_up)]
    assert "Floors and ceilings" in render(page)
    assert "Floors and ceilings" not in html


def test_a_page_on_cross_reenactment_shows_the_driver_and_no_target(run: Run, store: Store) -> None:
    """The drawn run stands in: only who drives is changed."""
    driven = tuple(task.model_copy(update={"driver": "zed"}) for task in run.tasks.tasks)
    tasks = run.tasks.model_copy(update={"protocol": "cross", "tasks": driven})
    html = render(composed(replace(run, tasks=tasks), store))
    assert "real frame of zed, who drives" in html
    assert "another person’s movements" in html
    assert "real target," not in html
