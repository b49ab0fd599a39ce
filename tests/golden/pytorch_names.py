"""PyTorch's layout and names beside ours."""

import numpy as np


def feature_major(batch_major):
    """(T, B, F) → (F, T, B)."""
    return batch_major.transpose(2, 0, 1)


def by_our_names(cell, layers, arrays, *, are_gradients=False, bidirectional=False):
    """PyTorch's parameters under our names.

    Our bias is the sum of PyTorch's two, and its gradient that of either, but where the recurrent product of a gate is
    kept apart.
    """
    directions = {".forward": "", ".backward": "_reverse"} if bidirectional else {"": ""}
    named = {}
    for layer in range(layers):
        for direction, suffix in directions.items():
            theirs = f"l{layer}{suffix}"
            ih, hh = arrays[f"bias_ih_{theirs}"], arrays[f"bias_hh_{theirs}"]
            joint = len(ih) - len(ih) // len(cell.gates) * len(cell.apart)
            bias = ih.copy()
            if not are_gradients:
                bias[:joint] += hh[:joint]
            ours = {
                "weight_ih": arrays[f"weight_ih_{theirs}"],
                "weight_hh": arrays[f"weight_hh_{theirs}"],
                "bias": bias,
                "bias_hh": hh[joint:],
            }
            named |= {f"{layer}{direction}.{name}": array for name, array in ours.items() if array.size}
    return named


def assert_close(actual, expected, what):
    np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-9, err_msg=what, strict=True)
