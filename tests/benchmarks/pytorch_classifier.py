"""The sequence classifier in PyTorch, on the same files, tokens, batches and settings, to compare accuracies with.

Run it where torch==2.13.0 is installed beside rnncli, which reads the data: `python
tests/benchmarks/pytorch_classifier.py tests/benchmarks/public/questions.yaml --seed 1`, and compare with `rnncli train
--spec tests/benchmarks/public/questions.yaml --random-seed 1` and `rnncli evaluate`. Model, loss, gradients, dropout
and Adam are PyTorch's, and so are the initial weights, drawn from the same distributions as rnncli's. It prints one
JSON line: the accuracy on the test part of the weights that had the lowest validation loss.
"""

import argparse
import json
import re
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnncli.data import Bucketed, TokenizerSpec, batch_of, for_answers
from rnncli.models.sequence_classifier import DEVIATION
from rnncli.tasks.classification import ClassificationTask
from rnncli.tasks.labelled_spec import ClassificationDataSpec
from rnncli.tasks.sequence_inputs import inputs_of
from rnncli.training.randomness import generator

LAYERS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
WORD = re.compile(r"(?!(?:true|false|null)\b)\b[A-Za-z_][\w./-]*")
SECTIONS = {
    "data": {"train", "validation", "test", "tokenizer", "standardize"},
    "model": {"embedding", "cell", "hidden_size", "num_layers", "bidirectional", "readout", "dropout"},
    "training": {"epochs", "batch_size", "optimizer", "max_norm", "patience", "random_seed"},
}


def read_spec(path):
    """Return a spec of two levels, with flow maps in the second: PyTorch's interpreter need not have a YAML reader.

    What this script would not obey it refuses: a comparison of different settings would be none.
    """
    spec, section = {}, None
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        name, _, value = re.sub(r"(^|\s)#.*", "", line).rstrip().partition(":")
        if not name:
            continue
        if not name.startswith(" "):
            section = spec[name] = json.loads(WORD.sub(r'"\g<0>"', value)) if value else {}
        else:
            section[name.strip()] = json.loads(WORD.sub(r'"\g<0>"', value))
    model, training = spec["model"], spec["training"]
    strange = [name for part, known in SECTIONS.items() for name in set(spec[part]) - known]
    needed = ({"embedding"} & set(model)) | (SECTIONS["model"] - {"embedding"})
    if strange or set(model) != needed or spec["task"] != "classification":
        raise SystemExit(f"{path}: what this script knows is {SECTIONS}, and all of model but embedding must be given")
    if training["optimizer"].keys() != {"name", "learning_rate"} or training["optimizer"]["name"] != "adam":
        raise SystemExit(f"{path}: the optimizer must be adam with a learning_rate")
    if training["patience"] is not None or model["readout"] not in ("last", "mean", "max"):
        raise SystemExit(f"{path}: patience must be null, and the readout last, mean or max")
    return spec


def read_data(spec, base):
    """Return what rnncli makes of the files: ids or vectors, labels, and the three parts."""
    data = dict(spec["data"])
    if "tokenizer" in data:
        data["tokenizer"] = TokenizerSpec(**data["tokenizer"])
    return ClassificationTask(data=ClassificationDataSpec(**data)).read(base)


class Network(nn.Module):
    """Embedding, unless inputs are vectors → recurrent layers, with dropout after each → readout → linear."""

    def __init__(self, model, inputs, labels: int) -> None:
        super().__init__()
        H, self.readout = model["hidden_size"], model["readout"]
        self.hidden_size, self.bidirectional = H, model["bidirectional"]
        between = 2 * H if self.bidirectional else H
        if inputs.vocabulary:
            size = model["embedding"]["size"]
            self.embedding = nn.Embedding(len(inputs.vocabulary), size)
            nn.init.normal_(self.embedding.weight, std=DEVIATION)
        else:
            self.embedding, size = None, inputs.width
        kind, sizes = LAYERS[model["cell"]], [size, *[between] * (model["num_layers"] - 1)]
        self.layers = nn.ModuleList(kind(each, H, bidirectional=self.bidirectional) for each in sizes)
        for layer in self.layers:
            for name, weight in layer.named_parameters():
                if name.startswith("bias"):
                    self._begin(model["cell"], name.startswith("bias_hh"), weight)
        self.dropout = nn.Dropout(model["dropout"])
        self.output = nn.Linear(between, labels)

    def _begin(self, cell, second, bias):
        """Forget biases of 1; and, as in rnncli, one bias instead of two but in the candidate of a GRU."""
        H = self.hidden_size
        with torch.no_grad():
            if cell == "lstm" and not second:
                bias[H : 2 * H] = 1
            if second:
                bias[: 2 * H if cell == "gru" else None] = 0
        if second and cell != "gru":
            bias.requires_grad_(False)
        elif second:
            kept = torch.cat((torch.zeros(2 * H), torch.ones(H)))
            bias.register_hook(lambda gradient: gradient * kept)

    def forward(self, inputs, lengths):
        """Ids (T, B) or vectors (T, B, D), the longest first → outputs (B, K)."""
        h = self.embedding(inputs) if self.embedding else inputs
        for layer in self.layers:
            packed, _ = layer(pack_padded_sequence(h, lengths))
            h = self.dropout(pad_packed_sequence(packed)[0])
        return self.output(self._read(h, lengths))

    def _read(self, h, lengths):
        """Outputs (T, B, H) → one vector a sequence, (B, H); a backward layer's last output is of the first step."""
        H, sequences = self.hidden_size, torch.arange(h.shape[1])
        real = (torch.arange(h.shape[0])[:, None] < lengths)[:, :, None]
        if self.readout == "max":
            return h.masked_fill(~real, -torch.inf).amax(0)
        if self.readout == "mean":
            return (h * real).sum(0) / lengths[:, None]
        last = h[lengths - 1, sequences]
        return torch.cat((last[:, :H], h[0, :, H:]), 1) if self.bidirectional else last


def outputs_of(network, batch):
    """Return the outputs (B, K) of a batch, and its targets."""
    T, B = batch.inputs.shape[-2:]
    lengths = torch.from_numpy(np.full(B, T) if batch.mask is None else batch.mask.sum(0))
    vectors = batch.inputs.ndim == 3
    inputs = torch.from_numpy(np.ascontiguousarray(batch.inputs.transpose(1, 2, 0)) if vectors else batch.inputs)
    return network(inputs, lengths), torch.from_numpy(batch.targets.astype(np.int64))


@torch.inference_mode()
def measure(network, part):
    """Return the mean loss and the accuracy on a part."""
    network.eval()
    loss = right = 0.0
    for numbers in for_answers(part.lengths):
        outputs, targets = outputs_of(network, batch_of(part, numbers))
        loss += float(nn.functional.cross_entropy(outputs, targets, reduction="sum"))
        right += int((outputs.argmax(1) == targets).sum())
    network.train()
    return loss / len(part), right / len(part)


def train(network, splits, training, seed):
    """Train, and return validation loss, validation accuracy, test accuracy and number of the best epoch."""
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    optimizer = torch.optim.Adam(weights, lr=training["optimizer"]["learning_rate"], fused=True)
    batches, best = Bucketed(splits.train, training["batch_size"]), (np.inf, 0.0, 0.0, 0)
    for epoch in range(training["epochs"]):
        for batch in batches.epoch(generator(seed, "shuffling", epoch)):
            loss = nn.functional.cross_entropy(*outputs_of(network, batch))
            optimizer.zero_grad()
            loss.backward()
            if training["max_norm"]:
                nn.utils.clip_grad_norm_(weights, training["max_norm"])
            optimizer.step()
        loss, accuracy = measure(network, splits.validation)
        if loss < best[0]:
            best = (loss, accuracy, measure(network, splits.test)[1], epoch + 1)
    return best


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("spec")
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(given.seed)
    spec = read_spec(given.spec)
    data = read_data(spec, Path(given.spec).parent)
    network = Network(spec["model"], inputs_of(data.resources), len(data.resources["outputs"]))
    started = time.process_time()
    loss, accuracy, test, epoch = train(network, data.splits, spec["training"], given.seed)
    told = {"spec": Path(given.spec).name, "seed": given.seed, "test_accuracy": test, "best_epoch": epoch}
    told |= {"validation_loss": loss, "validation_accuracy": accuracy}
    print(json.dumps(told | {"training_cpu_seconds": round(time.process_time() - started, 1)}))


if __name__ == "__main__":
    main()
