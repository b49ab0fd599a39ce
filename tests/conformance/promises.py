"""What every kind of run keeps, whatever it learns: exact resumption, the same with workers, right gradients."""

import numpy as np

from rnncli import experiments
from rnncli.spec import to_yaml
from rnncli.training.events import StepDone, Validated
from rnncli.training.optimizers import OPTIMIZERS
from rnncli.training.schedules import Plateau
from tests.cli.conftest import invoke, strict_json
from tests.conformance.test_resume import cut, outcome

SIZES = {"hidden_size": 4, "num_layers": 2, "dropout": 0.2, "recurrent_dropout": 0.1}
WITHOUT_DROPOUT = {"dropout": 0.0, "recurrent_dropout": 0.0}
TRAINING = {
    "validate_every": 6,
    "optimizer": OPTIMIZERS["adam"](learning_rate=0.02),
    "schedule": Plateau(warmup_steps=3, patience=1),
    "patience": None,
}
"""For some twenty steps: three to warm up, three validations, and smaller steps where these got no better."""


def assert_resumes(begin, base, workers=1):
    """A run, begun by its name in base, ends the same however often it was cut."""
    whole = begin("whole")
    assert whole.trainer.workers == workers
    events = list(whole.events())
    unbroken = outcome_of(whole)
    validated = [number for number, event in enumerate(events) if isinstance(event, Validated)]
    assert len({events[number].loss.mean for number in validated}) >= 3
    for after in (1, validated[0], validated[1] + 1, len(events) - 1):
        cut(begin(f"cut {after}"), after)
        run = experiments.resume(base / f"cut {after}", {})
        assert list(run.events()) == events[after:], after
        assert [name for name, value in outcome_of(run).items() if value != unbroken[name]] == [], after


def outcome_of(run):
    """Everything that a run leaves; no state is an empty one."""
    run.trainer.progress.state = run.trainer.progress.state or []
    return outcome(run)


def assert_workers_agree(begin):
    """Ten steps, begun for one worker and for two, whose dropout masks would differ, are the same.

    Returns how far each parameter went.
    """
    runs = []
    for workers in (1, 2):
        run = begin(workers)
        assert not [notice for notice in run.notices if "workers" in notice]
        before = {name: parameter.value.copy() for name, parameter in run.model.parameters().items()}
        losses = [event.loss.mean for event in run.events() if isinstance(event, StepDone)]
        runs.append((losses, run.trainer.flat.values.copy()))
    (losses, values), (others, other_values) = runs
    assert len(losses) == 10
    np.testing.assert_allclose(losses, others, rtol=1e-4)
    np.testing.assert_allclose(values, other_values, rtol=0, atol=1e-4)
    moved = {name: np.abs(p.value - before[name]).max(initial=0) for name, p in run.model.parameters().items()}
    assert max(moved.values()) > 0.02
    return moved


def parameters_checked(task, base):
    """The parameters of the task's spec, whose gradients are all right."""
    path = base / "spec.yaml"
    path.write_text(to_yaml(task))
    status, out, err = invoke("gradcheck", path, "--json")
    report = strict_json(out)
    assert (status, err, report["failures"]) == (0, "", 0)
    return {row["parameter"] for row in report["rows"]}
