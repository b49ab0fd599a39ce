"""Small models, batches and states on which gradients are checked: every architecture, or one spec's own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np

from rnncli.models.embedding_spec import EmbeddingSpec
from rnncli.models.language_model import LanguageModel, LanguageModelSpec
from rnncli.nn.cells import CELLS, AnyCell
from rnncli.nn.parameter import Array, Parameters, pack
from rnncli.nn.protocols import Loss, State


@dataclass(frozen=True)
class GradientCase:
    """A loss, the arrays that it depends on, and their analytic gradients: weights, inputs and initial states."""

    title: str
    loss: Callable[[], float]
    values: dict[str, Array]
    grads: dict[str, Array]


def draw_initial_states(parameters: Parameters, rng: np.random.Generator) -> None:
    """Move learned initial states away from zero, where they begin and half of the terms of their gradient vanish."""
    for name, parameter in parameters.items():
        if name.endswith("initial_state"):
            parameter.value[:] = rng.standard_normal(parameter.value.shape)


def gradient_case(
    title: str, model: Any, batch: Any, state: State | None, inputs: Array, ids: Array | None, random_seed: int
) -> GradientCase:
    """Return the case of a model on a batch, from a state of every layer unless it learns its own.

    It is run on `inputs`, vectors (E, T, B) for the first layer to read, and again on `ids` (T, B) where it reads any;
    the losses are added, so that a lookup and the product that it replaces are both checked. Dropout draws the same
    units each time.
    """
    parameters: Parameters = model.parameters()
    flat = pack(parameters)

    def run(*, backward: bool) -> Loss:
        total = Loss(0.0, 0)
        for source in (None,) if ids is None else (None, ids):
            x = inputs if source is None else model.embed(source)
            loss, _, cache = model.loss_from(x, batch, state, np.random.default_rng(random_seed), ids=source)
            total = total.plus(loss)
            if backward:
                d_x, d_state = model.backward(cache)
                if source is None and d_x is not None:
                    grads["inputs"] = d_x
                for layer, gradient in enumerate(d_state if state else ()):
                    name = f"state.{layer}"
                    grads[name] = grads[name] + gradient if name in grads else gradient
        return total

    values = {name: parameter.value for name, parameter in parameters.items()} | {"inputs": inputs}
    values |= {f"state.{layer}": array for layer, array in enumerate(state or ())}
    grads: dict[str, Array] = {}
    flat.grads[:] = 0
    run(backward=True)
    grads |= {name: parameter.grad for name, parameter in parameters.items()}
    return GradientCase(title, lambda: run(backward=False).sum, values, grads)


def language_model_case(
    spec: LanguageModelSpec, vocabulary_size: int, *, title: str, masked: bool, random_seed: int
) -> GradientCase:
    """Build that model in float64 with a batch of 2 sequences of 4 steps, the second of 2 where `masked`.

    Dropout draws the same units each time. `inputs` are vectors (E, T, B) for the first layer to read, and
    `state.l` (S, H, B) the state of layer l before the first step, unless the model learns its initial state.
    """
    T, B, V, H = 4, 2, vocabulary_size, spec.hidden_size
    rng = np.random.default_rng(random_seed)
    model = LanguageModel(spec, V, rng=rng, dtype=np.float64)
    draw_initial_states(model.parameters(), rng)
    ids, targets = rng.integers(V, size=(2, T, B))
    mask = np.arange(T)[:, None] < np.array([T, T - 2]) if masked else None
    batch = SimpleNamespace(inputs=ids, targets=targets, mask=mask)
    state = None
    if spec.initial_state == "zeros":
        state = [rng.standard_normal((len(spec.cell.states), H, B)) for _ in range(spec.num_layers)]
    inputs = rng.standard_normal((spec.embedding.size if model.embedding else V, T, B))
    return gradient_case(title, model, batch, state, inputs, ids, random_seed)


def language_model_cases(random_seed: int) -> Iterator[GradientCase]:
    """Every cell x 1 and 2 layers x embedding and tokens x masked or not, on tiny models; initial states in turn."""
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
        activation = f" {cell.activation}" if hasattr(cell, "activation") else ""
        title = (
            f"{cell.name}{activation}, {layers} layer{'s' * (layers > 1)}, {V} tokens, {kind} embedding, "
            f"{'masked' if masked else 'full'}, {start} state"
        )
        yield language_model_case(spec, V, title=title, masked=masked, random_seed=random_seed)
