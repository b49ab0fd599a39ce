"""The training of a translator in PyTorch: a part of the script `pytorch.py`, which runs it.

S steps of the source, T of the target with its end, B sequences, N words of all targets; H hidden units, V words.
"""

from collections.abc import Callable
from itertools import cycle
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

LAYERS = {"rnn": (nn.RNN, nn.RNNCell), "lstm": (nn.LSTM, nn.LSTMCell), "gru": (nn.GRU, nn.GRUCell)}


class Batch(NamedTuple):
    """Pairs, that of the longest target first: padding then stands still in the last columns of a packed decoder."""

    source: PackedSequence  # the ids
    barred: Any  # (B, 1, S), minus infinity at padding and 0 elsewhere
    inputs: Any  # ids (T, B)
    steps: Any  # of each target, (B,)
    real: Any  # (N,), which of the B·T places have a word
    targets: Any  # ids (N,)


def batch_of(work: dict[str, Any], sources: list[int], targets: list[int]) -> Batch:
    """Return random ids of pairs with so many words, of the targets in the order in which the places count."""
    V, pairs = work["vocabulary_size"], sorted(zip(targets, sources, strict=True), reverse=True)
    lengths, steps = torch.tensor([source for _, source in pairs]), torch.tensor([target + 1 for target, _ in pairs])
    S, T, B = int(lengths.max()), int(steps.max()), len(pairs)
    packed = pack_padded_sequence(torch.randint(V, (S, B)), lengths, enforce_sorted=False)
    barred = torch.zeros(B, 1, S).masked_fill(torch.arange(S) >= lengths[:, None, None], -torch.inf)
    real = (torch.arange(T) < steps[:, None]).flatten().nonzero()[:, 0]
    return Batch(packed, barred, torch.randint(V, (T, B)), steps, real, torch.randint(V, real.shape))


class Translator(nn.Module):  # type: ignore[misc]
    """Bidirectional encoder, general attention (Luong et al. 2015), with input feeding or without it."""

    def __init__(self, work: dict[str, Any]) -> None:
        super().__init__()
        V, E, H, fed = work["vocabulary_size"], work["embedding_size"], work["hidden_size"], work["input_feeding"]
        layers, cell = LAYERS[work["cell"]]
        self.source, self.target = nn.Embedding(V, E), nn.Embedding(V, E)
        self.encoder = layers(E, H, bidirectional=True)
        self.bridge = nn.ModuleList(nn.Linear(2 * H, H) for _ in range(1 + (work["cell"] == "lstm")))
        self.decoder = cell(E + H, H) if fed else layers(E, H)
        self.key, self.combine = nn.Linear(2 * H, H, bias=False), nn.Linear(3 * H, H, bias=False)
        self.output = nn.Linear(H, V)

    def forward(self, batch: Batch, *, packed: bool) -> Any:
        """Return what follows each word of the targets, (N, V)."""
        source = batch.source
        annotations, last = self.encoder(source._replace(data=self.source(source.data)))
        annotations = pad_packed_sequence(annotations, batch_first=True)[0]
        last = last if isinstance(last, tuple) else (last,)
        states = [bridge(torch.cat((*ends,), 1)) for bridge, ends in zip(self.bridge, last, strict=True)]
        keys, words = self.key(annotations), self.target(batch.inputs)
        if isinstance(self.decoder, nn.RNNCellBase):
            hidden = self.step_by_step(words, states, keys, annotations, batch.barred)
        else:
            begin = states[0][None] if len(states) == 1 else tuple(state[None] for state in states)
            if packed:
                outputs = self.decoder(pack_padded_sequence(words, batch.steps), begin)[0]
                h = pad_packed_sequence(outputs, batch_first=True)[0]
            else:
                h = self.decoder(words, begin)[0].transpose(0, 1)
            hidden = self.attend(h, keys, annotations, batch.barred)
        return self.output(hidden.flatten(0, 1).index_select(0, batch.real))

    def attend(self, h: Any, keys: Any, annotations: Any, barred: Any) -> Any:
        """h (B, t, H) → h̃ (B, t, H)."""
        weights = torch.baddbmm(barred, h, keys.transpose(1, 2)).softmax(2)
        return torch.tanh(self.combine(torch.cat((torch.bmm(weights, annotations), h), 2)))

    def step_by_step(self, words: Any, states: list[Any], keys: Any, annotations: Any, barred: Any) -> Any:
        """Return h̃ (B, T, H) of each step, which the next one reads."""
        state, outputs = tuple(states) if len(states) > 1 else states[0], []
        fed = torch.zeros_like(states[0])
        for word in words.unbind():
            state = self.decoder(torch.cat((word, fed), 1), state)
            h = state[0] if isinstance(state, tuple) else state
            fed = self.attend(h[:, None], keys, annotations, barred)[:, 0]
            outputs.append(fed)
        return torch.stack(outputs, 1)


def training(
    work: dict[str, Any], setting: str, updating: Callable[[Any], Callable[[Any], None]]
) -> Callable[[int], None]:
    """Each step is an update on the next batch of pairs, which `updating` makes of a loss."""
    network, packed = Translator(work), setting.startswith("packed")
    update = updating(network)
    batches = cycle([batch_of(work, *lengths) for lengths in zip(work["lengths"], work["targets"], strict=True)])

    def run(steps: int) -> None:
        for _ in range(steps):
            batch = next(batches)
            update(nn.functional.cross_entropy(network(batch, packed=packed), batch.targets))

    return run
