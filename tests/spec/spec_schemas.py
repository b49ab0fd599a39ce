"""A spec as the higher floors would write it: stdlib frozen dataclasses that know nothing of YAML."""

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Gt, Len, Lt, MultipleOf

from rnncli.errors import SettingError

Positive = Annotated[float, Gt(0)]


@dataclass(frozen=True)
class RNN:
    name: Literal["rnn"] = "rnn"
    activation: Literal["tanh", "relu"] = "tanh"
    gates: ClassVar[tuple[str, ...]] = ("hidden",)


@dataclass(frozen=True)
class LSTM:
    name: Literal["lstm"] = "lstm"
    forget_bias: float = 1.0


@dataclass(frozen=True)
class Model:
    """The architecture."""

    cell: RNN | LSTM = LSTM()
    hidden_size: Annotated[int, Gt(0)] = 128
    embedding_size: Annotated[int, Ge(8), MultipleOf(8)] = 64
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.0
    tie_embeddings: bool = False

    def __post_init__(self):
        if self.tie_embeddings and self.embedding_size != self.hidden_size:
            raise SettingError("tie_embeddings needs embedding_size equal to hidden_size", key="tie_embeddings")


@dataclass(frozen=True)
class Adam:
    name: Literal["adam"] = "adam"
    learning_rate: Positive = 0.002
    betas: tuple[float, float] = (0.9, 0.999)


@dataclass(frozen=True)
class SGD:
    name: Literal["sgd"] = "sgd"
    learning_rate: Positive = 0.1


@dataclass(frozen=True)
class Plateau:
    name: Literal["plateau"] = "plateau"
    factor: Positive = 0.5


@dataclass(frozen=True)
class Training:
    optimizer: Adam | SGD = field(default_factory=Adam)
    schedule: Plateau | None = None
    epochs: Annotated[int, Gt(0)] = 20
    max_norm: Positive | None = 5.0
    warmup: Annotated[float, Gt(0)] | Literal["auto"] = "auto"


@dataclass(frozen=True)
class Data:
    train: str | tuple[str, ...]
    level: Literal["character", "byte", "word"] = "character"
    weights: dict[str, float] = field(default_factory=dict)
    labels: Annotated[tuple[str, ...], Len(0, 3)] = ()


@dataclass(frozen=True)
class Spec:
    data: Data
    model: Model = Model()
    training: Training = Training()
    layers: tuple[RNN | LSTM, ...] = ()
    notes: list[Any] = field(default_factory=list)


@dataclass(frozen=True)
class Tree:
    children: tuple["Tree", ...] = ()


GOOD = """\
# a language model
data:
  train: corpus.txt
  level: character
model:
  cell: {name: rnn, activation: relu}
  hidden_size: 128
  dropout: 0.0
training:
  epochs: 20
  optimizer: {name: adam, learning_rate: 0.002, betas: [0.9, 0.999]}
  schedule: plateau
layers:
  - lstm
  - name: rnn
    activation: "tanh"
"""
