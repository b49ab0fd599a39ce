"""What is measured: the standard configurations by letter, and the arithmetic in each."""

import math
from collections import Counter
from dataclasses import dataclass
from itertools import chain, cycle
from statistics import NormalDist
from typing import Literal

GATES = {"rnn": 1, "lstm": 4, "gru": 3}
STATES = {"rnn": 1, "lstm": 2, "gru": 1}
Lengths = tuple[tuple[int, ...], ...]
Product = tuple[int, int, int, int]
"""A matrix (m, k) by a matrix (k, n), and how often."""


@dataclass(frozen=True)
class Workload:
    """A model and what is done with it: B sequences of T steps are trained on, or B texts generated, or B tagged.

    Where sequences are to classify, to tag or to translate, `lengths` has the steps of each in every batch, and a step
    takes the next batch. A translator's vocabularies are of one size.
    """

    kind: Literal["train", "generate", "classify", "tag", "train tagger", "train translator"]
    cell: Literal["rnn", "lstm", "gru"]
    num_layers: int
    hidden_size: int
    batch_size: int
    length: int = 1  # T
    vocabulary_size: int = 65
    embedding_size: int | None = 128  # None: one-hot
    unit: Literal["character", "word"] = "character"
    workers: int = 1  # that share out a batch in training
    lengths: Lengths = ()
    labels: int = 2
    bidirectional: bool = False
    readout: Literal["last", "max"] = "last"
    targets: Lengths = ()  # the words of each translation, to which its end is added
    input_feeding: bool = False

    @property
    def title(self) -> str:
        """Return `train lstm 2x128 B50 T50 V65 E128`, or `classify bidirectional lstm 1x64 max B32 T3-60 V5000 E64`."""
        embedding = f"E{self.embedding_size}" if self.embedding_size else "one-hot"
        model = ["bidirectional"] * self.bidirectional + [self.cell, f"{self.num_layers}x{self.hidden_size}"]
        readout = [self.readout] * (self.kind == "classify") + ["fed"] * self.input_feeding
        size, vocabulary = f"B{self.batch_size}", f"V{self.vocabulary_size}"
        return " ".join([self.kind, *model, *readout, size, *self._steps, vocabulary, embedding])

    @property
    def trains(self) -> bool:
        """Whether a step is an update of the weights."""
        return self.kind not in ("generate", "tag")

    @property
    def cycle(self) -> int:
        """Steps after which as many tokens have been worked on as in any other so many."""
        return len(self.lengths) or 1

    @property
    def tokens(self) -> float:
        """Tokens in a step: an update in training, a time step of all texts in generation.

        Of batches that differ it is the mean; padding counts for nothing, and of a translator the targets alone.
        """
        counted = self._ended or self.lengths
        return sum(map(sum, counted)) / self.cycle if counted else self.batch_size * self.length

    @property
    def products(self) -> list[Product]:
        """The forward matrix products of a cycle; looking an embedding up is none."""
        H, directions = self.hidden_size, 1 + self.bidirectional
        first = self.embedding_size or 0
        layers = self._recurrent(first, H * directions, self.lengths, directions)
        if self.targets:
            fed = H * self.input_feeding
            return [*layers, *self._recurrent(first + fed, H, self._ended, 1), *self._attention(H, H * directions)]
        if self.kind == "classify":
            return [*layers, (self.labels, H * directions, self.batch_size, self.cycle)]
        outputs = self.labels if "tag" in self.kind else self.vocabulary_size
        return [*layers, (outputs, H * directions, round(self.tokens * self.cycle), 1)]

    @property
    def flops(self) -> float:
        """Floating-point operations in the products of a step; backward, each is followed by two of its size.

        What a kernel spares, as by a table in place of the first layer's product, counts as done.
        """
        return (3 if self.trains else 1) * sum(2 * m * k * n * times for m, k, n, times in self.products) / self.cycle

    @property
    def _ended(self) -> Lengths:
        """The words of each translation, and its end."""
        return tuple(tuple(words + 1 for words in batch) for batch in self.targets)

    def _recurrent(self, first: int, above: int, lengths: Lengths, directions: int) -> list[Product]:
        """Return the products of the layers: the first one has so many inputs, the others as many as `above`."""
        H = self.hidden_size
        return [
            (GATES[self.cell] * H, each + H, sequences, steps * directions)
            for each in [first, *[above] * (self.num_layers - 1)]
            for sequences, steps in self._widths(lengths)
        ]

    def _attention(self, H: int, F: int) -> list[Product]:
        """Return what a translator has beside its layers: bridge, general attention to F features, output."""
        targets, alone = self._ended, self.input_feeding  # whether each step is made by itself
        bridges = STATES[self.cell] * self.num_layers * self.cycle if self.bidirectional else 0
        keys = [(H, F, sum(batch), 1) for batch in self.lengths]
        places = Counter(zip(chain(*targets), chain(*self.lengths), strict=True))
        attended = [(1, S, T * times) if alone else (T, S, times) for (T, S), times in places.items()]
        looked = [(t, H, S, times) for t, S, times in attended] + [(t, S, F, times) for t, S, times in attended]
        combined = self._widths(targets) if alone else [(sum(batch), 1) for batch in targets]
        outputs = (self.vocabulary_size, H, round(self.tokens), self.cycle)
        return [
            (H, F, self.batch_size, bridges),
            *keys,
            *looked,
            *((H, F + H, n, times) for n, times in combined),
            outputs,
        ]

    def _widths(self, lengths: Lengths) -> list[tuple[int, int]]:
        """Numbers of sequences that are not over yet, and at how many time steps of a cycle it is so many."""
        if not lengths:
            return [(self.batch_size, self.length)]
        going = (sum(length > t for length in batch) for batch in lengths for t in range(max(batch)))
        return sorted(Counter(going).items())

    @property
    def _steps(self) -> list[str]:
        if self.lengths:
            return [f"T{min(map(min, self.lengths))}-{max(map(max, self.lengths))}"]
        return [f"T{self.length}"] * self.trains


def sentences(
    batches: int = 20, batch_size: int = 32, median: int = 17, spread: float = 0.6, longest: int = 60
) -> Lengths:
    """Return the words of each sentence of batches of similar length, which share out what sentences have in common.

    Their lengths are quantiles of a log-normal distribution, cut at 3 words and at the longest.
    """
    number, normal = batches * batch_size, NormalDist(math.log(median), spread)
    words = [min(longest, max(3, round(math.exp(normal.inv_cdf((i + 0.5) / number))))) for i in range(number)]
    return tuple(tuple(words[k : k + batch_size]) for k in range(0, number, batch_size))


def classifier(
    cell: Literal["lstm", "gru"],
    num_layers: int,
    hidden_size: int,
    *,
    bidirectional: bool = False,
    readout: Literal["last", "max"] = "last",
) -> Workload:
    """Return the training of a classifier of sentences."""
    return Workload(
        "classify",
        cell,
        num_layers,
        hidden_size,
        batch_size=32,
        vocabulary_size=5000,
        embedding_size=64,
        unit="word",
        lengths=sentences(),
        bidirectional=bidirectional,
        readout=readout,
    )


def tagger(kind: Literal["tag", "train tagger"], batch_size: int) -> Workload:
    """Return tagging with a tagger of words, or its training, on the same sentences."""
    return Workload(
        kind,
        "lstm",
        1,
        128,
        batch_size=batch_size,
        vocabulary_size=5000,
        embedding_size=64,
        unit="word",
        lengths=sentences(640 // batch_size, batch_size),
        labels=17,
        bidirectional=True,
    )


def translator(*, input_feeding: bool) -> Workload:
    """Return the training of a translator: sentences of 3 to 30 words, and translations up to a quarter longer.

    They stand in batches as they would be read: by the words of the sentence, of equals by those of the translation.
    """
    size, ratios = 64, cycle((0.8, 0.9, 1.0, 1.1, 1.25))
    words = chain(*sentences(10, size, median=12, spread=0.5, longest=30))
    pairs = sorted((n, min(30, max(3, round(n * next(ratios))))) for n in words)
    sources, targets = zip(*pairs, strict=True)
    firsts = range(0, len(pairs), size)
    return Workload(
        "train translator",
        "lstm",
        1,
        256,
        batch_size=size,
        vocabulary_size=5000,
        unit="word",
        lengths=tuple(sources[k : k + size] for k in firsts),
        bidirectional=True,
        targets=tuple(targets[k : k + size] for k in firsts),
        input_feeding=input_feeding,
    )


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
    "k": classifier("lstm", 1, 128),
    "l": classifier("lstm", 1, 64, bidirectional=True, readout="max"),
    "m": classifier("gru", 2, 128, bidirectional=True),
    "n": tagger("tag", 64),
    "o": tagger("train tagger", 32),
    "p": translator(input_feeding=False),
    "q": translator(input_feeding=True),
}
"""a is char-rnn's default (Karpathy 2015), d a word model, j min-char-rnn's network, k the default classifier."""
