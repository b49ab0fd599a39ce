"""An affine map at every position."""

import numpy as np
from numpy.typing import DTypeLike

from rnncli.nn.initializers import uniform
from rnncli.nn.parameter import Array, Parameter, Parameters


class Linear:
    """y = W x + b over positions: x (D, N), y (V, N), W (V, D), b (V,).

    `weight` may be another layer's parameter of that shape: a tied one, which stays that layer's to name.
    """

    def __init__(
        self,
        input_size: int,
        output_size: int,
        *,
        rng: np.random.Generator | None,
        dtype: DTypeLike,
        bias: bool = True,
        weight: Parameter | None = None,
    ) -> None:
        self.is_tied = weight is not None
        self.weight = weight or uniform(rng, (output_size, input_size), input_size, dtype)
        self.bias = uniform(rng, (output_size,), input_size, dtype) if bias else None

    def parameters(self) -> Parameters:
        """Return weight and bias by name, where they are this layer's own."""
        return ({} if self.is_tied else {"weight": self.weight}) | ({"bias": self.bias} if self.bias else {})

    def forward(self, x: Array) -> tuple[Array, Array]:
        """Return y (V, N) and the cache: x itself."""
        y = self.weight.value @ x
        if self.bias:
            y += self.bias.value[:, None]
        return y, x

    def backward(self, d_y: Array, x: Array) -> Array:
        """∂W += ∂y xᵀ, ∂b += Σₙ ∂y; return ∂x = Wᵀ ∂y of shape (D, N)."""
        self.weight.grad += d_y @ x.T
        if self.bias:
            self.bias.grad += d_y.sum(axis=1)
        return self.weight.value.T @ d_y
