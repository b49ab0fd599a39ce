from itertools import islice

import numpy as np
import pytest

from rnncli.experiments import check_gradients
from rnncli.models.gradient_cases import language_model_case, language_model_cases
from rnncli.models.language_model import EmbeddingSpec, LanguageModel, LanguageModelSpec
from rnncli.nn.cells import CELLS, GRUCell, LSTMCell, RNNCell
from rnncli.nn.gradient_check import compare_gradients

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
    assert len({case.title for case in CASES}) == len(CASES) == cells * 2**4
    assert CASES[0].title == "rnn tanh, 1 layer, learned embedding, full, zeros state"
    assert CASES[-1].title == "gru, 2 layers, one_hot embedding, masked, learned state"


def test_a_case_has_the_weights_the_inputs_and_the_initial_states():
    model = LanguageModel(SPEC, 5, rng=None)
    case = language_model_case(SPEC, 5, title="", masked=False, random_seed=1)
    shapes = {name: value.shape for name, value in case.values.items()}
    assert shapes.pop("inputs") == (4, 3, 2)
    assert [shapes.pop(f"state.{layer}") for layer in (0, 1)] == [(2, 3, 2)] * 2
    assert shapes == {name: parameter.value.shape for name, parameter in model.parameters().items()}
    assert {array.dtype for array in (*case.values.values(), *case.grads.values())} == {np.dtype(np.float64)}


def test_a_learned_initial_state_takes_the_place_of_a_given_one():
    spec = LanguageModelSpec(
        EmbeddingSpec("one_hot"), cell=GRUCell(), hidden_size=3, num_layers=1, initial_state="learned"
    )
    case = language_model_case(spec, 5, title="", masked=False, random_seed=1)
    assert case.values["recurrent.0.initial_state"].all()  # at zero, some gradients would vanish
    assert case.grads["recurrent.0.initial_state"].any()
    assert "state.0" not in case.values
    assert case.values["inputs"].shape == (4, 5, 2)
    assert (case.values["inputs"].sum(axis=1) == 1).all()


def test_padding_has_no_gradient():
    for spec in (SPEC, LanguageModelSpec(EmbeddingSpec("one_hot"), cell=RNNCell(), hidden_size=3, num_layers=1)):
        case = language_model_case(spec, 5, title="", masked=True, random_seed=1)
        assert not case.grads["inputs"][2:, :, 1].any()
        assert case.grads["inputs"][:2, :, 1].any(axis=1).all()
        assert case.grads["inputs"][:, :, 0].any(axis=1).all()


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
