from itertools import islice

import numpy as np
import pytest

from rnncli.experiments import check_gradients
from rnncli.models.gradient_cases import CONTROLLED, language_model_case, language_model_cases
from rnncli.models.language_model import EmbeddingSpec, LanguageModel, LanguageModelSpec
from rnncli.models.stack_spec import Conv1d, WindowedMLP
from rnncli.nn.cells import CELLS, GRUCell, LSTMCell, RNNCell
from rnncli.nn.gradient_check import compare_gradients
from rnncli.nn.layers import Lookup, convolution, embedding, input_product

TOLERANCE = 1e-6
CASES = list(language_model_cases(0))
SPEC = LanguageModelSpec(EmbeddingSpec(size=3), cell=LSTMCell(), hidden_size=3, num_layers=2)


def compare(case, **options):
    return compare_gradients(case.loss, case.values, case.grads, **options)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_every_case_passes(case):
    report = compare(case, limit=5, rng=np.random.default_rng(1))
    assert {entry.name for entry in report} == case.values.keys() == case.grads.keys()
    for entry in report:
        assert entry.error < TOLERANCE, entry


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_every_element_of_every_case_passes_from_other_beginnings(seed):
    for title, report in check_gradients(language_model_cases(seed), epsilon=1e-5):
        worst = max(report, key=lambda entry: entry.error)
        assert worst.error < TOLERANCE, (title, worst)


@pytest.mark.parametrize("case", CASES[::3], ids=lambda case: case.title)
def test_an_error_in_any_array_is_caught(case):
    for name, grads in case.grads.items():
        where = np.unravel_index(np.abs(grads).argmax(), grads.shape)
        assert abs(grads[where]) > 1e-3, f"{name} has no gradient to speak of"
        wrong = {name: grads.copy()}
        wrong[name][where] *= 1.01
        (entry,) = compare_gradients(case.loss, {name: case.values[name]}, wrong)
        assert entry.where == tuple(where)
        assert entry.error == pytest.approx(0.01 / 1.01, rel=1e-3)


def test_the_cases_are_every_combination():
    cells = sum(len(cls.variants()) for cls in CELLS.values())
    titles = [case.title for case in CASES]
    recurrent, controlled = titles[: cells * 2 * 3 * 2], titles[cells * 2 * 3 * 2 :]
    assert len(set(titles)) == len(titles) == len(recurrent) + len(CONTROLLED) * 2
    pairs = {(title.split(",")[0], *title.split(", ")[-2:]) for title in recurrent}
    assert len(pairs) == cells * 2 * 2  # of each cell, masked or not, with both initial states
    assert recurrent[0] == "rnn tanh, 1 layer, 5 tokens, learned embedding, full, zeros state"
    assert recurrent[-1] == "gru, 2 layers, 5 tokens, one_hot embedding, masked, zeros state"
    # of each two of embedding, mask and state every pair
    found = [("".join(parts[-4:-2]), *parts[-2:]) for parts in (title.split(", ") for title in controlled)]
    assert [len({case[:2] for case in found}), len({case[1:] for case in found})] == [3 * 2, 2 * 2]
    assert len({case[::2] for case in found}) == 3 * 2
    assert {title.split()[0] for title in controlled} == {"conv1d", "none"}
    assert {title.split(",")[0].split()[1] for title in controlled} == {"relu", "tanh", "sigmoid"}
    expected = "conv1d tanh, kernel 2, dilation 2, 2 layers, 5 tokens, one_hot embedding, full, given state"
    assert expected in controlled


@pytest.mark.parametrize(
    ("kind", "tokens", "folded"), [("learned", 5, False), ("learned", 3, True), ("one_hot", 5, True)]
)
def test_the_cases_read_ids_in_every_way_there_is(kind, tokens, folded, monkeypatch):
    """A sum over tokens that is one percent off shows where one is made, and elsewhere in the table alone."""
    spec = LanguageModelSpec(EmbeddingSpec(kind, 3), cell=GRUCell(), hidden_size=3, num_layers=1)
    x = LanguageModel(spec, tokens, rng=None).embed(np.zeros((4, 2), int))
    assert isinstance(x, Lookup) == folded
    assert any(f"{tokens} tokens, {kind} embedding" in case.title for case in CASES)

    def off(sums, d, ids):
        add_by_id(sums, 1.01 * d, ids)

    add_by_id = embedding.add_by_id
    for module in (embedding, input_product):
        monkeypatch.setattr(module, "add_by_id", off)
    report = compare(language_model_case(spec, tokens, title="", masked=True, random_seed=1))
    wrong = {entry.name for entry in report if entry.error > 1e-3}
    ways = {("learned", False): {"embedding.weight"}, ("one_hot", True): {"recurrent.0.weight_ih"}}
    both = {"embedding.weight", "recurrent.0.weight_ih", "recurrent.0.bias"}
    assert wrong == ways.get((kind, folded), both)


def test_a_case_has_the_weights_the_inputs_and_the_initial_states():
    model = LanguageModel(SPEC, 5, rng=None)
    case = language_model_case(SPEC, 5, title="", masked=False, random_seed=1)
    shapes = {name: value.shape for name, value in case.values.items()}
    assert shapes.pop("inputs") == (3, 4, 2)
    assert [shapes.pop(f"state.{layer}") for layer in (0, 1)] == [(2, 3, 2)] * 2
    assert shapes == {name: parameter.value.shape for name, parameter in model.parameters().items()}
    assert {array.dtype for array in (*case.values.values(), *case.grads.values())} == {np.dtype(np.float64)}


@pytest.mark.parametrize(
    ("kind", "fresh"), [("learned", False), ("learned", True), ("one_hot", False), ("one_hot", True)]
)
def test_a_case_of_a_control_has_the_states_of_layers_that_have_one(kind, fresh):
    spec = LanguageModelSpec(EmbeddingSpec(kind, 3), cell=WindowedMLP(window=3), hidden_size=4, num_layers=2)
    case = language_model_case(spec, 5, title="", masked=True, fresh=fresh, random_seed=1)
    states = {name: value.shape for name, value in case.values.items() if "state" in name}
    assert states == ({} if fresh else {"state.0": (2, 3 if kind == "learned" else 5, 2)})
    assert case.grads.keys() == case.values.keys()
    assert not case.grads["inputs"][:, 2:, 1].any()


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize(("kind", "tokens"), [("learned", 5), ("learned", 3), ("one_hot", 5)])
def test_the_cases_of_controls_read_ids_in_every_way_there_is(kind, tokens, fresh, monkeypatch):
    spec = LanguageModelSpec(EmbeddingSpec(kind, 3), cell=Conv1d(activation="tanh"), hidden_size=3, num_layers=1)

    def off(sums, d, ids):
        add_by_id(sums, 1.01 * d, ids)

    add_by_id = embedding.add_by_id
    for module in (embedding, convolution):
        monkeypatch.setattr(module, "add_by_id", off)
    report = compare(language_model_case(spec, tokens, title="", masked=True, fresh=fresh, random_seed=1))
    wrong = {entry.name for entry in report if entry.error > 1e-3}
    ways = {("learned", 5): {"embedding.weight"}, ("one_hot", 5): {"convolution.0.weight"}}
    assert wrong == ways.get((kind, tokens), {"embedding.weight", "convolution.0.weight"})


def test_a_learned_initial_state_takes_the_place_of_a_given_one():
    spec = LanguageModelSpec(
        EmbeddingSpec("one_hot"), cell=GRUCell(), hidden_size=3, num_layers=1, initial_state="learned"
    )
    case = language_model_case(spec, 5, title="", masked=False, random_seed=1)
    assert case.values["recurrent.0.initial_state"].all()  # at zero, some gradients would vanish
    assert case.grads["recurrent.0.initial_state"].any()
    assert "state.0" not in case.values
    assert case.values["inputs"].shape == (5, 4, 2)
    assert case.grads["inputs"].all()  # at a one-hot vector, too, every number counts


def test_padding_has_no_gradient():
    for spec in (SPEC, LanguageModelSpec(EmbeddingSpec("one_hot"), cell=RNNCell(), hidden_size=3, num_layers=1)):
        case = language_model_case(spec, 5, title="", masked=True, random_seed=1)
        assert not case.grads["inputs"][:, 2:, 1].any()
        assert case.grads["inputs"][:, :2, 1].any(axis=0).all()
        assert case.grads["inputs"][:, :, 0].any(axis=0).all()


def test_a_case_is_the_same_each_time_also_with_dropout():
    spec = LanguageModelSpec(EmbeddingSpec(size=3), hidden_size=6, dropout=0.5, recurrent_dropout=0.5)
    one, two = (language_model_case(spec, 5, title="", masked=True, random_seed=1) for _ in range(2))
    assert one.loss() == one.loss() == two.loss()
    assert all(one.grads[name].tobytes() == two.grads[name].tobytes() for name in one.grads)
    assert one.loss() != language_model_case(spec, 5, title="", masked=True, random_seed=2).loss()
    assert max(entry.error for entry in compare(one)) < TOLERANCE


def test_checking_leaves_the_case_as_it_was():
    case = CASES[0]
    before = {name: value.copy() for name, value in case.values.items()}
    compare(case, limit=2, rng=np.random.default_rng(0))
    assert all((case.values[name] == value).all() for name, value in before.items())


def test_cases_come_one_at_a_time():
    assert len(list(islice(language_model_cases(3), 2))) == 2
