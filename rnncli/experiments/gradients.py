"""Gradients of models held against finite differences."""

from collections.abc import Iterable, Iterator
from itertools import chain

import numpy as np

from rnncli.models.classifier_gradient_cases import sequence_classifier_cases
from rnncli.models.gradient_cases import GradientCase, language_model_cases
from rnncli.nn.gradient_check import GradientError, compare_gradients
from rnncli.tasks import Task


def check_gradients(
    cases: Iterable[GradientCase], *, epsilon: float, limit: int | None = None, inject_error: str | None = None
) -> Iterator[tuple[str, list[GradientError]]]:
    """Compare analytic and numeric gradients of each case, in float64.

    `inject_error` names a parameter ("" is the first recurrent weight) whose largest gradient is put wrong by 1 % in
    every case that has it, to see the check catch it.
    """
    wanted = "recurrent.0.weight_hh" if inject_error == "" else inject_error
    for case in cases:
        if wanted in case.grads:
            gradient = case.grads[wanted].reshape(-1)
            gradient[np.abs(gradient).argmax()] *= 1.01
        rng = np.random.default_rng(0)
        yield case.title, compare_gradients(case.loss, case.values, case.grads, epsilon=epsilon, limit=limit, rng=rng)


def gradient_cases(task: Task | None, random_seed: int) -> Iterator[GradientCase]:
    """Return the cases of every architecture, or those of one spec's model, at its own size."""
    if task is not None:
        return task.gradient_cases(random_seed)
    return chain(language_model_cases(random_seed), sequence_classifier_cases(random_seed))
