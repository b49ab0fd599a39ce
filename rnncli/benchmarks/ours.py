"""Our side: what users get, real updates of a trainer and real texts of a generator, on random tokens."""

from collections import deque
from collections.abc import Callable
from itertools import chain, count, islice
from typing import Any

import numpy as np
import numpy.typing as npt

from rnncli.benchmarks.serving import serve
from rnncli.benchmarks.workloads import Workload
from rnncli.data import Bucketed, BucketedPairs, Examples, Pairs, Streams, TokenizerSpec, Vocabulary
from rnncli.data.paired import Side
from rnncli.data.texts import Texts
from rnncli.decoding import Sampling
from rnncli.models.embedding_spec import EmbeddingSpec
from rnncli.models.encoder_decoder import EncoderDecoder
from rnncli.models.encoder_decoder_spec import EncoderDecoderSpec
from rnncli.models.input_layer import InputSizes
from rnncli.models.language_model import LanguageModel, LanguageModelSpec
from rnncli.models.sequence_classifier import SequenceClassifier, SequenceClassifierSpec
from rnncli.models.sequence_tagger import SequenceTagger
from rnncli.models.sequence_tagger_spec import SequenceTaggerSpec
from rnncli.nn.cells import CELLS
from rnncli.nn.protocols import Model
from rnncli.tasks.tagging_scores import scored
from rnncli.tasks.text_generation import TextGenerator
from rnncli.training.trainer import Batches, Trainer, TrainingSpec

NEVER = 1 << 40
WINDOWS = 20
"""Steps in an epoch: the state is carried through them, as in a corpus."""


def prepare(work: Workload) -> Callable[[int], object]:
    """Return a function that does a number of steps and returns what the last one gave."""
    kinds = {
        "train": training,
        "generate": generation,
        "classify": classification,
        "tag": tagging,
        "train tagger": tagger_training,
        "train translator": translation,
    }
    return kinds[work.kind](work)


def build(work: Workload, vocabulary_size: int) -> LanguageModel:
    """Return the model of a workload, with random weights."""
    spec = LanguageModelSpec(
        embedding=embedding(work),
        cell=CELLS[work.cell](),
        hidden_size=work.hidden_size,
        num_layers=work.num_layers,
    )
    return LanguageModel(spec, vocabulary_size, rng=np.random.default_rng(1))


def build_classifier(work: Workload) -> SequenceClassifier:
    """Return the same of a workload that classifies."""
    spec = SequenceClassifierSpec(
        embedding=embedding(work),
        cell=CELLS[work.cell](),
        hidden_size=work.hidden_size,
        num_layers=work.num_layers,
        bidirectional=work.bidirectional,
        readout=work.readout,
    )
    sizes = InputSizes(work.vocabulary_size)
    return SequenceClassifier(spec, work.labels, "softmax", sizes, rng=np.random.default_rng(1))


def build_tagger(work: Workload) -> SequenceTagger:
    """Return the same of a workload that tags."""
    spec = SequenceTaggerSpec(
        embedding=embedding(work),
        cell=CELLS[work.cell](),
        hidden_size=work.hidden_size,
        num_layers=work.num_layers,
        bidirectional=work.bidirectional,
    )
    sizes = InputSizes(work.vocabulary_size)
    return SequenceTagger(spec, work.labels, "softmax", sizes, rng=np.random.default_rng(1))


def build_translator(work: Workload) -> EncoderDecoder:
    """Return the same of a workload that translates."""
    spec = EncoderDecoderSpec(
        embedding=embedding(work),
        cell=CELLS[work.cell](),
        hidden_size=work.hidden_size,
        num_layers=work.num_layers,
        bidirectional=work.bidirectional,
        attention="general",
        input_feeding=work.input_feeding,
    )
    sizes = InputSizes(work.vocabulary_size)
    return EncoderDecoder(spec, work.vocabulary_size, sizes, rng=np.random.default_rng(1))


def embedding(work: Workload) -> EmbeddingSpec:
    """Return how the tokens of a workload become vectors."""
    return EmbeddingSpec("learned", work.embedding_size) if work.embedding_size else EmbeddingSpec("one_hot")


def training(work: Workload) -> Callable[[int], object]:
    """Each step is an update on the next window of as many streams."""
    B, T = work.batch_size, work.length
    ids = random_ids(work, B * T * WINDOWS + 1)
    return updates(work, build(work, work.vocabulary_size), Streams(ids, B, T))


def classification(work: Workload) -> Callable[[int], object]:
    """Each step is an update on the next batch of sequences of similar length, with random labels."""
    return updates(work, build_classifier(work), Bucketed(examples(work), work.batch_size))


def tagger_training(work: Workload) -> Callable[[int], object]:
    """Each step is an update on the next batch of sequences of similar length, with a random label a token."""
    return updates(work, build_tagger(work), Bucketed(examples(work), work.batch_size))


def translation(work: Workload) -> Callable[[int], object]:
    """Each step is an update on the next batch of pairs of similar lengths."""
    return updates(work, build_translator(work), BucketedPairs(pairs(work), work.batch_size))


def tagging(work: Workload) -> Callable[[int], object]:
    """Each step is the labels of the next batch of sequences of similar length, which is put together first."""
    model, sentences = build_tagger(work), examples(work)
    coming = chain.from_iterable(scored(model, sentences) for _ in count())

    def run(steps: int) -> object:
        labels = (model.decode(answered.scores, answered.batch.mask) for answered in islice(coming, steps))
        return deque(labels, maxlen=1).pop()

    return run


def examples(work: Workload) -> Examples:
    """Return sequences of random tokens, as long as the workload says, in the order in which they would be read."""
    rng = np.random.default_rng(3)
    lengths = rng.permutation(np.concatenate(work.lengths))
    starts = np.concatenate(([0], np.cumsum(lengths)))
    of_steps = work.kind != "classify"
    labels = rng.integers(work.labels, size=int(starts[-1]) if of_steps else len(lengths))
    return Examples(random_ids(work, int(starts[-1])), starts, labels, of_steps=of_steps)


def pairs(work: Workload) -> Pairs:
    """Return pairs of random tokens, as long as the workload says, in the order in which they would be read."""
    lengths = np.array([[*chain(*side)] for side in (work.lengths, work.targets)])
    order = np.random.default_rng(3).permutation(lengths.shape[1])
    starts = [np.concatenate(([0], np.cumsum(side))) for side in lengths[:, order]]
    source, target = (Side(random_ids(work, int(each[-1])), each) for each in starts)
    unnamed = Texts.of("" for _ in order)
    return Pairs(source, target, unnamed, None, unnamed, begin_id=1, end_id=2)


def random_ids(work: Workload, number: int) -> npt.NDArray[Any]:
    """Return so many tokens, in as few bytes as a corpus has them."""
    V = work.vocabulary_size
    ids: npt.NDArray[Any] = np.random.default_rng(2).integers(V, size=number).astype(np.min_scalar_type(V - 1))
    return ids


def updates(work: Workload, model: Model, batches: Batches) -> Callable[[int], object]:
    """Return what does a number of updates: loss, gradients, clipping, Adam."""
    settings = TrainingSpec(
        steps=NEVER, batch_size=work.batch_size, validate_every=NEVER, patience=None, workers=work.workers
    )
    events = Trainer(model, batches, None, settings).run()
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
