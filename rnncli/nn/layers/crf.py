"""The output layer of a tagger that scores whole label sequences, together with its loss and its decoding.

K labels, T time steps, B sequences.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from rnncli.nn.blocks import empty, empty_like, empty_sequence
from rnncli.nn.initializers import uniform
from rnncli.nn.parameter import Array, Parameters
from rnncli.nn.protocols import Loss

CACHED = 1 << 18
"""Scores of pairs of labels held at once, of the K x K x B of a step: what a core's own cache holds."""


class CRFGradient(NamedTuple):
    """∂L/∂scores (K, T, B), ∂L/∂transitions (K, K), ∂L/∂start (K,) and ∂L/∂end (K,)."""

    d_scores: Array
    d_transitions: Array
    d_start: Array
    d_end: Array


class CRF:
    """A linear-chain conditional random field (Lafferty et al. 2001; on top of a network: Lample et al. 2016).

        score(y | x) = start[y_1] + Σ_t scores[y_t, t] + Σ_t transitions[y_{t-1}, y_t] + end[y_T]
        p(y | x) = exp score(y | x) / Z(x)      Z(x) = Σ_y exp score(y | x) over all K^T label sequences

    Everywhere scores are (K, T, B), and a mask (T, B) is True for real steps, which come first in each sequence; None
    when all are. Whatever stands at padding counts for nothing, and so does a sequence without a real step.
    """

    def __init__(self, labels: int, *, rng: np.random.Generator | None, dtype: DTypeLike) -> None:
        fan = 100  # U(-0.1, 0.1)
        self.transitions = uniform(rng, (labels, labels), fan, dtype)  # row: from, column: to
        self.start = uniform(rng, (labels,), fan, dtype)
        self.end = uniform(rng, (labels,), fan, dtype)

    def parameters(self) -> Parameters:
        """Return every parameter by name."""
        return {"transitions": self.transitions, "start": self.start, "end": self.end}

    def loss(
        self, scores: Array, targets: Array, mask: Array | None, *, gradient: bool = True
    ) -> tuple[Loss, CRFGradient | None]:
        """Return Σ -log p(y | x) over the sequences, in nats, and its gradients if asked for.

        targets (T, B) are label ids. A sequence with a target below 0 at a real step, a label that is not known, is
        left out. The count is that of the real steps of the others: the mean is the loss of a step.
        """
        real = _real(scores, mask)
        real = real & np.all((targets >= 0) | ~real, axis=0)
        K, y = len(scores), targets.astype(np.intp)  # the type of ids may be too small for K²
        steps, columns = np.nonzero(real)
        labels = y[steps, columns]
        pairs = np.bincount((y[:-1] * K + y[1:])[real[1:]], minlength=K * K).reshape(K, K)

        s, A = self._centred(scores, real)
        chain = _Products(A) if _Products.are_exact(A) else _Logarithms(A)
        log_c, passed = chain.filter(s)
        log_z = log_c[steps, columns].sum(dtype=np.float64)
        score = s[steps, labels, columns].sum(dtype=np.float64) + (pairs * A).sum(dtype=np.float64)
        loss = Loss(float(log_z - score), len(steps))
        if not gradient:
            return loss, None
        marginals, d_transitions = chain.smooth(passed, last := _last(real))
        d_scores = _feature_major(marginals)
        d_scores[labels, steps, columns] -= 1
        d_transitions -= pairs
        d_start, d_end = d_scores[:, :1].sum(axis=(1, 2)), d_scores[:, last].sum(axis=1)
        return loss, CRFGradient(d_scores, d_transitions, d_start, d_end)

    def add(self, gradient: CRFGradient) -> Array:
        """Add the gradients of a loss to those of the parameters; return ∂L/∂scores (K, T, B)."""
        self.transitions.grad += gradient.d_transitions
        self.start.grad += gradient.d_start
        self.end.grad += gradient.d_end
        return gradient.d_scores

    def marginals(self, scores: Array, mask: Array | None) -> Array:
        """Return P(y_t = k | x), (K, T, B); 0 at padding."""
        real = _real(scores, mask)
        s, A = self._centred(scores, real)
        chain = _Products(A) if _Products.are_exact(A) else _Logarithms(A)
        return _feature_major(chain.smooth(chain.filter(s)[1], _last(real))[0])

    def decode(self, scores: Array, mask: Array | None) -> Array:
        """Return the label sequences (T, B) of the highest score (Viterbi 1967); 0 at padding.

            v_t[j] = s_t[j] + max_i (v_{t-1}[i] + A[i, j])      y_t = argmax_i (v_t[i] + A[i, y_{t+1}])

        Of labels that are equally good the lowest is taken, at the last step first.
        """
        real = _real(scores, mask)
        v, A = self._centred(scores, real)
        best, pair_sums = empty(v.shape[1:], v.dtype), _pair_sums(A, v.shape[2])
        for v_prev, v_t in pairwise(v):
            for part, sums in pair_sums(v_prev):
                np.maximum.reduce(sums, axis=0, out=best[part])
            np.add(v_t, best, out=v_t)
            np.subtract(v_t, v_t.max(axis=0), out=v_t)  # so that they do not grow with T
        ids, onward = np.zeros(real.shape, np.intp), np.zeros((len(A), 1), A.dtype)
        for t in reversed(range(len(v))):
            np.argmax(v[t] + onward, axis=0, out=ids[t])
            onward = A[:, ids[t]] * real[t]
        return ids * real

    def _centred(self, scores: Array, real: Array) -> tuple[Array, Array]:
        """Return s (T, K, B), the scores with `start` and `end` where they belong, and A (K, K), the transitions.

        The largest score of each step and the largest transition are subtracted: all label sequences of the same
        length lose the same, so that no difference changes.
        """
        K, T, B = scores.shape
        s = empty((T, K, B), scores.dtype)
        s[:] = scores.swapaxes(0, 1)
        np.copyto(s, 0, where=~real[:, None])
        s[:1] += self.start.value[:, None]
        steps, columns = np.nonzero(_last(real))
        s[steps, :, columns] += self.end.value
        s -= s.max(axis=1, keepdims=True)
        return s, self.transitions.value - self.transitions.value.max()


def _real(scores: Array, mask: Array | None) -> Array:
    """Return the mask (T, B), all True when there is none."""
    return np.ones(scores.shape[1:], bool) if mask is None else mask


def _last(real: Array) -> Array:
    """Return where (T, B) the last real step of each sequence is."""
    last: Array = real.copy()
    last[:-1] &= ~real[1:]
    return last


def _feature_major(a: Array) -> Array:
    """(T, K, B) → (K, T, B), copied."""
    sequence = empty_sequence(a.shape[1], len(a), a.shape[2], a.dtype)
    sequence[:] = a.swapaxes(0, 1)
    return sequence


def _pair_sums(A: Array, batch_size: int) -> Callable[[Array], Iterator[tuple[slice, Array]]]:
    """Return what, given a (K, B), yields A[i, j] + a[i] (K, part, B) for parts of the labels j, all in one room."""
    K, B = len(A), batch_size
    few = max(1, min(K, CACHED // max(K * B, 1)))
    room = empty((K, few, B), A.dtype)
    parts = [slice(first, min(first + few, K)) for first in range(0, K, few)]
    terms = [(part, A[:, part, None], room[:, : part.stop - part.start]) for part in parts]
    return lambda a: ((part, np.add(columns, a[:, None], out=sums)) for part, columns, sums in terms)


class _Products:
    """Filtering forward, smoothing backward by matrix products: no logarithm and no exponential within the loops.

        q_t = Eᵀ p_{t-1}, E = exp A      p_t = q_t · exp s_t / c_t, which sums to 1      log Z = Σ_t log c_t
        m_{t-1} = p_{t-1} · (E r_t), r_t = m_t / q_t, from m = p at the last step

    p_t[k] is P(y_t = k) of sequences that would end at step t, m_t[k] is P(y_t = k | x): so backpropagation of log Z
    is the smoothing of probabilities.
    """

    def __init__(self, A: Array) -> None:
        self.E = np.exp(A)

    @staticmethod
    def are_exact(A: Array) -> bool:
        """Whether no transition makes up for a p too small for the dtype: it counts for tiny / (min E)² at most."""
        numbers = np.finfo(A.dtype)
        return bool(2 * A.min() >= np.log(numbers.tiny) - np.log(numbers.eps))

    def filter(self, s: Array) -> tuple[Array, tuple[Array, Array]]:
        """Return log c (T, B), and p and q (T, K, B); the first step has no q."""
        p, q = np.exp(s, out=empty_like(s)), empty_like(s)
        c, transposed = empty((len(s), s.shape[2]), s.dtype), self.E.T.copy()
        for t in range(len(s)):
            p_t, c_t = p[t], c[t]
            if t:
                p_t *= np.dot(transposed, p[t - 1], out=q[t])
            np.add.reduce(p_t, axis=0, out=c_t)
            p_t /= c_t
        return np.log(c, out=c), (p, q)

    def smooth(self, passed: tuple[Array, Array], last: Array) -> tuple[Array, Array]:
        """Return m (T, K, B), 0 at padding, and Σ_t P(y_{t-1} = i, y_t = j) (K, K) of all sequences; q is used up.

        `last` (T, B) tells the last steps of the sequences.
        """
        p, q = passed
        m = np.multiply(p, last[:, None], out=empty_like(p))
        d = empty(p.shape[1:], p.dtype)
        for t in range(len(p) - 1, 0, -1):
            r = np.divide(m[t], q[t], out=q[t])
            np.dot(self.E, r, out=d)
            d *= p[t - 1]
            m[t - 1] += d
        return m, self.E * np.tensordot(p[:-1], q[1:], axes=((0, 2), (0, 2)))


class _Logarithms:
    """The same with the logarithms of p, q and c in their place: exact at any transitions, and several times slower.

    q_t[j] = log Σ_i exp(A[i, j] + p_{t-1}[i])      m_{t-1}[i] = Σ_j exp(A[i, j] + p_{t-1}[i] - q_t[j]) m_t[j]
    """

    def __init__(self, A: Array) -> None:
        self.A = A

    def filter(self, s: Array) -> tuple[Array, tuple[Array, Array]]:
        """Return c (T, B), and p and q (T, K, B); the first step has no q."""
        p, q = s.copy(), empty_like(s)
        c, pair_sums = empty((len(s), s.shape[2]), s.dtype), _pair_sums(self.A, s.shape[2])
        for t in range(len(s)):
            if t:
                for part, sums in pair_sums(p[t - 1]):
                    q[t, part] = _log_sum(sums)
                p[t] += q[t]
            c[t] = _log_sum(p[t].copy())
            p[t] -= c[t]
        return c, (p, q)

    def smooth(self, passed: tuple[Array, Array], last: Array) -> tuple[Array, Array]:
        """Return what `_Products.smooth` does."""
        p, q = passed
        m, pairs = np.exp(p) * last[:, None], np.zeros_like(self.A)
        pair_sums = _pair_sums(self.A, p.shape[2])
        for t in range(len(p) - 1, 0, -1):
            for part, sums in pair_sums(p[t - 1]):
                joint = np.exp(np.subtract(sums, q[t, part], out=sums), out=sums)
                joint = np.multiply(joint, m[t, part], out=joint)
                m[t - 1] += joint.sum(axis=1)
                pairs[:, part] += joint.sum(axis=2)
        return m, pairs


def _log_sum(a: Array) -> Array:
    """log Σ exp a over the first axis; a is used up."""
    largest = a.max(axis=0)
    a -= largest
    total: Array = np.log(np.exp(a, out=a).sum(axis=0)) + largest
    return total
