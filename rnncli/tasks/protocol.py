"""The contract of a task: data, a model, a loss, scores and baselines put together. Read this first."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import DTypeLike

from rnncli.data import Splits
from rnncli.metrics import ClosedLoopReport
from rnncli.models.gradient_cases import GradientCase
from rnncli.nn.parameter import Array
from rnncli.nn.protocols import Loss
from rnncli.tasks.corpus_cache import NO_CACHE, CorpusCache
from rnncli.tasks.paths import moved_paths
from rnncli.training.events import Counted, Evaluation
from rnncli.training.trainer import Batches, Feed, TrainingSpec

Report = Callable[[str, int, int], None]
"""Is told what is being done, how much of it is done, and how much there is."""

Unit = Literal["character", "byte", "word", "sequence", "value", "label"]
"""What a loss is counted by: a token of one of three levels, a labelled sequence, a real value, or a step's label."""

Resources = dict[str, Any]
"""What a model needs beside its weights and its spec, JSON-able: a vocabulary, the names of labels, …"""


def silent(activity: str, done: int, total: int) -> None:
    """Report to nobody."""


class TokenVectors(NamedTuple):
    """Vectors that tokens begin with, or keep, as a file gives them."""

    ids: Array  # (F,), increasing
    vectors: Array  # (F, D)


class Dataset(Protocol):
    """Data that a task has read."""

    @property
    def resources(self) -> Resources:
        """What a model of this data needs beside its weights."""
        ...

    @property
    def splits(self) -> Splits[Any]:
        """The parts to train on, to validate on and to test on, the last two perhaps empty."""
        ...

    @property
    def notices(self) -> tuple[str, ...]:
        """What the user should know of the data."""
        ...

    @property
    def fingerprint(self) -> str:
        """A hash of what there is to train and to validate on, by which a resumed run knows its data again."""
        ...

    @property
    def vectors(self) -> TokenVectors | None:
        """What the embedding of a new model is given; None where there is nothing, or weights are stored."""
        ...

    def sizes(self) -> dict[str, int]:
        """Return what a plan says of the data: how many tokens, labels, …"""
        ...


class Score(Protocol):
    """What a model is worth on a split, beside naive baselines; each task has its own kind."""

    @property
    def split(self) -> str: ...  # noqa: D102
    @property
    def loss(self) -> Loss: ...  # noqa: D102


@dataclass(frozen=True)
class Task(ABC):
    """A spec of one task; `data` has the paths `train`, `validation` and `test`, and an `encoding`."""

    command: ClassVar[str]
    """The command that its models are for."""

    example: ClassVar[str]
    """What `rnncli train` is given in hints, to train one."""

    inherited: ClassVar[tuple[str, ...]]
    """The settings that weights depend on: who begins with a model's weights has its settings, too."""

    score_type: ClassVar[type[Any]]
    """The kind of `Score` that `scores` returns."""

    fitting: ClassVar[tuple[str, ...]] = ("batch_size",)
    """The settings of training that shrink to fit small data."""

    task: str
    data: Any
    model: Any
    training: TrainingSpec

    @property
    @abstractmethod
    def unit(self) -> Unit:
        """What a loss is counted by."""

    @property
    def reads_own_outputs(self) -> bool:
        """Whether its models read what they said themselves where they are used."""
        return False

    @property
    def counted(self) -> Counted:
        """What the size of a batch is counted in."""
        return "sequences" if self.unit in ("sequence", "value") else "tokens"

    @abstractmethod
    def read(
        self, base: Path, resources: Resources | None = None, *, cache: CorpusCache = NO_CACHE, report: Report = silent
    ) -> Dataset:
        """Read the data, paths relative to `base`, and derive the resources from it unless they are given."""

    @abstractmethod
    def read_files(
        self, files: Iterable[str], resources: Resources, *, encoding: str | None = None, report: Report = silent
    ) -> tuple[Any, list[str]]:
        """Read files that are no part of the spec as a split, and return it with notices."""

    @abstractmethod
    def fitted(self, dataset: Any) -> tuple[Self, list[str]]:
        """Return the task with sizes that fit small data, and a notice for each size that shrank."""

    @abstractmethod
    def build_model(self, resources: Resources, rng: np.random.Generator | None, dtype: DTypeLike = np.float32) -> Any:
        """Return a fresh model; without `rng` its weights are zeros, to be loaded."""

    @abstractmethod
    def batches(self, dataset: Any) -> Batches:
        """Return the training batches."""

    def feed(self, model: Any, resources: Resources) -> Feed | None:  # noqa: ARG002 - those who feed need them
        """Return what puts the model's own outputs into its training batches; None where nothing does."""
        return None

    @abstractmethod
    def evaluate(self, model: Any, resources: Resources, part: Any) -> Evaluation:
        """Measure the model on a split that is not empty."""

    @abstractmethod
    def scores(self, model: Any, resources: Resources, train: Any, parts: Mapping[str, Any]) -> list[Any]:
        """Return a `Score` of the model on each split, by name, beside baselines that learn from `train`.

        Splits that are empty are left out, and where there is nothing to learn from, the baselines.
        """

    def closed_loop(self, model: Any, resources: Resources, part: Any) -> ClosedLoopReport:
        """Measure a model on a split that is not empty, fed with its own outputs and with true ones."""
        raise NotImplementedError

    @abstractmethod
    def summary(self, dataset: Any) -> str:
        """Say in a few words what the model is trained on."""

    @abstractmethod
    def sample(self, model: Any, dataset: Any) -> str | None:
        """Return a little that shows what the model can do now; None where there is nothing of that kind."""

    @abstractmethod
    def gradient_cases(self, random_seed: int) -> Iterator[GradientCase]:
        """Return what the gradients of this spec's model are checked on, at its own size."""

    def moved(self, base: Path, folder: Path) -> Self:
        """Return the task with the paths of its data and vectors, relative to `base`, as seen from `folder`."""
        moved = {name: moved_paths(getattr(self.data, name), base, folder) for name in Splits._fields}
        task, embedding = replace(self, data=replace(self.data, **moved)), getattr(self.model, "embedding", None)
        if embedding is None or embedding.path is None:
            return task
        embedding = replace(embedding, path=moved_paths(embedding.path, base, folder))
        return replace(task, model=replace(self.model, embedding=embedding))
