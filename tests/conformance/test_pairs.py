"""What every kind of model of pairs keeps: exact resumption, workers, storage, gradients, answers."""

import io
import itertools
from functools import partial

import numpy as np
import pytest

from rnncli import experiments
from rnncli.data import TokenizerSpec
from rnncli.models.condition import CONDITIONS
from rnncli.models.embedding_spec import EmbeddingSpec
from rnncli.models.encoder_decoder_gradient_cases import WAYS
from rnncli.models.encoder_decoder_spec import EncoderDecoderSpec
from rnncli.models.language_model import LanguageModelSpec
from rnncli.nn.cells import CELLS
from rnncli.tasks import CaptioningTask, TranslationTask
from rnncli.tasks.pair_decoding import Decoding
from rnncli.tasks.pair_model import SourceSequence
from rnncli.tasks.pair_spec import CaptioningDataSpec, TranslationDataSpec
from rnncli.training.teacher_forcing import FedTrainingSpec
from tests.conformance.promises import (
    SIZES,
    TRAINING,
    WITHOUT_DROPOUT,
    assert_resumes,
    assert_workers_agree,
    parameters_checked,
)

_random = np.random.default_rng(3)
_WORDS = {"one": "un", "two": "deux", "red": "rouge", "dogs": "chiens"}
_SENTENCES = [_random.choice([*_WORDS], _random.integers(1, 5)).tolist() for _ in range(220)]
_TARGETS = [" ".join(_WORDS[word] for word in reversed(words)) for words in _SENTENCES]
_FRAMES = [_random.standard_normal((len(words), 3)).astype(np.float32) for words in _SENTENCES]


def _npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


FILES = {
    "pairs.tsv": "".join(f"{' '.join(s)}\t{t}\n" for s, t in zip(_SENTENCES, _TARGETS, strict=True)),
    "frames.npz": _npz(x=np.concatenate(_FRAMES), lengths=np.array([*map(len, _FRAMES)])),
    "vectors.npz": _npz(x=np.array([frames[0] for frames in _FRAMES])),
    "targets.txt": "".join(f"{target}\n" for target in _TARGETS),
}
CHARACTERS = {"tokenizer": TokenizerSpec()}
SHARED = {"shared_vocabulary": True, "tokenizer": TokenizerSpec(level="word")}
KINDS = {
    "words": (TranslationTask, {}),
    "characters": (TranslationTask, {**CHARACTERS, "source_tokenizer": TokenizerSpec(level="word")}),
    "shared": (TranslationTask, SHARED),
    "frames": (TranslationTask, {"train": ("frames.npz", "targets.txt")}),
    "captions": (CaptioningTask, {"train": ("vectors.npz", "targets.txt")}),
}
TRANSLATED = [*itertools.product([kind for kind in KINDS if kind != "captions"], WAYS, CELLS)]
CAPTIONED = [*itertools.product(["captions"], CONDITIONS, CELLS)]
SAMPLE = [
    ("words", ("general", True), "lstm"),
    ("words", ("none", False), "gru"),
    ("characters", ("additive", False), "gru"),
    ("shared", ("additive", True), "rnn"),
    ("shared", ("general", False), "lstm"),
    ("frames", ("dot", True), "lstm"),
    ("frames", ("dot", False), "rnn"),
    ("captions", "bias", "lstm"),
    ("captions", "initial_state", "gru"),
    ("captions", "input", "rnn"),
]


def make_task(kind, way, cell, *, model=(), **training):
    """A task of this kind, with dropout, that trains for about twenty steps."""
    make, data = KINDS[kind]
    own = {**SIZES, "cell": CELLS[cell](), "embedding": EmbeddingSpec(size=4)}
    if make is CaptioningTask:
        spec = LanguageModelSpec(condition=way, **own | dict(model))
        files = CaptioningDataSpec(**data)
    else:
        attention, feeding = way
        way = {"attention": attention, "input_feeding": feeding, "bidirectional": attention != "dot"}
        spec = EncoderDecoderSpec(**own | {"input_dropout": 0.1} | way | dict(model))
        files = TranslationDataSpec(**{"train": "pairs.tsv", **data})
    settings = {**TRAINING, "epochs": 1, "batch_size": 8} | training
    return make(data=files, model=spec, training=FedTrainingSpec(**settings))


def begin(task, base, name):
    for file, content in FILES.items():
        (base / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    return experiments.start(task, base, base / name)


@pytest.mark.parametrize("architecture", SAMPLE, ids=str)
def test_a_cut_run_ends_like_an_unbroken_one(tmp_path, architecture):
    assert_resumes(partial(begin, make_task(*architecture), tmp_path), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("architecture", [*TRANSLATED, *CAPTIONED], ids=str)
def test_every_cut_run_ends_like_an_unbroken_one(tmp_path, architecture):
    assert_resumes(partial(begin, make_task(*architecture), tmp_path), tmp_path)


@pytest.mark.parametrize("architecture", [SAMPLE[0], SAMPLE[-3]], ids=str)
def test_with_workers_too(tmp_path, architecture):
    assert_resumes(partial(begin, make_task(*architecture, workers=2), tmp_path), tmp_path, workers=2)


@pytest.mark.parametrize("architecture", SAMPLE, ids=str)
def test_two_workers_learn_what_one_does(tmp_path, architecture):
    def started(workers):
        model = WITHOUT_DROPOUT | ({} if architecture[0] == "captions" else {"input_dropout": 0.0})
        return begin(make_task(*architecture, model=model, workers=workers, steps=10), tmp_path, f"run {workers}")

    assert_workers_agree(started)


@pytest.mark.parametrize("architecture", SAMPLE, ids=str)
def test_a_stored_model_answers_the_same(tmp_path, architecture):
    run = begin(make_task(*architecture), tmp_path, "run")
    list(run.events())
    part = run.dataset.splits.train
    single = architecture[0] == "captions"
    given = [part.source.of(i) for i in range(20)]
    sources = [SourceSequence(values[0] if single else values, "") for values in given]
    loaded = experiments.load(run.folder / "last.npz")
    last = loaded.captioner if single else loaded.translator
    decoding = Decoding(beam_size=3, n_best=2, max_length=5)
    before = type(last)(run.model, run.task, run.dataset.resources).translate(sources, decoding)
    assert last.translate(sources, decoding) == before
    assert np.ptp([answer.score for found in before for answer in found]) > 0.01


@pytest.mark.parametrize("architecture", SAMPLE, ids=str)
def test_gradients_of_a_spec(tmp_path, architecture):
    names = parameters_checked(make_task(*architecture, model={"hidden_size": 2, "num_layers": 1}), tmp_path)
    assert {"output.weight", "output.bias"} <= names
    kind, way, _ = architecture
    if kind == "captions":
        assert {"condition", "condition.weight", "recurrent.0.weight_hh"} <= names
        return
    assert {"decoder.recurrent.0.weight_hh", "inputs"} <= names
    assert ("attention.combine.weight" in names) == (way[0] != "none")
    assert ("decoder.embedding.weight" in names) == (kind != "shared")
    assert ("encoder.embedding.weight" in names) == (kind != "frames")


def test_the_sample_has_every_kind_way_and_cell():
    kinds, ways, cells = (set(each) for each in zip(*SAMPLE, strict=True))
    assert kinds == set(KINDS)
    assert cells == set(CELLS)
    assert set(CONDITIONS) <= ways
    assert {attention for attention, _ in WAYS} == {way[0] for way in ways if isinstance(way, tuple)}
    assert {False, True} == {way[1] for way in ways if isinstance(way, tuple)}
