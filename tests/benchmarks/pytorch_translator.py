"""The encoder–decoder in PyTorch, on the same files, words, batches and settings, to compare translations with.

Run it where torch==2.13.0 is installed beside rnncli, which reads the data: `python
tests/benchmarks/pytorch_translator.py tests/benchmarks/public/translation.yaml --seed 1`, and compare with `rnncli
train --spec tests/benchmarks/public/translation.yaml --random-seed 1` and `rnncli evaluate`; `--set model.dropout=0.2`
changes a setting, as it does there. It begins with the weights that rnncli draws for that seed. Layers, attention,
loss, gradients, dropout, Adam and each step of decoding are PyTorch's. It prints one JSON line: the scores on the test
part of the weights that had the lowest validation loss, by greedy decoding and by beam search.
"""

import argparse
import copy
import json
import time
from pathlib import Path

import numpy as np
import torch
from plain_spec import read_spec
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnncli.data import TokenizerSpec, Vocabulary, for_answers
from rnncli.data.paired import BucketedPairs, pair_batch
from rnncli.decoding import beam_search
from rnncli.metrics.translation import translation_report
from rnncli.models.embedding_spec import EmbeddingSpec
from rnncli.models.encoder_decoder import EncoderDecoderSpec
from rnncli.nn.cells import LSTMCell
from rnncli.tasks.pair_spec import TranslationDataSpec
from rnncli.tasks.translation import TranslationTask
from rnncli.training.randomness import generator

BEAM_SIZE = 5
SECTIONS = {
    "data": {"train", "validation", "test", "tokenizer", "max_length"},
    "model": {"embedding", "cell", "hidden_size", "num_layers", "bidirectional", "attention", "dropout"},
    "training": {"epochs", "batch_size", "optimizer", "max_norm", "patience", "random_seed"},
}


def checked(spec):
    """Refuse what this script does not do."""
    model = spec["model"]
    if (model["cell"], model["bidirectional"], model["embedding"]["kind"]) != ("lstm", True, "learned"):
        raise SystemExit("the cells must be lstm, both ways in the encoder, over learned embeddings")
    if model["attention"] not in ("general", "additive") or spec["training"]["patience"] is not None:
        raise SystemExit("attention must be general or additive, and patience null")
    return spec


def task_of(spec):
    """Return rnncli's task for a spec."""
    data, model = dict(spec["data"]), dict(spec["model"])
    data |= {name: tuple(data[name]) for name in ("train", "validation", "test")}
    data["tokenizer"] = TokenizerSpec(**data["tokenizer"])
    model |= {"embedding": EmbeddingSpec(**model["embedding"]), "cell": LSTMCell()}
    return TranslationTask(data=TranslationDataSpec(**data), model=EncoderDecoderSpec(**model))


class Network(nn.Module):
    """Bidirectional LSTM layers over the source, LSTM layers over the target, attention, linear (Luong et al. 2015).

    The decoder's layers begin at what a linear map makes of the last states of both directions of the encoder's. Of B
    sequences the S steps of the source come as (S, B, …), the T of the target as (T, B, …), for attention as (B, …).
    """

    def __init__(self, model, source: int, target: int) -> None:
        super().__init__()
        H, E, layers = model["hidden_size"], model["embedding"]["size"], model["num_layers"]
        self.source, self.target = nn.Embedding(source, E), nn.Embedding(target, E)
        self.encoder = nn.ModuleList(nn.LSTM(size, H, bidirectional=True) for size in [E, *[2 * H] * (layers - 1)])
        self.bridge_weight = nn.ParameterList(torch.empty(2, H, 2 * H) for _ in range(layers))
        self.bridge_bias = nn.ParameterList(torch.empty(2, H) for _ in range(layers))
        self.decoder = nn.ModuleList(nn.LSTM(size, H) for size in [E, *[H] * (layers - 1)])
        self.key, self.combine = nn.Linear(2 * H, H, bias=False), nn.Linear(3 * H, H, bias=False)
        additive = model["attention"] == "additive"
        self.query = nn.Linear(H, H, bias=False) if additive else None
        self.vector = nn.Parameter(torch.zeros(H)) if additive else None
        self.dropout, self.output = nn.Dropout(model["dropout"]), nn.Linear(H, target)

    def take(self, ours):
        """Begin with the weights of an rnncli model by name, and with one bias in a layer instead of two."""
        own = {"encoder.embedding.weight": self.source.weight, "decoder.embedding.weight": self.target.weight}
        own |= {"attention.key.weight": self.key.weight, "attention.combine.weight": self.combine.weight}
        own |= {"output.weight": self.output.weight, "output.bias": self.output.bias}
        if self.query:
            own |= {"attention.query.weight": self.query.weight, "attention.vector": self.vector}
        layers = {f"decoder.recurrent.{number}": (layer, "_l0") for number, layer in enumerate(self.decoder)}
        for number, layer in enumerate(self.encoder):
            layers[f"encoder.recurrent.{number}.forward"] = layer, "_l0"
            layers[f"encoder.recurrent.{number}.backward"] = layer, "_l0_reverse"
        for prefix, (layer, suffix) in layers.items():
            nn.init.zeros_(getattr(layer, f"bias_hh{suffix}")).requires_grad_(False)
            for theirs, name in (("weight_ih", "weight_ih"), ("weight_hh", "weight_hh"), ("bias_ih", "bias")):
                own[f"{prefix}.{name}"] = getattr(layer, theirs + suffix)
        for number, weights in enumerate(zip(self.bridge_weight, self.bridge_bias, strict=True)):
            own |= zip((f"bridge.{number}.weight", f"bridge.{number}.bias"), weights, strict=True)
        if own.keys() != ours.keys():
            raise SystemExit(f"parameters that do not match: {sorted(own.keys() ^ ours.keys())}")
        with torch.no_grad():
            for name, weight in own.items():
                weight.copy_(ours[name])

    def encode(self, ids, lengths):
        """Return the annotations (B, S, 2H) of sources, the keys (B, S, H), which are real, and the first states."""
        h, states = self.source(ids), []
        for layer, weight, bias in zip(self.encoder, self.bridge_weight, self.bridge_bias, strict=True):
            outputs, last = layer(pack_padded_sequence(h, lengths, enforce_sorted=False))
            h = self.dropout(pad_packed_sequence(outputs)[0])
            ends = torch.stack([torch.cat((*state,), 1) for state in last])  # (2, B, 2H)
            states.append((ends @ weight.mT + bias[:, None]).unsqueeze(1).unbind())
        annotations = h.transpose(0, 1)
        return (annotations, self.key(annotations), torch.arange(len(ids)) < lengths[:, None]), states

    def decode(self, ids, read, states):
        """Return the scores (T, B, V) of what follows each target word, and the states after all."""
        h, after = self.target(ids), []
        for layer, before in zip(self.decoder, states, strict=True):
            h, state = layer(h, before)
            h = self.dropout(h)
            after.append(state)
        (annotations, keys, real), h = read, h.transpose(0, 1)
        if self.query:
            scores = torch.tanh(self.query(h)[:, :, None] + keys[:, None]) @ self.vector
        else:
            scores = h @ keys.transpose(1, 2)
        weights = scores.masked_fill(~real[:, None], -torch.inf).softmax(2)
        told = torch.tanh(self.combine(torch.cat((weights @ annotations, h), 2)))
        return self.output(told.transpose(0, 1)), after

    def loss(self, batch):
        """Return the summed loss of a batch, and how many words it is of."""
        scores, _ = self.decode(torch.from_numpy(batch.inputs), *self.encode(*source_of(batch)))
        targets = torch.from_numpy(batch.targets)
        real = torch.ones_like(targets, dtype=torch.bool) if batch.mask is None else torch.from_numpy(batch.mask)
        return nn.functional.cross_entropy(scores[real], targets[real], reduction="sum"), int(real.sum())


def source_of(batch):
    """Return the sources (S, B) of a batch, and the length (B,) of each."""
    source, mask = torch.from_numpy(batch.source), batch.source_mask
    return source, torch.from_numpy(np.full(source.shape[1], len(source)) if mask is None else mask.sum(0))


@torch.inference_mode()
def evaluate(network, part):
    """Return the mean loss a target word of a part."""
    network.eval()
    found = [network.loss(pair_batch(part, numbers, single=False)) for numbers in for_answers(part.source.lengths)]
    network.train()
    return sum(float(loss) for loss, _ in found) / sum(count for _, count in found)


def train(network, splits, training, seed):
    """Train, and return loss and number of the best epoch, whose weights the network then has."""
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    optimizer = torch.optim.Adam(weights, lr=training["optimizer"]["learning_rate"], fused=True)
    batches, best, kept = BucketedPairs(splits.train, training["batch_size"], single=False), (np.inf, 0), None
    for epoch in range(training["epochs"]):
        for batch in batches.epoch(generator(seed, "shuffling", epoch)):
            loss, count = network.loss(batch)
            optimizer.zero_grad()
            (loss / count).backward()
            if training["max_norm"]:
                nn.utils.clip_grad_norm_(weights, training["max_norm"])
            optimizer.step()
        best, before = min(best, (evaluate(network, splits.validation), epoch + 1)), best
        if best is not before:
            kept = copy.deepcopy(network.state_dict())
    network.load_state_dict(kept)
    return best


@torch.inference_mode()
def translate(network, part, vocabulary, longest, beam_size):
    """Return the translation of each source, by beam search over the network's steps; a beam of 1 is greedy."""
    network.eval()
    answers, begin, end = [""] * len(part), vocabulary.begin_id, vocabulary.end_id
    for numbers in for_answers(part.source.lengths):
        source, lengths = source_of(pair_batch(part, numbers, single=False))

        def step(ids, state):
            read, states = state
            scores, states = network.decode(torch.from_numpy(ids)[None], read, states)
            return scores[0].T.numpy(), (read, states)

        def select(state, columns):
            (read, states), columns = state, torch.from_numpy(columns)
            return [array[columns] for array in read], [[array[:, columns] for array in each] for each in states]

        found = beam_search(
            step,
            select,
            *step(np.full(len(numbers), begin), network.encode(source, lengths)),
            beam_size=beam_size,
            length=[10 + max(longest, 2 * length) for length in lengths.tolist()],
            end_id=end,
            forbidden=(vocabulary.unknown_id, begin),
            length_penalty=1.0,
        )
        for number, (best,) in zip(numbers.tolist(), found, strict=True):
            answers[number] = vocabulary.decode(best.ids).removeprefix(" ")
    return answers


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("spec")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--set", action="append", default=[], metavar="SECTION.NAME=VALUE")
    given = options.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(given.seed)
    spec = checked(read_spec(given.spec, given.set, "translation", SECTIONS))
    task = task_of(spec)
    data = task.read(Path(given.spec).parent)
    parameters = task.build_model(data.resources, generator(given.seed, "initialization")).parameters()
    ours = {name: torch.from_numpy(parameter.value) for name, parameter in parameters.items()}
    network = Network(spec["model"], *(len(ours[f"{side}.embedding.weight"]) for side in ("encoder", "decoder")))
    network.take(ours)
    started = time.process_time()
    loss, epoch = train(network, data.splits, spec["training"], given.seed)
    told = {"spec": Path(given.spec).name, "set": given.set, "seed": given.seed}
    told |= {"training_cpu_seconds": round(time.process_time() - started, 1), "best_epoch": epoch}
    test = data.splits.test
    told |= {"validation_loss": loss, "test_loss": evaluate(network, test)}
    vocabulary, longest = Vocabulary.from_plain(data.resources["target"]), data.resources["longest"][1]
    for name, size in (("greedy", 1), ("beam", BEAM_SIZE)):
        answers = translate(network, test, vocabulary, longest, size)
        told[name] = translation_report(answers, [[text] for text in test.target_text]).means
    print(json.dumps(told))


if __name__ == "__main__":
    main()
