"""The contracts of cells, layers and models: read this first.

Every pass is explicit: `forward` returns its output and a cache, `backward` takes the gradient of the output and that
cache. Objects hold parameters and nothing else, so two forward passes never disturb each other, and the hidden state
is an argument and a result, never a member.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

from rnncli.nn.parameter import Array, Parameters


class Cell(Protocol):
    """The elementwise maths of one time step; `Recurrent` does every matrix product around it.

    `gates` names the k blocks of H rows in the weights, `states` the S states (the first is the output). The recurrent
    product of a gate listed in `apart` (the last of `gates`) is not added to its input product: it arrives in the
    first blocks of `saved`, which also keeps whatever else `backward` needs, one block for each name. `passes_hidden`
    tells whether h' depends on h in any other way than through the recurrent product. Pre-activations arrive multiplied
    by `scales`, one for each gate: with ½ for a sigmoid, one tanh serves all gates, since σ(z) = ½ + ½ tanh(z/2).
    """

    gates: ClassVar[tuple[str, ...]]
    states: ClassVar[tuple[str, ...]]
    saved: ClassVar[tuple[str, ...]]
    apart: ClassVar[tuple[str, ...]]
    passes_hidden: ClassVar[bool]
    scales: ClassVar[tuple[float, ...]]

    @classmethod
    def variants(cls) -> list[Self]:
        """Return one instance for each choice that changes the equations: what the gradient check runs over."""
        ...

    def initialize_bias(self, bias: Array) -> None:
        """Change the initial bias (k, H) in place where the cell wants it so."""
        ...

    def forward(
        self, a: Array, gates: Array, state_prev: Sequence[Array], state: Sequence[Array], saved: Array
    ) -> None:
        """From pre-activations `a` (k, H, B), which it uses up, fill `gates` (k, H, B) and `state`, S arrays (H, B)."""
        ...

    def backward(
        self,
        d_state: Array,
        gates: Array,
        state_prev: Sequence[Array],
        state: Sequence[Array],
        saved: Array,
        d_gates: Array,
        d_apart: Array,
        scratch: Array,
    ) -> None:
        """Fill `d_gates` (k, H, B) and `d_apart`; make of `d_state` (S, H, B) its elementwise part for the step before.

        Of the hidden state that part is read only if the cell `passes_hidden`. `scratch` (k, H, B) is room to work in.
        """
        ...


class SequenceLayer(Protocol):
    """A layer over sequences with a state: x (D, T, B) in, y (H, T, B) out; of a state, S arrays (F, B).

    Padding, where the mask (T, B) is False, holds the state still and changes nothing, whatever finite numbers stand
    there: y repeats a recurrent state and is zero above a convolution, and x gets no gradient.
    """

    @property
    def output_size(self) -> int:
        """H: rows of what `forward` returns."""
        ...

    @property
    def state_shape(self) -> tuple[int, int]:
        """S and F of a state: those of the hidden state, or of the inputs that later steps read again."""
        ...

    def parameters(self) -> Parameters:
        """Return every parameter by name."""
        ...

    def forward(self, x: Any, state: Array | None, mask: Array | None, rng: Any) -> tuple[Array, Array, Any]:
        """Return y, the state after the last step (S, F, B) and the cache; x may be a lookup of token ids.

        `state` None begins as the layer itself does; `rng` draws dropout, None evaluates.
        """
        ...

    def backward(self, d_y: Array, cache: Any, d_state: Array | None) -> tuple[Array | None, Array]:
        """Add to the gradient of every parameter; return ∂L/∂x and ∂L/∂state of the state before the first step.

        `d_state` is the gradient of the state after the last step, None for none; ∂L/∂x of a lookup is that of its
        vectors, None for one-hot ones.
        """
        ...


class Readout(Protocol):
    """What makes one vector of each sequence's outputs over time; padding counts for nothing, whatever stands there.

    y (F, T, B), mask (T, B). A sequence without any real step reads as zeros, and gives no gradient.
    """

    def parameters(self) -> Parameters:
        """Return every parameter by name."""
        ...

    def forward(self, y: Array, mask: Array | None) -> tuple[Array, Any]:
        """Return the vectors (F, B) and the cache."""
        ...

    def backward(self, d_vector: Array, cache: Any) -> Array:
        """Add to the gradient of every parameter; return ∂L/∂y (F, T, B), zero at padding."""
        ...


@dataclass(frozen=True)
class Loss:
    """A loss summed over `count` predictions; kept apart so that means over ragged batches are right.

    Cross-entropies are in nats, squared errors in the square of the targets' unit.
    """

    sum: float
    count: int

    @property
    def mean(self) -> float:
        """The loss of a prediction; NaN for none."""
        return self.sum / self.count if self.count else float("nan")

    def plus(self, other: "Loss") -> "Loss":
        """Return the loss of both sets of predictions together."""
        return Loss(self.sum + other.sum, self.count + other.count)


State = list[Array]
"""The state of a stack: for each layer an array (S, F, B)."""


class SupportsBatch(Protocol):
    """What a model reads of a batch: token ids (T, B), target ids (T, B), and mask (T, B), True for real tokens."""

    @property
    def inputs(self) -> Array: ...  # noqa: D102
    @property
    def targets(self) -> Array: ...  # noqa: D102
    @property
    def mask(self) -> Array | None: ...  # noqa: D102


class SupportsLabelledBatch(SupportsBatch, Protocol):
    """The same of labelled sequences: inputs are ids (T, B) or vectors (D, T, B), targets class ids (B,) or (K, B)."""

    @property
    def weights(self) -> Array | None:
        """What each sequence's loss is multiplied by, (B,)."""
        ...


class Model(Protocol):
    """What the trainer needs of a model."""

    def parameters(self) -> Parameters:
        """Return every parameter by name."""
        ...

    def loss(self, batch: Any, state: State | None, rng: Any, *, gradient: bool = True) -> tuple[Loss, State, Any]:
        """Return the loss of a batch, the state after it, and the cache; `rng` draws dropout, None evaluates.

        Without `gradient` the cache is of no use to `backward`.
        """
        ...

    def backward(self, cache: Any) -> Any:
        """Add the gradient of the summed loss to every parameter; whoever averages divides the gradients."""
        ...
