import json

import numpy as np
import pytest

from rnncli.errors import CheckpointError, DivergedError
from rnncli.storage import read_checkpoint_file, write_checkpoint_file
from rnncli.training.checkpoint import Checkpoint, load, pack_progress, put_progress, put_weights, save, weights_of
from rnncli.training.optimizers import Adam
from tests.training.tiny_trainer import tiny_model, tiny_trainer


def half_done():
    """A trainer in mid-epoch, with a state, validations and an optimizer that has slots."""
    trainer = tiny_trainer(tiny_model(num_layers=2), optimizer=Adam(), validate_every=2)
    for _ in zip(range(10), trainer.run(), strict=False):
        pass
    return trainer


def checkpoint_of(trainer):
    return Checkpoint(
        {"task": "language_model"},
        {"vocabulary": ["é"]},
        {"step": 3},
        weights_of(trainer),
        pack_progress(trainer.progress),
        trainer.slots,
        trainer.progress.state,
    )


@pytest.fixture
def path(tmp_path):
    """A checkpoint on disk of a run that is half done."""
    save(tmp_path / "last.npz", checkpoint_of(half_done()))
    return tmp_path / "last.npz"


def rewrite(path, change):
    """Put the checkpoint back as it is after `change(content, arrays)`."""
    arrays, content = read_checkpoint_file(path)
    content = json.loads(json.dumps(content))
    change(content, arrays)
    write_checkpoint_file(path, arrays, content)


def refusal(path, act):
    """What is said of a checkpoint that is refused, in one line that names it."""
    with pytest.raises(CheckpointError) as caught:
        act()
    assert caught.value.where == str(path)
    assert caught.value.hint
    assert len(str(caught.value).splitlines()) == 1
    return caught.value.message


def test_what_is_saved_is_loaded_to_the_byte(path):
    trainer = half_done()
    stored = load(path)
    assert (stored.spec, stored.resources, stored.metrics) == (
        {"task": "language_model"},
        {"vocabulary": ["é"]},
        {"step": 3},
    )
    for found, given in ((stored.weights, weights_of(trainer)), (stored.slots, trainer.slots)):
        assert {name: array.tobytes() for name, array in found.items()} == {
            name: array.tobytes() for name, array in given.items()
        }
    assert [layer.tobytes() for layer in stored.state] == [layer.tobytes() for layer in trainer.progress.state]
    assert stored.progress == pack_progress(trainer.progress)


def test_a_trainer_takes_it_up(path):
    trainer, fresh = half_done(), tiny_trainer(tiny_model(num_layers=2), optimizer=Adam(), validate_every=2)
    put_progress(fresh, load(path), path)
    assert pack_progress(fresh.progress) == pack_progress(trainer.progress)
    assert fresh.progress.step == 7
    assert len(fresh.progress.validations) == 3
    assert fresh.progress.recent.count == 30
    assert list(fresh.run()) == list(trainer.run())
    assert fresh.flat.values.tobytes() == trainer.flat.values.tobytes()
    assert [slot.tobytes() for slot in fresh.slots.values()] == [slot.tobytes() for slot in trainer.slots.values()]


def test_a_run_before_its_first_step_has_no_state(tmp_path):
    trainer = tiny_trainer()
    save(
        tmp_path / "last.npz",
        Checkpoint({}, {}, {}, weights_of(trainer), pack_progress(trainer.progress), trainer.slots),
    )
    put_progress(trainer, load(tmp_path / "last.npz"), tmp_path)
    assert vars(trainer.progress) == vars(tiny_trainer().progress)


def test_a_model_alone_has_no_progress(tmp_path):
    save(tmp_path / "best.npz", Checkpoint({}, {}, {}, weights_of(tiny_trainer())))
    stored = load(tmp_path / "best.npz")
    assert (stored.progress, stored.slots, stored.state) == (None, {}, [])


def test_nothing_that_is_not_finite_is_saved(path):
    before = path.read_bytes()
    trainer = half_done()
    trainer.slots["mean"][3] = np.nan
    with pytest.raises(DivergedError, match=r"cannot save NaN or infinity in slots\.mean"):
        save(path, checkpoint_of(trainer))
    assert path.read_bytes() == before


NO_SECTIONS = "the checkpoint has no spec, resources or metrics"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content, arrays: content.pop("spec"), NO_SECTIONS),
        (lambda content, arrays: content.update(resources=[]), NO_SECTIONS),
        (lambda content, arrays: content.update(metrics=None), NO_SECTIONS),
        (lambda content, arrays: content.update(weights={}), NO_SECTIONS),
        (lambda content, arrays: content.update(surplus=1), NO_SECTIONS),
        (
            lambda content, arrays: arrays.update(other=np.zeros(1)),
            "the checkpoint has an array 'other' that no model has",
        ),
        (
            lambda content, arrays: arrays.update({"state.3": arrays["state.0"]}),
            "the checkpoint has states of layers that do not follow each other",
        ),
    ],
)
def test_what_is_no_checkpoint_of_ours_is_refused(path, change, message):
    rewrite(path, change)
    assert refusal(path, lambda: load(path)) == message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda arrays: arrays.pop("weights.output.bias"), "no output.bias"),
        (lambda arrays: arrays.update({"weights.more": np.zeros(2)}), "a surplus more"),
        (
            lambda arrays: arrays.update({"weights.output.bias": np.zeros((5, 1), np.float32)}),
            "output.bias of float32 (5, 1) where its spec asks for float32 (5,)",
        ),
        (
            lambda arrays: arrays.update({"weights.output.bias": np.zeros(5)}),
            "output.bias of float64 (5,) where its spec asks for float32 (5,)",
        ),
    ],
)
def test_weights_of_another_model_are_refused(path, change, message):
    rewrite(path, lambda content, arrays: change(arrays))
    model = tiny_model(num_layers=2)
    assert (
        refusal(path, lambda: put_weights(model.parameters(), load(path).weights, path))
        == f"the checkpoint has {message}"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"step": -1},
        {"step": "7"},
        {"step": 7.0},
        {"epoch": None},
        {"batch": 5},  # of 4 in an epoch
        {"validated_step": -2},
        {"validations": "abc"},
        {"validations": [1.0, "2"]},
        {"recent": 5},
        {"recent": {}},
        {"recent": {"sum": 1.0, "count": -1}},
        {"recent": {"sum": "1", "count": 1}},
    ],
    ids=str,
)
def test_progress_that_cannot_be_is_refused(path, change):
    rewrite(path, lambda content, arrays: content["progress"].update(change))
    trainer = tiny_trainer(tiny_model(num_layers=2), optimizer=Adam())
    message = refusal(path, lambda: put_progress(trainer, load(path), path))
    assert message == "the checkpoint has no whole record of its progress"


@pytest.mark.parametrize("progress", [None, {}, 5, [], "x"], ids=str)
def test_progress_that_is_none_is_refused(path, progress):
    rewrite(path, lambda content, arrays: content.update(progress=progress))
    trainer = tiny_trainer(tiny_model(num_layers=2), optimizer=Adam())
    assert "no whole record of its progress" in refusal(path, lambda: put_progress(trainer, load(path), path))


@pytest.mark.parametrize(
    "change",
    [
        lambda arrays: arrays.pop("slots.mean"),
        lambda arrays: arrays.update({"slots.velocity": arrays["slots.mean"]}),
        lambda arrays: arrays.update({"slots.mean": arrays["slots.mean"][:-1]}),
    ],
)
def test_slots_of_another_optimizer_are_refused(path, change):
    rewrite(path, lambda content, arrays: change(arrays))
    trainer = tiny_trainer(tiny_model(num_layers=2), optimizer=Adam())
    message = refusal(path, lambda: put_progress(trainer, load(path), path))
    assert message == "the checkpoint has no optimizer state that fits its spec"


def test_equal_checkpoints_have_equal_bytes(path, tmp_path):
    save(tmp_path / "again.npz", checkpoint_of(half_done()))
    assert (tmp_path / "again.npz").read_bytes() == path.read_bytes()
