"""The tasks of pairs: what their models are built of, and what is shown while they learn."""

import numpy as np
import pytest

from rnncli.data import TokenizerSpec, Vocabulary
from rnncli.errors import DataError
from rnncli.models.embedding_spec import EmbeddingSpec
from rnncli.models.encoder_decoder_spec import EncoderDecoderSpec
from rnncli.models.language_model import LanguageModelSpec
from rnncli.models.stack_spec import Conv1d
from rnncli.tasks.captioning import CaptioningTask
from rnncli.tasks.pair_spec import CaptioningDataSpec, TranslationDataSpec
from rnncli.tasks.translation import TranslationTask
from rnncli.training.randomness import generator
from rnncli.training.teacher_forcing import FedTrainingSpec
from tests.tasks.written_pairs import WORDS, written

SCALE = {"mean": [1.0, 0.0, 0.0], "deviation": [2.0, 1.0, 1.0]}
LINES = "".join(f"a{i} b\tc d{i % 3}\n" for i in range(400))


def plain(tokens, level="word", items=2):
    """A vocabulary as a checkpoint holds it: of sources, or with `items` for targets."""
    counts = [(token, 1) for token in tokens]
    return Vocabulary.from_counts(counts, TokenizerSpec(level), items=items or None).to_plain()


TARGET = plain([" x", " y"])
KNOWN = {"source": {"vocabulary": plain([" a"], items=0)}, "target": TARGET, "longest": [3, 4]}
SEEN = KNOWN | {"source": {"standardization": SCALE}}


def translation(**settings):
    data = TranslationDataSpec(**{"train": "p.tsv", "tokenizer": WORDS} | settings)
    model = EncoderDecoderSpec(hidden_size=4, embedding=EmbeddingSpec(size=4))
    return TranslationTask(data=data, model=model, training=FedTrainingSpec(batch_size=64))


def captioning(**settings):
    model = LanguageModelSpec(hidden_size=4, embedding=EmbeddingSpec(size=4))
    return CaptioningTask(data=CaptioningDataSpec(**{"train": ("x.npy", "p.txt")} | settings), model=model)


@pytest.mark.parametrize(
    ("task", "resources", "shapes"),
    [
        (translation(), KNOWN, {"encoder.embedding.weight": (2, 4), "output.weight": (5, 4)}),
        (translation(), SEEN, {"encoder.recurrent.0.forward.weight_ih": (16, 3), "output.weight": (5, 4)}),
        (captioning(), SEEN, {"condition.weight": (16, 3), "output.weight": (5, 4)}),
    ],
)
def test_a_model_has_the_sizes_of_what_it_reads_and_writes(task, resources, shapes):
    parameters = task.build_model(resources, None).parameters()
    assert {name: parameters[name].value.shape for name in shapes} == shapes


@pytest.mark.parametrize(
    ("task", "changes", "message"),
    [
        (translation(), {"source": None}, "no way to read sources"),
        (translation(), {"source": {}}, "no mean and deviation"),
        (translation(), {"source": {"vocabulary": None}}, "not a vocabulary"),
        (translation(), {"source": {"vocabulary": plain(["a"], "character", 0)}}, "source vocabulary of another token"),
        (translation(), {"target": plain(["a"], "character")}, "a vocabulary of another tokenizer"),
        (translation(), {"target": plain([" x"], items=0)}, "targets that neither begin nor end"),
        (translation(shared_vocabulary=True), {}, "two vocabularies, where the spec has a shared one"),
        (translation(), {"longest": [3]}, "no lengths"),
        (translation(), {"longest": [3, 0]}, "no lengths"),
        (translation(), {"longest": [True, 1]}, "no lengths"),
        (translation(), {"longest": [3, 1 << 40]}, "no lengths"),
        (captioning(), {"source": KNOWN["source"]}, "a vocabulary of sources, where captions are of vectors"),
        (captioning(), {"target": plain(["a"], "character")}, "a vocabulary of another tokenizer"),
        (captioning(), {"target": {}}, "not a vocabulary"),
        (captioning(), {"longest": None}, "no lengths"),
    ],
)
def test_a_checkpoint_whose_resources_do_not_fit_is_refused(task, changes, message):
    resources = (KNOWN if isinstance(task, TranslationTask) else SEEN) | changes
    with pytest.raises(DataError, match=message):
        task.build_model(resources, None)


def test_a_caption_is_not_of_every_model():
    with pytest.raises(ValueError, match="is not for captions"):
        CaptioningTask(model=LanguageModelSpec(embedding=EmbeddingSpec(kind="pretrained", path="v.txt")))
    with pytest.raises(ValueError, match=r"captions need a recurrent model\.cell, not conv1d"):
        CaptioningTask(model=LanguageModelSpec(cell=Conv1d()))


def test_what_is_shown_are_the_answers_to_the_first_that_are_not_learnt_from(tmp_path):
    written(tmp_path, {"p.tsv": LINES})
    task = translation()
    dataset = task.read(tmp_path)
    model = task.build_model(dataset.resources, generator(1, "initialization"))
    part = dataset.splits.validation
    lines = task.sample(model, dataset).splitlines()
    assert [line.partition(" → ")[0] for line in lines] == [part.source_text[i] for i in range(3)]
    model.decoder.output.bias.value[:] = -9 * (np.arange(len(dataset.target)) != dataset.target.end_id)
    assert task.sample(model, dataset).splitlines() == [f"{part.source_text[i]} → " for i in range(3)]


def test_captions_are_shown_beside_what_they_should_be(tmp_path):
    written(tmp_path, {"x.npy": np.eye(5, 3), "p.txt": "one\ntwo\nthree\nfour\nfive\n"})
    task = captioning(split=translation().data.split)
    dataset = task.read(tmp_path)
    part = dataset.splits.validation if len(dataset.splits.validation) else dataset.splits.train
    lines = task.sample(task.build_model(dataset.resources, None), dataset).splitlines()
    assert [line.partition(" → ")[0] for line in lines] == [part.target_text[i] for i in range(min(3, len(part)))]


def test_small_data_shrink_the_batch_with_a_notice(tmp_path):
    written(tmp_path, {"p.tsv": LINES})
    dataset = translation().read(tmp_path)
    fitted, notices = translation().fitted(dataset)
    pairs = len(dataset.splits.train)
    assert fitted.training.batch_size == pairs // 20 < 64
    assert notices == [f"small data ({pairs} pairs): batch_size 64 → {pairs // 20}"]
    assert fitted.fitted(dataset) == (fitted, [])
