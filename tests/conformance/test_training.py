"""What every optimizer and every schedule in the tables keeps; a new one is tested by its entry."""

import importlib
import inspect
import math
import pkgutil
from typing import get_args, get_type_hints

import numpy as np
import pytest

from rnncli import tasks
from rnncli.data import Streams
from rnncli.models.language_model import EmbeddingSpec, LanguageModel, LanguageModelSpec
from rnncli.models.stack_spec import AnyControl
from rnncli.nn.cells import CELLS, AnyCell, RNNCell
from rnncli.spec import to_plain
from rnncli.tasks import TASKS, Task
from rnncli.training import optimizers, schedules
from rnncli.training.events import StepDone
from rnncli.training.optimizers import OPTIMIZERS, SGD, Optimizer, settings
from rnncli.training.schedules import SCHEDULES, AnySchedule, Constant, Cosine, Plateau, Position, StepDecay
from rnncli.training.trainer import Trainer, TrainingSpec

DECAYS = {"no decay": {"weight_decay": 0.0}, "decay": {"weight_decay": 0.05}}
OPTIONS = {"sgd": [{}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True}], "rmsprop": [{}, {"momentum": 0.9}]}
VARIANTS = [cls(**options) for name, cls in OPTIMIZERS.items() for options in OPTIONS.get(name, [{}])]

every_optimizer = pytest.mark.parametrize("optimizer", VARIANTS, ids=lambda each: str(each).replace("'", ""))
with_and_without_decay = pytest.mark.parametrize("decay", DECAYS.values(), ids=DECAYS)


def changed(optimizer, options):
    return type(optimizer)(**vars(optimizer) | options)


def train(optimizer, dtype=np.float32):
    """Forty steps on a text that counts to five again and again; the trainer and its mean losses."""
    spec = LanguageModelSpec(EmbeddingSpec(size=4), cell=RNNCell(), hidden_size=6, num_layers=1)
    model = LanguageModel(spec, 5, rng=np.random.default_rng(1), dtype=dtype)
    batches = Streams(np.arange(201) % 5, 4, 10)
    trainer = Trainer(model, batches, None, TrainingSpec(steps=40, optimizer=optimizer))
    return trainer, [event.loss.mean for event in trainer.run() if isinstance(event, StepDone)]


def arrays(trainer):
    return {name: array.tobytes() for name, array in {"values": trainer.flat.values, **trainer.slots}.items()}


@every_optimizer
@with_and_without_decay
def test_training_lowers_the_loss(optimizer, decay):
    _, losses = train(changed(optimizer, decay))
    assert losses[0] == pytest.approx(math.log(5), rel=0.2)
    assert losses[-1] < 0.95 * losses[0]


@every_optimizer
@with_and_without_decay
def test_the_same_run_twice_gives_the_same_bytes(optimizer, decay):
    runs = [train(changed(optimizer, decay))[0] for _ in range(2)]
    assert arrays(runs[0]) == arrays(runs[1])
    assert arrays(runs[0]).keys() == {"values", *optimizer.slots}


@every_optimizer
@with_and_without_decay
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weights_gradients_and_slots_keep_their_dtype(optimizer, decay, dtype):
    trainer, _ = train(changed(optimizer, decay), dtype)
    found = [trainer.flat.values, trainer.flat.grads, *trainer.slots.values()]
    assert {array.dtype for array in found} == {np.dtype(dtype)}


@every_optimizer
@with_and_without_decay
def test_the_pieces_of_an_update_do_not_show(optimizer, decay, monkeypatch):
    whole, _ = train(changed(optimizer, decay))
    monkeypatch.setattr(settings, "CHUNK", 7)
    pieces, _ = train(changed(optimizer, decay))
    assert whole.flat.values.size % 7
    assert whole.flat.values.size > 70
    assert arrays(whole) == arrays(pieces)


@every_optimizer
def test_weight_decay_shrinks_weights_that_the_loss_does_not_move(optimizer):
    decaying = changed(optimizer, {"weight_decay": 0.5})
    values = np.array([2.0, -2.0])
    slots = {name: np.zeros(2) for name in decaying.slots}
    decaying.step(values, np.zeros(2), slots, 0.1, 1)
    assert (np.abs(values) < 2).all()
    assert values[0] == -values[1]
    still = np.array([2.0, -2.0])
    slots = {name: np.zeros(2) for name in decaying.slots}
    changed(optimizer, {"weight_decay": 0.0}).step(still, np.zeros(2), slots, 0.1, 1)
    assert still.tolist() == [2, -2]


def test_nesterovs_form_needs_a_momentum():
    with pytest.raises(ValueError, match="nesterov needs a momentum above 0"):
        SGD(nesterov=True)


def at(step=0, total=100, epoch=0, validations=()):
    return Position(step, total, epoch, validations)


SCALES = {
    "constant": [(Constant(), at(step), 1.0) for step in (0, 7, 99)],
    "step": [
        (StepDecay(), at(epoch=10), 1.0),
        (StepDecay(), at(epoch=11), 0.97),
        (StepDecay(), at(epoch=13), 0.97**3),
        (StepDecay(factor=0.1, every=3, after=2), at(epoch=4), 1.0),
        (StepDecay(factor=0.1, every=3, after=2), at(epoch=5), 0.1),
        (StepDecay(factor=0.1, every=3, after=2), at(epoch=8), 0.01),
        (StepDecay(factor=0.5, after=0), at(epoch=0), 1.0),
    ],
    "plateau": [
        (Plateau(), at(validations=losses), scale)
        for losses, scale in (
            ([], 1.0),
            ([3.0], 1.0),
            ([3.0, 3.5], 1.0),
            ([3.0, 3.5, 3.4], 0.5),  # twice no better than 3.0
            ([3.0, 3.0, 3.0], 0.5),  # equal is no better
            ([3.0, 3.5, 2.9, 3.0], 1.0),  # better in between
            ([3.0, 3.5, 3.4, 3.3], 0.5),  # patience begins anew
            ([3.0, 3.5, 3.4, 3.3, 3.2], 0.25),
            ([3.0, 3.5, 3.4, 2.0, 1.0], 0.5),  # what was lost stays lost
            ([3.0] * 13, 0.015625),
            ([3.0] * 15, 0.01),  # not 0.0078125
        )
    ]
    + [(Plateau(factor=0.1, patience=1, minimum=0.0), at(validations=[1.0, 2.0, 3.0, 4.0]), 0.1**3)],
    "cosine": [
        (Cosine(), at(0), 1.0),
        (Cosine(), at(25), 0.5 + math.sqrt(0.5) / 2),
        (Cosine(), at(50), 0.5),
        (Cosine(), at(100), 0.0),
        (Cosine(), at(120), 0.0),
        (Cosine(minimum=0.2), at(50), 0.6),
        (Cosine(minimum=0.2), at(100), 0.2),
        (Cosine(warmup_steps=20), at(20), 1.0),
        (Cosine(warmup_steps=20), at(60), 0.5),
        (Cosine(warmup_steps=20), at(100), 0.0),
        (Cosine(warmup_steps=100), at(100), 1.0),  # nothing left to fall along
    ],
}


@pytest.mark.parametrize(("schedule", "position", "scale"), [case for cases in SCALES.values() for case in cases])
def test_scales_are_those_computed_by_hand(schedule, position, scale):
    assert schedule.scale(position) == pytest.approx(scale, abs=1e-12)


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_begins_with_its_warm_up(name):
    assert {type(schedule) for schedule, *_ in SCALES[name]} == {SCHEDULES[name]}
    scales = [SCHEDULES[name](warmup_steps=4).scale(at(step)) for step in range(5)]
    assert scales == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0], abs=1e-12)
    assert SCHEDULES[name]().scale(at(0)) == 1.0


def named_classes(*modules):
    """The classes with a field `name` of their own that modules define."""
    classes = {cls for module in modules for _, cls in inspect.getmembers(module, inspect.isclass)}
    names = {module.__name__ for module in modules}
    return {cls for cls in classes if cls.__module__ in names and "name" in vars(cls)}


def test_what_is_written_is_in_the_tables():
    modules = [
        importlib.import_module(f"{optimizers.__name__}.{module.name}")
        for module in pkgutil.iter_modules(optimizers.__path__)
    ]
    assert named_classes(*modules) == set(OPTIMIZERS.values())
    assert named_classes(schedules) == set(SCHEDULES.values())


@pytest.mark.parametrize(("union", "table"), [(Optimizer, OPTIMIZERS), (AnySchedule, SCHEDULES), (AnyCell, CELLS)])
def test_a_union_holds_what_its_table_holds(union, table):
    assert set(get_args(union)) == set(table.values())
    assert {key: cls().name for key, cls in table.items()} == {key: key for key in table}


def test_every_task_that_is_written_is_in_the_table():
    written = set()
    for module in pkgutil.iter_modules(tasks.__path__):
        found = importlib.import_module(f"{tasks.__name__}.{module.name}")
        classes = [cls for _, cls in inspect.getmembers(found, inspect.isclass) if cls.__module__ == found.__name__]
        written |= {cls for cls in classes if issubclass(cls, Task) and not inspect.isabstract(cls)}
    assert written == set(TASKS.values())
    assert {key: cls().task for key, cls in TASKS.items()} == {key: key for key in TASKS}


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_what_a_task_inherits_is_in_its_spec(task):
    plain = to_plain(task())
    for name in task.inherited:
        section, _, key = name.partition(".")
        assert section in plain, name
        assert not key or key in plain[section], name


def test_a_spec_takes_all_of_them():
    hints = get_type_hints(TrainingSpec)
    assert (hints["optimizer"], hints["schedule"]) == (Optimizer, AnySchedule)
    assert get_type_hints(LanguageModelSpec)["cell"] == AnyCell | AnyControl


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_this_suite_has_every_optimizer(name):
    assert OPTIMIZERS[name]() in VARIANTS
    assert SCALES.keys() == SCHEDULES.keys()
