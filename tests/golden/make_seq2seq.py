"""Write PyTorch's numbers of attention and of encoder–decoders, under our names of weights, float64 throughout.

The tests need no PyTorch. To write the files again:

    pip install torch==2.13.0
    python tests/golden/make_seq2seq.py
"""

from itertools import count
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn.functional import linear
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

HERE = Path(__file__).parent
S, T, B, E, H = 5, 4, 3, 2, 3  # steps of source and target, sequences, features of a token, hidden units
SOURCES, TARGETS = 7, 6  # tokens
SOURCE_LENGTHS = {"full": [5, 5, 5], "ragged": [3, 5, 1]}
TARGET_LENGTHS = [2, 3, 4]
BEGIN, END = 1, 2
BATCHES = 3
MAX_NORM = 0.8
LAYERS = {"rnn": (nn.RNN, nn.RNNCell, 1), "lstm": (nn.LSTM, nn.LSTMCell, 4), "gru": (nn.GRU, nn.GRUCell, 3)}


class Case(NamedTuple):
    """An encoder–decoder, as a spec would have it."""

    cell: str
    attention: str
    layers: int = 1
    bidirectional: bool = True
    feeding: bool = False


CASES = {
    "lstm": Case("lstm", "general", layers=2),
    "lstm_feeding": Case("lstm", "general", layers=2, feeding=True),
    "gru": Case("gru", "additive"),
    "gru_feeding": Case("gru", "additive", feeding=True),
    "rnn": Case("rnn", "dot", layers=2, bidirectional=False),
    "rnn_feeding": Case("rnn", "dot", bidirectional=False, feeding=True),
    "lstm_without_attention": Case("lstm", "none"),
}


class Attention(nn.Module):
    """h̃ = tanh(W (Σₛ αₛ h̄ₛ; h)), α = softmax of the scores of the real steps: queries (B, T, H), keys (B, S, F)."""

    def __init__(self, kind, features) -> None:
        super().__init__()
        self.kind = kind
        if kind != "dot":
            self.key = nn.Linear(features, H, bias=False)
        if kind == "additive":
            self.query, self.vector = nn.Linear(H, H, bias=False), nn.Parameter(torch.empty(H))
        self.combine = nn.Linear(features + H, H, bias=False)

    def scores(self, queries, annotations):
        if self.kind == "dot":
            return queries @ annotations.mT
        if self.kind == "general":
            return queries @ self.key(annotations).mT
        return torch.tanh(self.query(queries)[:, :, None] + self.key(annotations)[:, None]) @ self.vector

    def forward(self, queries, annotations, lengths):
        """Return scores and weights (B, T, S), contexts (B, T, F) and h̃ (B, T, H)."""
        scores, real = self.scores(queries, annotations), torch.arange(annotations.shape[1]) < lengths[:, None]
        weights = scores.masked_fill(~real[:, None], -torch.inf).softmax(2)
        contexts = weights @ annotations
        return scores, weights, contexts, torch.tanh(self.combine(torch.cat((contexts, queries), 2)))


class EncoderDecoder(nn.Module):
    """Encoder and decoder of PyTorch's own layers, each with one bias, but for the candidate of a GRU."""

    def __init__(self, case) -> None:
        super().__init__()
        self.case = case
        whole, single, gates = LAYERS[case.cell]
        ways = 1 + case.bidirectional
        self.source, self.target = nn.Embedding(SOURCES, E), nn.Embedding(TARGETS, E)
        self.encoder = whole(E, H, case.layers, bidirectional=case.bidirectional)
        size = E + H * case.feeding
        self.decoder = nn.ModuleList(single(size if layer == 0 else H, H) for layer in range(case.layers))
        self.attention = None if case.attention == "none" else Attention(case.attention, ways * H)
        self.output = nn.Linear(H, TARGETS)
        states = 2 if case.cell == "lstm" else 1
        bridges = case.layers if case.bidirectional else 0
        self.bridge_weight = nn.ParameterList(torch.empty(states, H, 2 * H) for _ in range(bridges))
        self.bridge_bias = nn.ParameterList(torch.empty(states, H) for _ in range(bridges))
        self.kept = torch.arange(gates * H) >= 2 * H if case.cell == "gru" else torch.zeros(gates * H, dtype=torch.bool)

    def named(self):
        """Return each weight under our name, and of the second bias what is kept."""
        found = {"encoder.embedding.weight": self.source.weight, "decoder.embedding.weight": self.target.weight}
        for layer, cell in enumerate(self.decoder):
            ways = (".forward", ".backward") if self.case.bidirectional else ("",)
            parts = {f"encoder.recurrent.{layer}{way}": f"_l{layer}{'_reverse' * n}" for n, way in enumerate(ways)}
            sides = {name: (self.encoder, suffix) for name, suffix in parts.items()}
            sides[f"decoder.recurrent.{layer}"] = cell, ""
            for name, (module, suffix) in sides.items():
                own = [(theirs, getattr(module, theirs + suffix)) for theirs in ("weight_ih", "weight_hh", "bias_ih")]
                found |= {f"{name}.{theirs.replace('bias_ih', 'bias')}": weight for theirs, weight in own}
                if self.kept.any():
                    found[f"{name}.bias_hh"] = getattr(module, f"bias_hh{suffix}")
        for layer, (weight, bias) in enumerate(zip(self.bridge_weight, self.bridge_bias, strict=True)):
            found |= {f"bridge.{layer}.weight": weight, f"bridge.{layer}.bias": bias}
        rest = dict(self.named_parameters())
        return found | {name: rest[name] for name in rest if name.startswith(("attention.", "output."))}

    def seen(self, name, array):
        """Return what there is of a weight, or of its gradient, in ours."""
        return (array[self.kept] if name.endswith("bias_hh") else array).detach().clone()

    def begin(self, rng):
        """Draw all weights; what ours have no second bias for begins at zero and stays there."""
        randomize(self.parameters(), rng)
        for name, weight in self.named_parameters():
            if "bias_hh" in name:
                with torch.no_grad():
                    weight.mul_(self.kept)
                weight.register_hook(lambda gradient: gradient * self.kept)

    def forward(self, source, lengths, inputs):
        """Ids (S, B), lengths (B,) and ids (T, B) → scores (T, B, V) of the tokens that follow these."""
        packed = pack_padded_sequence(self.source(source), lengths, enforce_sorted=False)
        annotations, last = self.encoder(packed)
        annotations = pad_packed_sequence(annotations, batch_first=True, total_length=len(source))[0]
        last = last if self.case.cell == "lstm" else (last,)
        states = []
        for layer in range(self.case.layers):
            ends = [state.unflatten(0, (self.case.layers, -1))[layer] for state in last]  # (ways, B, H) each
            if self.case.bidirectional:
                weights, biases = self.bridge_weight[layer], self.bridge_bias[layer]
                maps = zip(ends, weights, biases, strict=True)
                states.append([linear(torch.cat((*ways,), 1), weight, bias) for ways, weight, bias in maps])
            else:
                states.append([ways[0] for ways in ends])
        fed, outputs = torch.zeros(B, H), []
        for embedded in self.target(inputs):
            h = torch.cat((embedded, fed), 1) if self.case.feeding else embedded
            for layer, cell in enumerate(self.decoder):
                after = cell(h, tuple(states[layer]) if self.case.cell == "lstm" else states[layer][0])
                states[layer] = after if self.case.cell == "lstm" else [after]
                h = states[layer][0]
            fed = self.attention(h[:, None], annotations, lengths)[3][:, 0] if self.attention else h
            outputs.append(fed)
        return self.output(torch.stack(outputs))


def randomize(parameters, rng):
    """Fill every parameter with N(0, 0.8²), from NumPy's generator, so that the files can be made again."""
    with torch.no_grad():
        for parameter in parameters:
            parameter.copy_(0.8 * torch.from_numpy(rng.standard_normal(tuple(parameter.shape))))


def attention_arrays(rng, kind):
    """Attention over full and over padded sources: each part of it, and every gradient of Σ h̃·A."""
    features = H if kind == "dot" else H + 2
    layer = Attention(kind, features)
    randomize(layer.parameters(), rng)
    shapes = {"queries": (B, T, H), "annotations": (B, S, features), "weight_of_output": (B, T, H)}
    given = {name: torch.from_numpy(rng.standard_normal(shape)).requires_grad_() for name, shape in shapes.items()}
    leaves = {name: given[name] for name in ("queries", "annotations")} | dict(layer.named_parameters())
    arrays = given | leaves
    for title, lengths in SOURCE_LENGTHS.items():
        found = layer(given["queries"], given["annotations"], torch.tensor(lengths))
        names = ("scores", "weights", "contexts", "output")
        gradients = torch.autograd.grad((found[3] * given["weight_of_output"]).sum(), [*leaves.values()])
        arrays |= {f"{title}/{name}": array for name, array in zip(names, found, strict=True)}
        arrays |= {f"{title}/d_{name}": array for name, array in zip(leaves, gradients, strict=True)}
        arrays[f"{title}/lengths"] = torch.tensor(lengths)
    return {f"{kind}/{name}": array for name, array in arrays.items()}


def training_arrays(rng, case):
    """Updates on batches of padded sources and targets: losses, gradients of the first one's, norms, weights after all.

    A loss is summed over the real steps, <eos> among them, and its mean is what the update is of.
    """
    model = EncoderDecoder(case)
    model.begin(rng)
    named = model.named()
    arrays = {f"initial/{name}": model.seen(name, weight) for name, weight in named.items()}
    optimizer = torch.optim.Adam(named.values(), lr=0.05)
    losses, norms = [], []
    for batch in range(BATCHES):
        source, target = rng.integers(SOURCES, size=(S, B)), rng.integers(3, TARGETS, size=(T - 1, B))
        lengths, ends = rng.permutation(SOURCE_LENGTHS["ragged"]), rng.permutation(TARGET_LENGTHS)
        inputs, targets = np.vstack(([[BEGIN] * B], target)), np.vstack((target, [[END] * B]))
        targets[ends - 1, np.arange(B)] = END
        inputs[np.arange(T)[:, None] >= ends] = targets[np.arange(T)[:, None] >= ends] = 0
        source[np.arange(S)[:, None] >= lengths] = 0
        scores = model(*map(torch.tensor, (source, lengths, inputs)))
        real = torch.arange(T)[:, None] < torch.tensor(ends)
        loss = nn.functional.cross_entropy(scores[real], torch.tensor(targets)[real], reduction="sum")
        optimizer.zero_grad()
        loss.backward()
        if not batch:
            arrays |= {f"d_{name}": model.seen(name, weight.grad) for name, weight in named.items()}
        for weight in named.values():
            weight.grad /= int(real.sum())
        norms.append(nn.utils.clip_grad_norm_(named.values(), MAX_NORM))
        optimizer.step()
        losses.append(loss.detach())
        given = {
            "source": source,
            "source_lengths": lengths,
            "inputs": inputs,
            "targets": targets,
            "target_lengths": ends,
        }
        arrays |= {f"{batch}/{name}": array for name, array in given.items()}
    arrays |= {f"trained/{name}": model.seen(name, weight) for name, weight in named.items()}
    return arrays | {"losses": torch.stack(losses), "norms": torch.stack(norms)}


def write(name, arrays):
    plain = {key: a.detach().numpy() if isinstance(a, torch.Tensor) else a for key, a in arrays.items()}
    np.savez_compressed(HERE / f"{name}.npz", **plain)


def main():
    torch.set_default_dtype(torch.float64)
    random_seed = count(21)
    rng = np.random.default_rng(next(random_seed))
    kinds = ("dot", "general", "additive")
    write("attention", {name: array for kind in kinds for name, array in attention_arrays(rng, kind).items()})
    for name, case in CASES.items():
        write(f"seq2seq_{name}", training_arrays(np.random.default_rng(next(random_seed)), case))


if __name__ == "__main__":
    main()
