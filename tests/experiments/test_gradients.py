import numpy as np
import pytest

from rnncli import experiments
from rnncli.models.classifier_gradient_cases import sequence_classifier_cases
from rnncli.models.conditioned_gradient_cases import conditioned_language_model_cases
from rnncli.models.embedding_spec import EmbeddingSpec
from rnncli.models.encoder_decoder_gradient_cases import encoder_decoder_cases
from rnncli.models.gradient_cases import language_model_cases
from rnncli.models.recurrence_gradient_cases import recurrence_cases
from rnncli.models.sequence_classifier import SequenceClassifierSpec
from rnncli.models.tagger_gradient_cases import sequence_tagger_cases
from rnncli.tasks import ClassificationTask
from tests.tasks.tiny_runs import tiny_task

TOLERANCE = 1e-6


def test_an_injected_error_is_caught_in_every_case_that_has_the_array():
    cases = list(language_model_cases(0))[:2]
    (_, clean), *_ = experiments.check_gradients(cases, epsilon=1e-5)
    assert max(entry.error for entry in clean) < TOLERANCE
    for title, report in experiments.check_gradients(cases, epsilon=1e-5, inject_error=""):
        assert {entry.name for entry in report if entry.error > TOLERANCE} == {"recurrent.0.weight_hh"}, title
    found = list(experiments.check_gradients(list(language_model_cases(0))[:2], epsilon=1e-5, inject_error="state.0"))
    wrong = [{entry.name for entry in report if entry.error > TOLERANCE} for _, report in found]
    assert wrong == [{"state.0"}, set()]  # a learned initial state leaves no given one


@pytest.mark.parametrize("both", [False, True])
def test_an_injected_error_is_caught_among_drawn_elements(both):
    spec = SequenceClassifierSpec(hidden_size=16, bidirectional=both, embedding=EmbeddingSpec(size=4))
    cases = ClassificationTask(model=spec).gradient_cases(0)
    name = "recurrent.0.forward.weight_hh" if both else "recurrent.0.weight_hh"
    for title, report in experiments.check_gradients(cases, epsilon=1e-5, limit=6, inject_error=""):
        wrong = {entry.name: entry for entry in report if entry.error > TOLERANCE}
        assert wrong.keys() == {name}, title
        assert wrong[name].analytic == pytest.approx(1.01 * wrong[name].numeric, rel=1e-5)
        assert wrong[name].error == pytest.approx(0.01 / 1.01, rel=1e-3)
        assert wrong[name].checked in (6, 7)
    (case, _), (again, _) = (
        ClassificationTask(model=spec).gradient_cases(0),
        ClassificationTask(model=spec).gradient_cases(0),
    )
    ((_, report),) = experiments.check_gradients([case], epsilon=1e-5, limit=6, inject_error="")
    where = next(entry.where for entry in report if entry.name == name)
    assert where == np.unravel_index(np.abs(again.grads[name]).argmax(), again.grads[name].shape)


def test_the_cases_are_every_architecture_or_that_of_a_spec():
    every = [case.title for case in experiments.gradient_cases(None, 0)]
    of_each = (
        language_model_cases,
        conditioned_language_model_cases,
        sequence_classifier_cases,
        sequence_tagger_cases,
        encoder_decoder_cases,
        recurrence_cases,
    )
    assert every == [case.title for cases in of_each for case in cases(0)]
    assert len(set(every)) == len(every)
    task = tiny_task(cell="gru", model={"embedding": EmbeddingSpec(size=5), "dropout": 0.5, "hidden_size": 7})
    cases = list(experiments.gradient_cases(task, 0))
    assert [case.title for case in cases] == ["gru, full", "gru, masked"]
    assert cases[0].values["recurrent.0.weight_ih"].shape == (21, 5)
    for _, report in experiments.check_gradients(cases, epsilon=1e-5, limit=6):
        assert max(entry.error for entry in report) < TOLERANCE
        assert max(entry.checked for entry in report) == 6
