"""Checkpoints: one self-contained `.npz` that loads anywhere, and holds what resuming needs while a run goes on."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rnncli.errors import CheckpointError
from rnncli.nn.parameter import Array, Parameters
from rnncli.nn.protocols import Loss
from rnncli.storage import read_checkpoint_file, write_checkpoint_file
from rnncli.training.trainer import Progress, Trainer

Json = dict[str, Any]
SECTIONS = ("spec", "resources", "metrics", "progress")


@dataclass(frozen=True)
class Checkpoint:
    """A model as it is stored."""

    spec: Json  # resolved: every default written out
    resources: Json  # what the task derived from its data: the vocabulary
    metrics: Json
    weights: dict[str, Array]
    progress: Json | None = None  # in last.npz only, with the two below
    slots: dict[str, Array] = field(default_factory=dict)
    state: list[Array] = field(default_factory=list)


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write the checkpoint, whole or not at all."""
    arrays = {f"weights.{name}": array for name, array in checkpoint.weights.items()}
    arrays |= {f"slots.{name}": array for name, array in checkpoint.slots.items()}
    arrays |= {f"state.{layer}": array for layer, array in enumerate(checkpoint.state)}
    content = {name: getattr(checkpoint, name) for name in SECTIONS}
    write_checkpoint_file(path, arrays, content)


def load(path: Path) -> Checkpoint:
    """Read a checkpoint; CheckpointError for anything that is not one."""
    arrays, content = read_checkpoint_file(path)
    parts: dict[str, dict[str, Array]] = {"weights": {}, "slots": {}, "state": {}}
    for name, array in arrays.items():
        part, _, rest = name.partition(".")
        if part not in parts:
            raise unsuitable(path, f"an array {name!r} that no model has")
        parts[part][rest] = array
    if set(content) != set(SECTIONS) or not all(isinstance(content[name], dict) for name in SECTIONS[:3]):
        raise unsuitable(path, "no spec, resources or metrics")
    if set(parts["state"]) != {str(layer) for layer in range(len(parts["state"]))}:
        raise unsuitable(path, "states of layers that do not follow each other")
    state = [parts["state"][str(layer)] for layer in range(len(parts["state"]))]
    return Checkpoint(**content, weights=parts["weights"], slots=parts["slots"], state=state)


def unsuitable(path: Path, what: str) -> CheckpointError:
    """Return the error for a checkpoint whose parts do not fit together."""
    return CheckpointError(f"the checkpoint has {what}", where=str(path), hint="use another copy of it, or train again")


def put_weights(parameters: Parameters, weights: dict[str, Array], path: Path) -> None:
    """Copy stored weights into a model of the same names, shapes and dtype; CheckpointError otherwise."""
    if missing := sorted(parameters.keys() ^ weights.keys()):
        raise unsuitable(path, f"no {missing[0]}" if missing[0] in parameters else f"a surplus {missing[0]}")
    for name, parameter in parameters.items():
        array = weights[name]
        if array.shape != parameter.value.shape or array.dtype != parameter.value.dtype:
            found, wanted = (f"{a.dtype} {a.shape}" for a in (array, parameter.value))
            raise unsuitable(path, f"{name} of {found} where its spec asks for {wanted}")
        parameter.value[:] = array


def weights_of(trainer: Trainer) -> dict[str, Array]:
    """Return the weights by name, as views."""
    return {name: parameter.value for name, parameter in trainer.model.parameters().items()}


def pack_progress(progress: Progress) -> Json:
    """Return the progress as JSON-able data, without the hidden state."""
    data = {name: value for name, value in vars(progress).items() if name != "state"}
    return data | {"recent": asdict(progress.recent)}


def put_progress(trainer: Trainer, checkpoint: Checkpoint, path: Path) -> None:
    """Make a new trainer go on where the checkpoint was saved; CheckpointError when it cannot."""
    put_weights(trainer.model.parameters(), checkpoint.weights, path)
    match checkpoint.progress:
        case {
            "step": int(step),
            "epoch": int(epoch),
            "batch": int(batch),
            "validated_step": int(validated_step),
            "validations": [*validations],
            "recent": {"sum": float(total), "count": int(count)},
            "first_loss": float() | None as first_loss,
        } if (
            min(step, epoch, batch, validated_step, count) >= 0
            and batch <= len(trainer.batches)
            and all(type(loss) is float for loss in validations)
        ):
            recent = Loss(total, count)
            progress = Progress(
                step, epoch, batch, validated_step, validations, recent, first_loss, checkpoint.state or None
            )
        case _:
            raise unsuitable(path, "no whole record of its progress")
    slots, wanted = checkpoint.slots, trainer.slots
    if set(slots) != set(wanted) or any(slots[name].shape != wanted[name].shape for name in wanted):
        raise unsuitable(path, "no optimizer state that fits its spec")
    for name, array in wanted.items():
        array[:] = slots[name]
    trainer.progress = progress
