"""Our side: what users get, real updates of a trainer and real texts of a generator, on random tokens."""

from collections import deque
from collections.abc import Callable
from itertools import count, islice

import numpy as np

from rnncli.benchmarks.serving import serve
from rnncli.benchmarks.workloads import Workload
from rnncli.data import Streams, TokenizerSpec, Vocabulary
from rnncli.decoding import Sampling
from rnncli.models.language_model import EmbeddingSpec, LanguageModel, LanguageModelSpec
from rnncli.nn.cells import CELLS
from rnncli.tasks.text_generation import TextGenerator
from rnncli.training.trainer import Trainer, TrainingSpec

NEVER = 1 << 40
WINDOWS = 20
"""Steps in an epoch: the state is carried through them, as in a corpus."""


def prepare(work: Workload) -> Callable[[int], object]:
    """Return a function that does a number of steps and returns what the last one gave."""
    return {"train": training, "generate": generation}[work.kind](work)


def build(work: Workload, vocabulary_size: int) -> LanguageModel:
    """Return the model of a workload, with random weights."""
    size = work.embedding_size
    spec = LanguageModelSpec(
        embedding=EmbeddingSpec("learned", size) if size else EmbeddingSpec("one_hot"),
        cell=CELLS[work.cell](),
        hidden_size=work.hidden_size,
        num_layers=work.num_layers,
    )
    return LanguageModel(spec, vocabulary_size, rng=np.random.default_rng(1))


def training(work: Workload) -> Callable[[int], object]:
    """Each step is an update: loss, gradients, clipping, Adam."""
    V, B, T = work.vocabulary_size, work.batch_size, work.length
    ids = np.random.default_rng(2).integers(V, size=B * T * WINDOWS + 1).astype(np.min_scalar_type(V - 1))
    settings = TrainingSpec(
        steps=NEVER, batch_size=B, bptt_length=T, validate_every=NEVER, patience=None, workers=work.workers
    )
    events = Trainer(build(work, V), Streams(ids, B, T), None, settings).run()
    return lambda steps: deque(islice(events, steps), maxlen=1).pop()


def generation(work: Workload) -> Callable[[int], object]:
    """Each step is a character of every text, drawn from the model's own distribution."""
    counts = ((chr(0x100 + i), 1) for i in range(work.vocabulary_size - 1))  # and <unk>
    vocabulary = Vocabulary.from_counts(counts, TokenizerSpec(), items=None)
    writer = TextGenerator(build(work, len(vocabulary)), vocabulary)
    seeds = count()

    def run(steps: int) -> object:
        drawn = writer.generate("", length=steps, sampling=Sampling(), samples=work.batch_size, random_seed=next(seeds))
        return deque(drawn, maxlen=1).pop()

    return run


if __name__ == "__main__":
    serve(prepare)
