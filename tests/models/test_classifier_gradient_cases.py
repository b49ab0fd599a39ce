import numpy as np
import pytest

from rnncli.models.classifier_gradient_cases import sequence_classifier_cases
from rnncli.models.gradient_cases import CONTROLLED
from rnncli.nn.cells import CELLS
from rnncli.nn.gradient_check import compare_gradients
from rnncli.nn.layers.readouts import READOUTS

TOLERANCE = 1e-6
CASES = list(sequence_classifier_cases(0))
CONTROLS = [case for case in CASES if not case.title.startswith(tuple(CELLS))]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_every_case_passes(case):
    report = compare_gradients(case.loss, case.values, case.grads, limit=5, rng=np.random.default_rng(1))
    assert {entry.name for entry in report} == case.values.keys() == case.grads.keys()
    for entry in report:
        assert entry.error < TOLERANCE, entry


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_every_element_of_every_case_passes_from_other_beginnings(seed):
    for case in sequence_classifier_cases(seed):
        worst = max(compare_gradients(case.loss, case.values, case.grads), key=lambda entry: entry.error)
        assert worst.error < TOLERANCE, (case.title, worst)


@pytest.mark.parametrize("case", CONTROLS[::2], ids=lambda case: case.title)
def test_an_error_in_any_array_is_caught(case):
    for name in [name for name, grads in case.grads.items() if np.abs(grads).max() > 1e-3]:
        wrong = {name: case.grads[name].copy()}
        where = np.unravel_index(np.abs(wrong[name]).argmax(), wrong[name].shape)
        wrong[name][where] *= 1.01
        (entry,) = compare_gradients(case.loss, {name: case.values[name]}, wrong)
        assert entry.where == tuple(where)
        assert entry.error == pytest.approx(0.01 / 1.01, rel=1e-3)


def test_the_cases_are_every_cell_with_every_readout_and_every_control_both_ways():
    titles = [case.title for case in CASES]
    assert len(set(titles)) == len(titles) == sum(len(cls.variants()) for cls in CELLS.values()) * len(READOUTS) + 10
    assert titles[0] == "rnn tanh, 1 layer, both directions, last, softmax, vectors, full, learned state"
    controls = [case.title.split(", ") for case in CONTROLS]
    ways = {(*parts[:-7], parts[-6]) for parts in controls}
    assert len(ways) == len(CONTROLLED) * 2  # of each the windows centred and not
    for place, values in (
        (-5, {*READOUTS}),
        (-4, {"softmax", "sigmoid", "linear"}),
        (-3, {"vectors", "5 tokens", "3 tokens", "5 one-hot tokens"}),
        (-2, {"full", "masked"}),
    ):
        assert {parts[place] for parts in controls} == values
    both = {(parts[-6], parts[-2]) for parts in controls}
    assert both == {(way, mask) for way in ("causal", "centred") for mask in ("full", "masked")}


def test_only_causal_windows_have_a_state():
    for case in CONTROLS:
        assert any(name.startswith("state.") for name in case.values) == ("causal" in case.title), case.title
        assert "convolution.0.weight" in case.values


def test_only_tokens_that_are_not_one_hot_have_an_embedding():
    for case in CASES:
        learned = "tokens" in case.title and "one-hot" not in case.title
        assert ("embedding.weight" in case.values) == learned, case.title


def test_padding_has_no_gradient():
    for case in CASES:
        if "masked" in case.title:
            assert not case.grads["inputs"][:, 2:, 1].any(), case.title
            assert not case.grads["inputs"][:, 1:, 2].any(), case.title
            assert case.grads["inputs"][..., 0].any(), case.title
