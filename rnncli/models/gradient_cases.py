"""Small models, batches and states on which gradients are checked: every architecture, or one spec's own."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np

from rnncli.models.embedding_spec import EmbeddingSpec
from rnncli.models.language_model import LanguageModel, LanguageModelSpec
from rnncli.models.stack_spec import AnyControl, Conv1d, WindowedMLP
from rnncli.nn.cells import CELLS, AnyCell
from rnncli.nn.parameter import Array, Parameters, pack, trained
from rnncli.nn.protocols import Loss, SequenceLayer, State

CONTROLLED: tuple[tuple[AnyControl, int], ...] = (
    (Conv1d(), 1),
    (Conv1d(kernel_size=2, dilation=2, activation="tanh"), 2),
    (WindowedMLP(window=3), 2),
    (Conv1d(dilation=2, activation="sigmoid"), 2),
    (WindowedMLP(window=2, activation="relu"), 1),
)
"""Controls, and in how many layers."""


@dataclass(frozen=True)
class GradientCase:
    """A loss, the arrays that it depends on, and their analytic gradients: weights, inputs and initial states."""

    title: str
    loss: Callable[[], float]
    values: dict[str, Array]
    grads: dict[str, Array]


def draw_initial_states(parameters: Parameters, rng: np.random.Generator) -> None:
    """Move learned initial states away from zero, where they begin and half of the terms of their gradient vanish.

    Frozen parameters, which are zeros until somebody sets them, are drawn as well.
    """
    for name, parameter in parameters.items():
        if name.endswith("initial_state") or parameter.frozen:
            parameter.value[:] = rng.standard_normal(parameter.value.shape)


def draw_state(layers: Iterable[SequenceLayer], batch_size: int, rng: np.random.Generator) -> State:
    """Return a state of each layer."""
    return [rng.standard_normal((*layer.state_shape, batch_size)) for layer in layers]


def gradient_case(
    title: str, model: Any, batch: Any, state: State | None, inputs: Array, random_seed: int, *, reads_ids: bool
) -> GradientCase:
    """Return the case of a model on a batch, from a state of every layer that has one, unless it learns its own.

    It is run on `inputs`, vectors (E, T, B) for the first layer to read, and again on the batch's own where these are
    ids; the losses are added, so that a lookup and the product that it replaces are both checked. Dropout draws the
    same units each time. Where the batch has a `condition`, its gradient is checked, too.
    """
    parameters = trained(model.parameters())
    flat = pack(parameters)
    condition = {} if getattr(batch, "condition", None) is None else {"condition": batch.condition}

    def run(*, backward: bool) -> Loss:
        total = Loss(0.0, 0)
        for own in (False, True) if reads_ids else (False,):
            rng = np.random.default_rng(random_seed)
            loss, _, cache = model.loss(batch, state, rng) if own else model.loss_from(inputs, batch, state, rng)
            total = total.plus(loss)
            if backward:
                d_x, d_state = model.backward(cache)
                if not own and d_x is not None:
                    grads["inputs"] = d_x
                found = states(d_state if state else [])
                if condition:
                    found["condition"] = cache.stack.vector.grad
                for name, gradient in found.items():
                    grads[name] = grads[name] + gradient if name in grads else gradient
        return total

    values = {name: parameter.value for name, parameter in parameters.items()} | {"inputs": inputs}
    values |= states(state or []) | condition
    grads: dict[str, Array] = {}
    flat.grads[:] = 0
    run(backward=True)
    grads |= {name: parameter.grad for name, parameter in parameters.items()}
    return GradientCase(title, lambda: run(backward=False).sum, values, grads)


def states(state: State) -> dict[str, Array]:
    """Return the states of the layers that have one as `state.0`, …"""
    return {f"state.{layer}": array for layer, array in enumerate(state) if array.size}


def title_of(cell: AnyCell | AnyControl, layers: int) -> str:
    """Return `rnn tanh, 1 layer`, or `conv1d relu, kernel 3, dilation 2, 2 layers`."""
    parts = [f"{cell.name} {getattr(cell, 'activation', '')}".strip()]
    if isinstance(cell, Conv1d):
        parts += [f"kernel {cell.kernel_size}", f"dilation {cell.dilation}"]
    elif isinstance(cell, WindowedMLP):
        parts += [f"window {cell.window}"]
    return ", ".join((*parts, f"{layers} layer{'s' * (layers > 1)}"))


def language_model_case(
    spec: LanguageModelSpec,
    vocabulary_size: int,
    *,
    condition_size: int = 0,
    title: str,
    masked: bool,
    fresh: bool = False,
    random_seed: int,
) -> GradientCase:
    """Build that model in float64 with a batch of 2 sequences of 4 steps, the second of 2 where `masked`.

    Dropout draws the same units each time. `inputs` are vectors (E, T, B) for the first layer to read, and
    `state.l` (S, F, B) the state of layer l before the first step, unless the model learns its initial state, or begins
    with a `fresh` one, as it does where a condition makes it. The `condition` of a conditioned model is (C, B).
    """
    T, B, V, C = 4, 2, vocabulary_size, condition_size
    rng = np.random.default_rng(random_seed)
    model = LanguageModel(spec, V, condition_size=C, rng=rng, dtype=np.float64)
    draw_initial_states(model.parameters(), rng)
    ids, targets = rng.integers(V, size=(2, T, B))
    mask = np.arange(T)[:, None] < np.array([T, T - 2]) if masked else None
    batch = SimpleNamespace(inputs=ids, targets=targets, mask=mask)
    if C:
        batch.condition = rng.standard_normal((C, B))
        fresh = fresh or spec.condition != "bias"
    state = None
    if spec.initial_state == "zeros" and not fresh:
        state = draw_state(model.stack.layers, B, rng)
    inputs = rng.standard_normal((model.embedding.size if model.embedding else V, T, B))
    return gradient_case(title, model, batch, state, inputs, random_seed, reads_ids=True)


def language_model_cases(random_seed: int) -> Iterator[GradientCase]:
    """Every cell x 1 and 2 layers x embedding and tokens x masked or not, on tiny models; initial states in turn.

    Of controls, which have no gates, only masked or not; embeddings, and states given or fresh, in turn.
    """
    cells: list[AnyCell] = [cell for cls in CELLS.values() for cell in cls.variants()]
    # Of 3 tokens the embedding is folded into the first layer, of 5 it is not
    embeddings: tuple[tuple[Literal["learned", "one_hot"], int], ...] = (("learned", 5), ("learned", 3), ("one_hot", 5))
    initial: tuple[Literal["zeros", "learned"], ...] = ("zeros", "learned")
    combinations = product(cells, (1, 2), embeddings, (False, True))
    for number, (cell, layers, (kind, V), masked) in enumerate(combinations):
        start = initial[(number + number // 2) % 2]
        spec = LanguageModelSpec(
            embedding=EmbeddingSpec(kind, 3), cell=cell, hidden_size=3, num_layers=layers, initial_state=start
        )
        title = f"{_title(spec, V)}, {'masked' if masked else 'full'}, {start} state"
        yield language_model_case(spec, V, title=title, masked=masked, random_seed=random_seed)
    for number, ((control, layers), masked) in enumerate(product(CONTROLLED, (False, True))):
        (kind, V), fresh = embeddings[number % 3], (number + number // 2) % 2 == 0
        spec = LanguageModelSpec(embedding=EmbeddingSpec(kind, 3), cell=control, hidden_size=3, num_layers=layers)
        title = f"{_title(spec, V)}, {'masked' if masked else 'full'}, {'fresh' if fresh else 'given'} state"
        yield language_model_case(spec, V, title=title, masked=masked, fresh=fresh, random_seed=random_seed)


def _title(spec: LanguageModelSpec, vocabulary_size: int) -> str:
    return f"{title_of(spec.cell, spec.num_layers)}, {vocabulary_size} tokens, {spec.embedding.kind} embedding"
