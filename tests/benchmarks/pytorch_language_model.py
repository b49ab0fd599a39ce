"""The default language model in PyTorch, on the same text, split, streams and settings, to compare losses with.

Run it where torch==2.13.0 is installed beside rnncli: `python tests/benchmarks/pytorch_language_model.py corpus.txt
--seeds 1 2 3`, and compare with `rnncli train corpus.txt --epochs 5 --set training.random_seed=1`. It prints one JSON
line a seed: the validation loss after each epoch, in nats a character.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from rnncli.data import Streams, TokenizerSpec, Vocabulary, read_corpus, split_text


class Network(nn.Module):
    """Embedding 64 → LSTM 2 x 128 → linear, with a forget bias of 1."""

    def __init__(self, vocabulary_size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, 64)
        self.lstm = nn.LSTM(64, 128, 2)
        self.output = nn.Linear(128, vocabulary_size)
        with torch.no_grad():
            for layer in range(2):
                getattr(self.lstm, f"bias_ih_l{layer}")[128:256] = 1
                getattr(self.lstm, f"bias_hh_l{layer}")[128:256] = 0

    def forward(self, ids, state):
        hidden, state = self.lstm(self.embedding(ids), state)
        return self.output(hidden), state


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("corpus")
    options.add_argument("--epochs", type=int, default=5)
    options.add_argument("--seeds", type=int, nargs="+", default=[1])
    given = options.parse_args()
    torch.set_num_threads(1)
    (text,) = read_corpus([given.corpus]).texts
    parts = split_text(text, 0.05, 0.05)
    vocabulary = Vocabulary.build([parts.train], TokenizerSpec(), items=False)
    train, validation = (vocabulary.encode(part) for part in (parts.train, parts.validation))
    batches = Streams(train, 50, 50)
    checks = Streams(validation, min(50, len(validation) // 1000), 50)

    def losses(network, each, state):
        if not each.carry:
            state = None
        inputs, targets = (torch.from_numpy(ids.astype(np.int64)) for ids in (each.inputs, each.targets))
        logits, state = network(inputs, state)
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
        real = torch.ones(len(loss), dtype=torch.bool) if each.mask is None else torch.from_numpy(each.mask.ravel())
        return loss[real], tuple(part.detach() for part in state)

    for seed in given.seeds:
        torch.manual_seed(seed)
        network = Network(len(vocabulary))
        optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
        history, started = [], time.perf_counter()
        for _ in range(given.epochs):
            state = None
            for each in batches.epoch(np.random.default_rng(0)):
                loss, state = losses(network, each, state)
                optimizer.zero_grad()
                loss.mean().backward()
                nn.utils.clip_grad_norm_(network.parameters(), 5.0)
                optimizer.step()
            with torch.no_grad():
                total, count, state = 0.0, 0, None
                for each in checks.epoch(np.random.default_rng(0)):
                    loss, state = losses(network, each, state)
                    total, count = total + float(loss.double().sum()), count + len(loss)
            history.append(total / count)
        seconds = time.perf_counter() - started
        print(json.dumps({"corpus": Path(given.corpus).name, "seed": seed, "validation": history, "seconds": seconds}))


if __name__ == "__main__":
    main()
