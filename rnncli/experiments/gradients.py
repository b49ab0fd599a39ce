"""Gradients of models held against finite differences."""

from collections.abc import Iterable, Iterator
from itertools import chain

import numpy as np

from rnncli.models.classifier_gradient_cases import sequence_classifier_cases
from rnncli.models.conditioned_gradient_cases import conditioned_language_model_cases
from rnncli.models.encoder_decoder_gradient_cases import encoder_decoder_cases
from rnncli.models.gradient_cases import GradientCase, language_model_cases
from rnncli.models.recurrence_gradient_cases import recurrence_cases
from rnncli.models.tagger_gradient_cases import sequence_tagger_cases
from rnncli.nn.gradient_check import GradientError, compare_gradients
from rnncli.nn.parameter import Array
from rnncli.tasks import Task

HARDEST = ("weight_hh", "convolution.0.weight", "hidden.0.weight")
"""How the names of the weights end whose gradients come the longest way: back through time, or through all layers."""


def check_gradients(
    cases: Iterable[GradientCase], *, epsilon: float, limit: int | None = None, inject_error: str | None = None
) -> Iterator[tuple[str, list[GradientError]]]:
    """Compare analytic and numeric gradients of each case, in float64.

    With a `limit`, that many elements of each larger array are drawn. `inject_error` names an array ("" is the first
    recurrent weight of the first case, or that of its lowest layer) whose largest gradient is put wrong by 1 % in every
    case that has it, to see the check catch it; that element is always checked.
    """
    wanted = inject_error
    for case in cases:
        if wanted == "":
            wanted = next(name for name in case.grads if name.endswith(HARDEST))
        place = _largest(case.grads[wanted]) if wanted in case.grads else None
        if wanted and place is not None:
            case.grads[wanted][place] *= 1.01
        rng = np.random.default_rng(0)
        errors = compare_gradients(case.loss, case.values, case.grads, epsilon=epsilon, limit=limit, rng=rng)
        if place is not None:
            errors = [_checked_at(place, case, error, epsilon) if error.name == wanted else error for error in errors]
        yield case.title, errors


def _largest(gradient: Array) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(np.abs(gradient).argmax(), gradient.shape))


def _checked_at(place: tuple[int, ...], case: GradientCase, drawn: GradientError, epsilon: float) -> GradientError:
    """Return the worst error of the elements that were drawn and of the one at `place`, which perhaps was not."""
    if drawn.where == place or drawn.checked == case.values[drawn.name].size:
        return drawn
    element = tuple(slice(i, i + 1) for i in place)
    value, gradient = {"": case.values[drawn.name][element]}, {"": case.grads[drawn.name][element]}
    (found,) = compare_gradients(case.loss, value, gradient, epsilon=epsilon)
    checked = drawn.checked + 1
    if found.error > drawn.error:
        return found._replace(name=drawn.name, where=place, checked=checked)
    return drawn._replace(checked=checked)


def gradient_cases(task: Task | None, random_seed: int) -> Iterator[GradientCase]:
    """Return the cases of every architecture, or those of one spec's model, at its own size."""
    if task is not None:
        return task.gradient_cases(random_seed)
    cases = (
        language_model_cases,
        conditioned_language_model_cases,
        sequence_classifier_cases,
        sequence_tagger_cases,
        encoder_decoder_cases,
        recurrence_cases,
    )
    return chain.from_iterable(each(random_seed) for each in cases)
