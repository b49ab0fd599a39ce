"""A plain loop of every cell, batch-major and with a product for each gate, as lecture notes write it."""

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def gate_weights(weights, gate):
    """W_X (d, units), W_A (units, units) and b_A (units,) of one gate."""
    units = weights["weight_hh"].shape[1]
    rows = slice(gate * units, (gate + 1) * units)
    b_A = weights["bias"][rows] if "bias" in weights else np.zeros(units)
    return weights["weight_ih"][rows].T, weights["weight_hh"][rows].T, b_A


def rnn_step(cell, weights, X_t, state, kept):
    """A_t = g(X_t W_X + A_{t-1} W_A + b_A)."""
    W_X, W_A, b_A = gate_weights(weights, 0)
    g = {"tanh": np.tanh, "relu": lambda z: z * (z.real > 0), "sigmoid": sigmoid}[cell.activation]
    (A,) = state
    return [g(X_t @ W_X + (A * kept) @ W_A + b_A)]


def lstm_step(cell, weights, X_t, state, kept):
    """c_t = f c_{t-1} + i g and h_t = o tanh c_t."""
    h, c = state
    gates = (gate_weights(weights, gate) for gate in range(4))
    i, f, g, o = (X_t @ W_X + (h * kept) @ W_A + b_A for W_X, W_A, b_A in gates)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return [sigmoid(o) * np.tanh(c), c]


def gru_step(cell, weights, X_t, state, kept):
    """h_t = (1 - z) n + z h_{t-1}, the reset gate acting on the recurrent product."""
    (R_X, R_A, r_b), (Z_X, Z_A, z_b), (N_X, N_A, n_b) = (gate_weights(weights, gate) for gate in range(3))
    (h,) = state
    r = sigmoid(X_t @ R_X + (h * kept) @ R_A + r_b)
    z = sigmoid(X_t @ Z_X + (h * kept) @ Z_A + z_b)
    n = np.tanh(X_t @ N_X + n_b + r * ((h * kept) @ N_A + weights.get("bias_hh", 0)))
    return [(1 - z) * n + z * h]


STEPS = {"rnn": rnn_step, "lstm": lstm_step, "gru": gru_step}


def plain_loop(cell, weights, x, state, kept=1.0, mask=None):
    """Run x (D, T, B) step by step; the outputs (H, T, B) and the state (S, H, B). Complex numbers pass through."""
    state, outputs = [s.T for s in state], []
    for t, X_t in enumerate(x.transpose(1, 2, 0)):
        after = STEPS[cell.name](cell, weights, X_t, state, kept)
        if mask is not None:
            after = [np.where(mask[t][:, None], new, old) for new, old in zip(after, state, strict=True)]
        state = after
        outputs.append(state[0].T)
    return np.stack(outputs, axis=1), np.stack([s.T for s in state])
