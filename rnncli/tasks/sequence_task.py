"""What the tasks have in common that learn from labelled sequences of tokens or vectors."""

from dataclasses import dataclass, replace
from typing import Any, Self

from rnncli.data import Bucketed
from rnncli.data.examples import is_label
from rnncli.errors import DataError
from rnncli.models.input_layer import InputSizes
from rnncli.nn.parameter import Array
from rnncli.tasks.gathered import SequenceDataset
from rnncli.tasks.labelled_spec import SequenceDataSpec
from rnncli.tasks.paths import as_paths
from rnncli.tasks.protocol import Resources, Task
from rnncli.training.trainer import Batches


@dataclass(frozen=True)
class SequenceTask(Task):
    """A task of labelled sequences: sizes that fit, batches of similar length."""

    data: SequenceDataSpec

    def fitted(self, dataset: SequenceDataset) -> tuple[Self, list[str]]:
        """Return the task with a batch size that leaves 20 batches an epoch, and a notice where it shrank."""
        sequences, asked = len(dataset.splits.train), self.training.batch_size
        fitting = min(asked, max(1, sequences // 20))
        if fitting == asked:
            return self, []
        notice = f"small data ({sequences:,} sequences): batch_size {asked} → {fitting}"
        return replace(self, training=replace(self.training, batch_size=fitting)), [notice]

    def batches(self, dataset: SequenceDataset) -> Batches:
        """Return the training batches; DataError for a label that a model, whose training goes on, does not know."""
        train = dataset.splits.train
        if train.unknown is not None:
            raise DataError(
                "a label that the model does not know, and so cannot learn",
                hint="leave it out, or train a new model",
                where=train.place(int(train.unknown.argmax())),
            )
        return Bucketed(train, self.training.batch_size, self._weights(dataset))

    def _weights(self, dataset: SequenceDataset) -> Array | None:  # noqa: ARG002 - of a label, if there is one
        """Return what each training sequence's loss is multiplied by, (S,)."""
        return None

    def summary(self, dataset: SequenceDataset) -> str:
        """Say in a few words what the model is trained on."""
        inputs, outputs = dataset.inputs, len(dataset.names)
        read = f"{len(inputs.vocabulary):,} tokens" if inputs.vocabulary else f"vectors of {inputs.width}"
        kind = "label" if self.unit != "value" else "value"
        answered = f"{outputs:,} {kind}{'s' * (outputs > 1)}"
        return f"{read} → {answered}, {len(dataset.splits.train):,} sequences to train on"

    def sample(self, model: Any, dataset: SequenceDataset) -> None:
        """There is nothing to show but the scores."""

    @property
    def sizes_to_check(self) -> InputSizes:
        """What a model reads whose gradients are checked: vectors where the spec says so, else one of a few tokens."""
        data: Any = self.data
        of_arrays = data.format == "npz" or all(path.endswith(".npz") for path in as_paths(data.train) or ("",))
        if data.columns or of_arrays:
            return InputSizes(None, max(3, len(data.columns)))
        return InputSizes(12, characters=8)


def names_of(resources: Resources) -> list[str]:
    """Return the names of the outputs of a checkpoint's resources; DataError where there are none."""
    match resources.get("outputs"):
        case [_, *_] as names if all(type(name) is str and is_label(name) for name in names):
            if len(set(names)) < len(names):
                raise DataError("two outputs of one name")
            return list(names)
    raise DataError("no names of the outputs")
