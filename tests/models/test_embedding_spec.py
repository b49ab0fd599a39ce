import numpy as np
import pytest

from rnncli.errors import DataError, SpecError
from rnncli.models.classifier_gradient_cases import sequence_classifier_case
from rnncli.models.embedding_spec import EmbeddingSpec, Pretrained
from rnncli.models.gradient_cases import draw_initial_states, language_model_case
from rnncli.models.input_layer import InputSizes
from rnncli.models.language_model import LanguageModel, LanguageModelSpec
from rnncli.models.language_model_step import LanguageModelStep
from rnncli.models.sequence_classifier import SequenceClassifier, SequenceClassifierSpec
from rnncli.nn.cells import GRUCell
from rnncli.nn.gradient_check import compare_gradients
from rnncli.nn.layers import Lookup
from rnncli.spec import parse_spec, to_plain, to_yaml, validate

FROZEN = EmbeddingSpec("pretrained", path="glove.txt")
MODEL = {"cell": GRUCell(), "hidden_size": 3, "num_layers": 1}


def read(text):
    return validate(parse_spec(f"embedding: {text}".encode(), "spec.yaml"), SequenceClassifierSpec).embedding


class TestSpec:
    def test_the_size_of_what_is_learned_is_64_and_that_of_a_file_its_own(self):
        assert [EmbeddingSpec().size, EmbeddingSpec(size=8).size, EmbeddingSpec(size=None).size] == [64, 8, 64]
        assert EmbeddingSpec() == EmbeddingSpec(size=64)
        assert FROZEN.size is None
        assert EmbeddingSpec("pretrained", 64, "glove.txt").size == 64

    def test_it_is_read_as_it_is_written(self):
        assert read("{kind: pretrained, path: glove.txt}") == FROZEN  # though the default of the field has a size
        assert read("{kind: pretrained, path: glove.txt, size: 64}").size == 64
        assert read("{kind: learned}").size == read("{}").size == 64
        for spec in (FROZEN, EmbeddingSpec(), EmbeddingSpec("one_hot"), EmbeddingSpec("pretrained", 7, "a", True)):
            model = SequenceClassifierSpec(embedding=spec)
            assert validate(parse_spec(to_yaml(model).encode(), "spec.yaml"), SequenceClassifierSpec) == model
        assert to_plain(FROZEN) == {
            "kind": "pretrained",
            "size": None,
            "path": "glove.txt",
            "trainable": False,
            "extra_words": None,
        }

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("{kind: pretrained}", "kind: pretrained needs path, the file of the vectors"),
            ("{kind: pretrained, path: ''}", "kind: pretrained needs path, the file of the vectors"),
            ("{kind: pretrained, path: '-'}", "kind: pretrained needs path, the file of the vectors"),
            ("{path: a}", "path is for kind: pretrained, not learned"),
            ("{kind: one_hot, trainable: false}", "trainable is for kind: pretrained, not one_hot"),
            ("{extra_words: 0}", "extra_words is for kind: pretrained, not learned"),
            (
                "{kind: pretrained, path: a, trainable: true, extra_words: 5}",
                "extra_words is for vectors that are not trainable: others would never be learned",
            ),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, text, message):
        with pytest.raises(SpecError) as caught:
            read(text)
        assert caught.value.message == f"embedding: {message}"
        key = message.split()[0].rstrip(":")
        assert caught.value.where == f"spec.yaml:1:{1 + f'embedding: {text}'.index(key)}"

    def test_extra_words_are_bounded(self):
        assert read("{kind: pretrained, path: a, extra_words: 200000}").extra_words == 200_000
        for number in ("200001", "-1"):
            with pytest.raises(SpecError, match=r"embedding\.extra_words must be at"):
                read(f"{{kind: pretrained, path: a, extra_words: {number}}}")


class TestPretrained:
    def test_it_is_stored_and_read_back(self):
        for pretrained in (Pretrained(50, 0.25, (0, 3, 9)), Pretrained(1, 0.0, None), Pretrained(1, 1.0, (0,))):
            plain = pretrained.to_plain()
            assert Pretrained.from_plain(plain, 10) == pretrained
            assert FROZEN.pretrained_of({"pretrained": plain}, 10) == pretrained

    @pytest.mark.parametrize(
        "change",
        [
            {"size": 0},
            {"size": True},
            {"size": 2.0},
            {"deviation": -1.0},
            {"deviation": float("nan")},
            {"deviation": float("inf")},
            {"deviation": 1},
            {"learned": [3, 3]},
            {"learned": [3, 1]},
            {"learned": [-1, 1]},
            {"learned": [1, 10]},
            {"learned": [1.0]},
            {"learned": [True]},
            {"learned": "1"},
            {"more": 1},
        ],
        ids=str,
    )
    def test_anything_else_is_refused(self, change):
        plain = Pretrained(50, 0.25, (0, 3, 9)).to_plain() | change
        with pytest.raises(DataError, match="no account of its pretrained vectors"):
            Pretrained.from_plain(plain, 10)

    def test_a_spec_and_its_resources_go_together(self):
        with pytest.raises(DataError, match="no account of its pretrained vectors"):
            FROZEN.pretrained_of({}, 10)
        with pytest.raises(DataError, match="where the spec has none"):
            EmbeddingSpec().pretrained_of({"pretrained": Pretrained(2, 1.0, None).to_plain()}, 10)
        assert EmbeddingSpec().pretrained_of({}, 10) is None

    def test_a_token_that_is_not_known_has_the_id_of_its_lower_case_form_if_that_stands_still(self):
        ids = {"oslo": 1, "Oslo": 2, "rare": 3, "fixed": 4}
        pretrained = Pretrained(2, 1.0, (0, 2, 3))
        found = [pretrained.id_of(token, ids) for token in ("oslo", "Oslo", "OSLO", "rare", "Rare", "FIXED", "other")]
        assert found == [1, 2, 1, 3, None, 4, None]
        assert Pretrained(2, 1.0, None).id_of("OSLO", ids) is None


class TestModels:
    def test_what_the_file_brings_goes_before_the_spec(self):
        given = Pretrained(7, 0.5, (0, 2))
        model = LanguageModel(LanguageModelSpec(embedding=FROZEN, **MODEL), 5, pretrained=given, rng=None)
        shapes = {name: parameter.value.shape for name, parameter in model.parameters().items()}
        assert (shapes["embedding.weight"], shapes["embedding.frozen"]) == ((2, 7), (3, 7))
        assert shapes["recurrent.0.weight_ih"] == (9, 7)

    def test_trainable_vectors_are_all_learned(self):
        spec = SequenceClassifierSpec(embedding=EmbeddingSpec("pretrained", path="a", trainable=True), **MODEL)
        given, rng = Pretrained(70, 0.5, None), np.random.default_rng(1)
        model = SequenceClassifier(spec, 2, "softmax", InputSizes(100), pretrained=given, rng=rng)
        assert model.embedding.weight.value.shape == (100, 70)
        assert model.embedding.weight.value.std() == pytest.approx(0.5, rel=0.03)
        assert "embedding.frozen" not in model.parameters()

    def test_a_step_of_generation_reads_frozen_vectors_too(self):
        rng = np.random.default_rng(1)
        spec = LanguageModelSpec(embedding=FROZEN, **MODEL)
        model = LanguageModel(spec, 6, pretrained=Pretrained(2, 1.0, (0, 4)), rng=rng, dtype=np.float64)
        model.embedding.put(np.arange(6), rng.normal(size=(6, 2)))
        step, ids = LanguageModelStep(model), np.array([3, 4])
        state = [np.zeros((1, 3, 2))]
        logits, _ = step(ids, step.start(state))
        np.testing.assert_allclose(logits, model.logits(ids[None], state)[0], rtol=1e-12)


CASES = {
    "language model": lambda spec, V, masked: language_model_case(
        LanguageModelSpec(embedding=spec, **MODEL), V, title="", masked=masked, random_seed=1
    ),
    "classifier": lambda spec, V, masked: sequence_classifier_case(
        SequenceClassifierSpec(embedding=spec, bidirectional=True, readout="max", **MODEL),
        "softmax",
        InputSizes(V),
        title="",
        masked=masked,
        random_seed=1,
    ),
}


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("tokens", [3, 12])
@pytest.mark.parametrize("kind", CASES)
def test_gradients_with_frozen_vectors(kind, tokens, masked):
    spec = EmbeddingSpec("pretrained", 3, "glove.txt")
    case = CASES[kind](spec, tokens, masked)
    assert case.values.keys() == case.grads.keys()
    assert "embedding.frozen" not in case.values
    assert case.values["embedding.weight"].shape == ((tokens + 1) // 2, 3)
    assert case.grads["embedding.weight"].any()
    for entry in compare_gradients(case.loss, case.values, case.grads, limit=8, rng=np.random.default_rng(1)):
        assert entry.error < 1e-6, entry


def test_gradient_cases_read_frozen_vectors_that_are_not_zero_in_both_ways():
    spec = LanguageModelSpec(embedding=EmbeddingSpec("pretrained", 3, "glove.txt"), **MODEL)
    few, many = (LanguageModel(spec, tokens, rng=None) for tokens in (3, 12))
    draw_initial_states(few.parameters(), np.random.default_rng(1))
    assert few.embedding.frozen.value.all()
    assert isinstance(few.embed(np.zeros((4, 2), int)), Lookup)
    assert not isinstance(many.embed(np.zeros((4, 2), int)), Lookup)
