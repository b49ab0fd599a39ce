from itertools import islice

import numpy as np
import pytest

from rnncli.models import condition as ways
from rnncli.models.condition import CONDITIONS
from rnncli.models.conditioned_gradient_cases import conditioned_language_model_cases
from rnncli.models.gradient_cases import language_model_case
from rnncli.models.language_model import EmbeddingSpec, LanguageModel, LanguageModelSpec
from rnncli.nn.cells import CELLS
from rnncli.nn.gradient_check import compare_gradients

TOLERANCE = 1e-6
CASES = list(conditioned_language_model_cases(0))
every_way = pytest.mark.parametrize("way", CONDITIONS)


def tiny(way, **options):
    return LanguageModelSpec(EmbeddingSpec(size=2), condition=way, hidden_size=2, **{"num_layers": 1} | options)


def case_of(way, masked=True, **options):
    return language_model_case(tiny(way, **options), 5, condition_size=3, title="", masked=masked, random_seed=1)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_gradients_of_each_case(case):
    """Of the condition all elements; of larger arrays those that are drawn."""
    own = {name: value for name, value in case.values.items() if name == "condition"}
    others = {name: value for name, value in case.values.items() if name not in own}
    rng = np.random.default_rng(0)
    report = compare_gradients(case.loss, own, case.grads)
    report += compare_gradients(case.loss, others, case.grads, limit=3, rng=rng)
    assert {entry.name for entry in report} >= {"condition", "condition.weight", "inputs", "recurrent.0.weight_hh"}
    for entry in report:
        assert entry.error < TOLERANCE, entry
        assert case.grads[entry.name].any(), f"no gradient reaches {entry.name}"


@every_way
def test_every_element_of_a_case(way):
    case = case_of(way)
    for entry in compare_gradients(case.loss, case.values, case.grads):
        assert entry.error < TOLERANCE, entry
        assert entry.checked == case.values[entry.name].size


def test_every_way_stands_with_every_cell_masked_and_not():
    titles = {case.title for case in CASES}
    assert len(titles) == len(CASES)
    for way in CONDITIONS:
        for cell in (cls.variants()[0] for cls in CELLS.values()):
            name = f"{cell.name} {getattr(cell, 'activation', '')}".strip()
            found = [title for title in titles if title.startswith(name) and f"as {way.replace('_', ' ')}," in title]
            assert {title.rpartition(", ")[2] for title in found} == {"masked", "full"}


@every_way
def test_a_case_has_the_condition_and_a_state_where_the_condition_makes_none(way):
    case = case_of(way, num_layers=2)
    shapes = {name: value.shape for name, value in case.values.items()}
    assert shapes.pop("condition") == (3, 2)
    assert shapes.pop("inputs") == (2, 4, 2)
    states = {name for name in shapes if name.startswith("state")}
    assert states == ({"state.0", "state.1"} if way == "bias" else set())
    model = LanguageModel(tiny(way, num_layers=2), 5, condition_size=3, rng=None)
    assert shapes.keys() - states == model.parameters().keys()
    assert case.grads.keys() == case.values.keys()
    assert not case.grads["inputs"][:, 2:, 1].any()


@every_way
@pytest.mark.parametrize("name", ["condition", "condition.weight", "condition.bias"])
def test_a_gradient_that_is_one_percent_off_is_seen(way, name, monkeypatch):
    if (way, name) == ("bias", "condition.bias"):
        return
    backward = ways.Linear.backward

    def off(self, d_y, x):
        before = self.weight.grad.copy(), None if self.bias is None else self.bias.grad.copy()
        d_x = backward(self, d_y, x)
        if name == "condition":
            return 1.01 * d_x
        parameter, old = (self.weight, before[0]) if name.endswith("weight") else (self.bias, before[1])
        parameter.grad += 0.01 * (parameter.grad - old)
        return d_x

    monkeypatch.setattr(ways.Linear, "backward", off)
    case = case_of(way)
    report = compare_gradients(case.loss, case.values, case.grads)
    assert {entry.name for entry in report if entry.error > 1e-3} == {name}


def test_cases_come_one_at_a_time():
    assert len(list(islice(conditioned_language_model_cases(3), 2))) == 2
