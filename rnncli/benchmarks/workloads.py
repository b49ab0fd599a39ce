"""What is measured: the standard configurations by letter, and the arithmetic in each."""

from dataclasses import dataclass
from typing import Literal

GATES = {"rnn": 1, "lstm": 4, "gru": 3}


@dataclass(frozen=True)
class Workload:
    """A language model and what is done with it: B sequences of T steps are trained on, or B texts generated."""

    kind: Literal["train", "generate"]
    cell: Literal["rnn", "lstm", "gru"]
    num_layers: int
    hidden_size: int
    batch_size: int
    length: int = 1  # T
    vocabulary_size: int = 65
    embedding_size: int | None = 128  # None: one-hot
    unit: Literal["character", "word"] = "character"
    workers: int = 1  # that share out a batch in training

    @property
    def title(self) -> str:
        """Return `train lstm 2x128 B50 T50 V65 E128`."""
        embedding = f"E{self.embedding_size}" if self.embedding_size else "one-hot"
        steps = f" T{self.length}" if self.kind == "train" else ""
        model = f"{self.cell} {self.num_layers}x{self.hidden_size}"
        return f"{self.kind} {model} B{self.batch_size}{steps} V{self.vocabulary_size} {embedding}"

    @property
    def tokens(self) -> int:
        """Tokens in a step: an update in training, a time step of all texts in generation."""
        return self.batch_size * self.length

    @property
    def products(self) -> list[tuple[int, int, int, int]]:
        """The forward matrix products of a step: (m, k) by (k, n), and how often; looking an embedding up is none."""
        B, T, H = self.batch_size, self.length, self.hidden_size
        inputs = [self.embedding_size or 0, *[H] * (self.num_layers - 1)]
        layers = [(GATES[self.cell] * H, each + H, B, T) for each in inputs]
        return [*layers, (self.vocabulary_size, H, B * T, 1)]

    @property
    def flops(self) -> int:
        """Floating-point operations in the products of a step; backward, each is followed by two of its size.

        What a kernel spares, as by a table in place of the first layer's product, counts as done.
        """
        return (3 if self.kind == "train" else 1) * sum(2 * m * k * n * times for m, k, n, times in self.products)


WORKLOADS = {
    "a": Workload("train", "lstm", 2, 128, batch_size=50, length=50),
    "b": Workload("train", "lstm", 1, 256, batch_size=64, length=100, embedding_size=64),
    "c": Workload("train", "lstm", 2, 512, batch_size=64, length=128, vocabulary_size=100),
    "d": Workload(
        "train", "lstm", 2, 256, batch_size=32, length=35, vocabulary_size=10_000, embedding_size=256, unit="word"
    ),
    "e": Workload("train", "rnn", 1, 128, batch_size=50, length=50),
    "f": Workload("train", "gru", 1, 256, batch_size=64, length=100, embedding_size=64),
    "g": Workload("generate", "lstm", 2, 128, batch_size=1),
    "h": Workload("generate", "lstm", 2, 128, batch_size=64),
    "i": Workload("generate", "lstm", 2, 512, batch_size=1),
    "j": Workload("train", "rnn", 1, 100, batch_size=32, length=25, embedding_size=None),
}
"""a is char-rnn's default (Karpathy 2015), d a word model, j min-char-rnn's network."""
