"""The default language model in PyTorch, on the same text, split, streams and settings, to compare losses with.

Run it where torch==2.13.0 is installed beside rnncli: `python tests/benchmarks/pytorch_language_model.py corpus.txt
--seeds 1 2 3`, and compare with `rnncli train corpus.txt --epochs 5 --random-seed 1`. It begins with the weights that
rnncli draws for that seed, or with --own-initialization with PyTorch's own. It prints one JSON line a seed: the
validation loss after each epoch, in nats a character.
"""

import argparse
import json
import time
from collections import Counter
from pathlib import Path

import numpy as np
import torch
from torch import nn

from rnncli.data import Streams, Text, TokenizerSpec, Vocabulary, find_sources, split_text
from rnncli.models.language_model import LanguageModel, LanguageModelSpec
from rnncli.training.randomness import generator


class Network(nn.Module):
    """Embedding 64 → LSTM 2 x 128 → linear, with a forget bias of 1 and, as in rnncli, one bias instead of two."""

    def __init__(self, vocabulary_size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, 64)
        self.lstm = nn.LSTM(64, 128, 2)
        self.output = nn.Linear(128, vocabulary_size)
        with torch.no_grad():
            for layer in range(2):
                getattr(self.lstm, f"bias_ih_l{layer}")[128:256] = 1
                getattr(self.lstm, f"bias_hh_l{layer}").zero_().requires_grad_(False)

    def take(self, model: LanguageModel) -> None:
        """Begin with the weights of an rnncli model."""
        ours = {name: torch.from_numpy(parameter.value) for name, parameter in model.parameters().items()}
        with torch.no_grad():
            self.embedding.weight.copy_(ours["embedding.weight"])
            self.output.weight.copy_(ours["output.weight"])
            self.output.bias.copy_(ours["output.bias"])
            for layer in range(2):
                for theirs, name in (("weight_ih", "weight_ih"), ("weight_hh", "weight_hh"), ("bias_ih", "bias")):
                    getattr(self.lstm, f"{theirs}_l{layer}").copy_(ours[f"recurrent.{layer}.{name}"])

    def forward(self, ids, state):
        hidden, state = self.lstm(self.embedding(ids), state)
        return self.output(hidden), state


def losses(network, batch, state):
    """Return the loss of each real target, and the state after the batch."""
    inputs, targets = (torch.from_numpy(ids.astype(np.int64)) for ids in (batch.inputs, batch.targets))
    logits, state = network(inputs, state if batch.carry else None)
    loss = nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
    real = slice(None) if batch.mask is None else torch.from_numpy(batch.mask.ravel())
    return loss[real], tuple(part.detach() for part in state)


def train(network, batches, checks, epochs):
    """Return the validation loss after each epoch."""
    optimizer = torch.optim.Adam([weight for weight in network.parameters() if weight.requires_grad], lr=2e-3)
    history = []
    for _ in range(epochs):
        state = None
        for batch in batches.epoch(np.random.default_rng(0)):
            loss, state = losses(network, batch, state)
            optimizer.zero_grad()
            loss.mean().backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimizer.step()
        with torch.no_grad():
            total, count, state = 0.0, 0, None
            for batch in checks.epoch(np.random.default_rng(0)):
                loss, state = losses(network, batch, state)
                total, count = total + float(loss.double().sum()), count + len(loss)
        history.append(total / count)
    return history


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("corpus")
    options.add_argument("--epochs", type=int, default=5)
    options.add_argument("--seeds", type=int, nargs="+", default=[1])
    options.add_argument("--own-initialization", action="store_true")
    given = options.parse_args()
    torch.set_num_threads(1)
    text = Text(find_sources([given.corpus]))
    training, validation, _ = ("".join(text.read(*span)) for span in split_text(text, 0.05, 0.05))
    vocabulary = Vocabulary.from_counts(Counter(training).items(), TokenizerSpec(), items=None)
    ids, held_out = vocabulary.encode(training), vocabulary.encode(validation)
    batches, checks = Streams(ids, 50, 50), Streams(held_out, min(50, len(held_out) // 1000), 50)
    for seed in given.seeds:
        torch.manual_seed(seed)
        network = Network(len(vocabulary))
        if not given.own_initialization:
            network.take(LanguageModel(LanguageModelSpec(), len(vocabulary), rng=generator(seed, "initialization")))
        started = time.perf_counter()
        history = train(network, batches, checks, given.epochs)
        seconds = round(time.perf_counter() - started, 1)
        print(json.dumps({"corpus": Path(given.corpus).name, "seed": seed, "validation": history, "seconds": seconds}))


if __name__ == "__main__":
    main()
