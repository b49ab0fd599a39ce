"""The naive yardstick: a character rnn as a first program writes it, after min-char-rnn (Karpathy 2015).

One sequence at a time, dense one-hot vectors, fresh arrays at every step, float64, Adagrad.
"""

from collections.abc import Callable

import numpy as np

from rnncli.benchmarks.serving import serve
from rnncli.benchmarks.workloads import Workload

LEARNING_RATE, CLIP = 0.1, 5.0


def training(work: Workload) -> Callable[[int], float]:
    """Return a function that does a number of updates, on T random characters each, and returns the last one's loss.

    h_t = tanh(W x_t + U h_{t-1} + b),  ŷ_t = softmax(V h_t + c)
    """
    H, T, classes = work.hidden_size, work.length, work.vocabulary_size
    rng = np.random.default_rng(1)
    shapes = {"W": (H, classes), "U": (H, H), "b": (H, 1), "V": (classes, H), "c": (classes, 1)}
    weights = {name: rng.normal(0, 0.01, shape) for name, shape in shapes.items()}
    squares = {name: np.zeros(shape) for name, shape in shapes.items()}
    text = rng.integers(classes, size=20 * T + 1)
    at, h = 0, np.zeros((H, 1))

    def update() -> float:
        nonlocal at, h
        loss = 0.0
        hidden, inputs, outputs = [h], [], []
        for t in range(T):
            x = np.zeros((classes, 1))
            x[text[at + t]] = 1
            h = np.tanh(weights["W"] @ x + weights["U"] @ hidden[-1] + weights["b"])
            scores = np.exp(weights["V"] @ h + weights["c"])
            inputs.append(x)
            hidden.append(h)
            outputs.append(scores / np.sum(scores))
            loss -= np.log(outputs[-1][text[at + t + 1], 0])
        grads = {name: np.zeros_like(weight) for name, weight in weights.items()}
        d_next = np.zeros((H, 1))
        for t in reversed(range(T)):
            d_scores = np.copy(outputs[t])
            d_scores[text[at + t + 1]] -= 1
            d_z = (weights["V"].T @ d_scores + d_next) * (1 - hidden[t + 1] ** 2)
            grads["V"] += d_scores @ hidden[t + 1].T
            grads["c"] += d_scores
            grads["W"] += d_z @ inputs[t].T
            grads["U"] += d_z @ hidden[t].T
            grads["b"] += d_z
            d_next = weights["U"].T @ d_z
        for name, grad in grads.items():
            np.clip(grad, -CLIP, CLIP, out=grad)
            squares[name] += grad * grad
            weights[name] -= LEARNING_RATE * grad / np.sqrt(squares[name] + 1e-8)
        at = (at + T) % (20 * T)
        return loss / T

    return lambda steps: [update() for _ in range(steps)][-1]


if __name__ == "__main__":
    serve(training)
