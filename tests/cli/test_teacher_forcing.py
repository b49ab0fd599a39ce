"""`train` with a schedule of teacher forcing: what is said of a wrong one, and that a run goes on as if never cut."""

from pathlib import Path

import pytest

from tests.cli.conftest import SMALL, content

LINEAR = ["--set", "training.teacher_forcing={schedule: linear, end: 0.2}"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (".start=1.5", "training.teacher_forcing.start must be at most 1, not 1.5"),
        (".end=-0.1", "training.teacher_forcing.end must be at least 0, not -0.1"),
        (".schedule=lineal", 'one of constant, linear, exponential, inverse_sigmoid, not "lineal"; did you mean "li'),
        (".end=0.5", "end is where the other schedules go: constant stays at start, so leave end out"),
        ("=linear", 'training.teacher_forcing must be a mapping, not "linear"'),
        (".mode=token", 'training.teacher_forcing.mode must be one of sampled, mixed, not "token"'),
        ("={strat: 1}", 'unknown key "strat" in training.teacher_forcing; did you mean "start"?'),
    ],
)
def test_what_is_no_schedule_is_refused_in_a_line(rnncli, poem, given, words):
    refused = rnncli("train", "poem.txt", "--set", f"training.teacher_forcing{given}")
    assert (refused.status, refused.out, len(refused.lines)) == (2, "", 1)
    assert words in refused.err
    assert not Path("runs").exists()


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_a_task_that_reads_no_output_of_its_own_has_no_such_key(rnncli, task):
    Path("spec.yaml").write_text(f"task: {task}\ntraining:\n  teacher_forcing: {{schedule: linear}}\n")
    refused = rnncli("train", "--spec", "spec.yaml")
    assert (refused.status, len(refused.lines)) == (2, 1)
    assert 'spec.yaml:3:3: unknown key "teacher_forcing" in training' in refused.err


def test_a_cut_run_goes_on_to_the_same_bytes_and_says_in_its_spec_how(rnncli, poem):
    settings = ["poem.txt", *SMALL, "--steps", "12", "--set", "training.validate_every=5", "-q"]
    rnncli("train", *settings, *LINEAR, "-o", "unbroken")
    rnncli("train", *settings, *LINEAR, "-o", "broken", "--max-time", "0.0001")
    assert content("broken")["last.npz"] != content("unbroken")["last.npz"]
    assert rnncli("train", "--resume", "broken", "-q").status == 0
    assert content("broken") == content("unbroken")
    spec = Path("broken/spec.yaml").read_text()
    assert "  teacher_forcing:\n    schedule: linear\n    start: 1.0\n    end: 0.2\n    mode: sampled\n" in spec
    rnncli("train", *settings, "-o", "forced")
    first, *others = zip(
        *(Path(name, "metrics.jsonl").read_text().splitlines() for name in ("forced", "broken")), strict=False
    )
    assert first[0] == first[1]  # true inputs alone
    assert all(one != other for one, other in others)


def test_a_tagger_that_reads_no_labels_has_none_to_force(rnncli):
    forcing = "training:\n  teacher_forcing: {schedule: linear}\n"
    spec = f"task: tagging\nmodel: {{recurrence: %s, bidirectional: false}}\n{forcing}"
    Path("spec.yaml").write_text(spec % "hidden")
    refused = rnncli("train", "--spec", "spec.yaml")
    assert (refused.status, len(refused.lines)) == (2, 1)
    assert (
        "training.teacher_forcing is for a tagger that reads its labels: model.recurrence output or both" in refused.err
    )
    Path("spec.yaml").write_text(spec % "both")
    assert "no training data" in rnncli("train", "--spec", "spec.yaml").err
