"""The sequence tagger in PyTorch, on the same files, words, batches and settings, to compare scores with.

Run it where torch==2.13.0 and pytorch-crf==0.7.2 are installed beside rnncli, which reads the data: `python
tests/benchmarks/pytorch_tagger.py tests/benchmarks/public/diseases.yaml --seed 1`, and compare with `rnncli train
--spec tests/benchmarks/public/diseases.yaml --random-seed 1` and `rnncli evaluate`; `--set model.crf=false` changes a
setting, as it does there. It begins with the weights that rnncli draws for that seed. Layers, loss, CRF, gradients,
dropout and Adam are PyTorch's. It prints one JSON line: the scores on the test part of the weights that had the lowest
validation loss.
"""

import argparse
import copy
import json
import re
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from torchcrf import CRF

from rnncli.data import Bucketed, TokenizerSpec, batch_of, for_answers
from rnncli.metrics.spans import spans
from rnncli.models.character_encoder import CharacterEncoderSpec
from rnncli.models.embedding_spec import EmbeddingSpec
from rnncli.models.sequence_tagger_spec import SequenceTaggerSpec
from rnncli.nn.cells import LSTMCell
from rnncli.tasks.labelled_spec import TaggingDataSpec
from rnncli.tasks.tagging import TaggingTask
from rnncli.training.randomness import generator

WORD = re.compile(r"(?!(?:true|false|null)\b)\b[A-Za-z_][\w./-]*")
STACK = {"cell", "hidden_size", "num_layers", "bidirectional", "dropout"}
SECTIONS = {
    "data": {"train", "validation", "test", "tokenizer"},
    "model": STACK | {"embedding", "characters", "input_dropout", "crf"},
    "training": {"epochs", "batch_size", "optimizer", "max_norm", "patience", "random_seed"},
}


def read_spec(path, changes):
    """Return a spec of two levels, with flow maps in the second: PyTorch's interpreter need not have a YAML reader.

    What this script would not obey it refuses: a comparison of different settings would be none.
    """
    spec, section = {}, None
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        name, _, value = re.sub(r"(^|\s)#.*", "", line).rstrip().partition(":")
        if not name:
            continue
        if not name.startswith(" "):
            section = spec[name] = value_of(value) if value else {}
        else:
            section[name.strip()] = value_of(value)
    for change in changes:
        name, _, value = change.partition("=")
        part, _, name = name.partition(".")
        spec[part][name] = value_of(value)
    model, optimizer = spec["model"], spec["training"]["optimizer"]
    strange = [name for part, known in SECTIONS.items() for name in set(spec[part]) - known]
    if strange or set(model) != SECTIONS["model"] or spec["task"] != "tagging":
        raise SystemExit(f"{path}: what this script knows is {SECTIONS}, and all of model must be given")
    if optimizer.keys() != {"name", "learning_rate"} or optimizer["name"] != "adam":
        raise SystemExit(f"{path}: the optimizer must be adam with a learning_rate")
    cells = {model["cell"], (model["characters"] or {}).get("cell", "lstm")}
    if cells != {"lstm"} or not model["bidirectional"] or model["embedding"]["kind"] != "learned":
        raise SystemExit(f"{path}: the cells must be lstm, in both directions, over learned embeddings")
    return spec


def value_of(text):
    """Return a flow map, a name or a number of YAML as what it stands for."""
    return json.loads(WORD.sub(r'"\g<0>"', text))


def task_of(spec):
    """Return rnncli's task for a spec."""
    data, model = dict(spec["data"]), dict(spec["model"])
    if "tokenizer" in data:
        data["tokenizer"] = TokenizerSpec(**data["tokenizer"])
    model["embedding"] = EmbeddingSpec(**model["embedding"])
    spelled = model["characters"]
    model["characters"] = (
        CharacterEncoderSpec(LSTMCell(), spelled["embedding_size"], spelled["hidden_size"]) if spelled else None
    )
    model["cell"] = LSTMCell()
    return TaggingTask(data=TaggingDataSpec(**data), model=SequenceTaggerSpec(**model))


class Network(nn.Module):
    """Embedding and the two ends of each word's letters → LSTM layers, with dropout after each → linear (→ CRF)."""

    def __init__(self, model, words: int, letters: int, labels: int) -> None:
        super().__init__()
        H, size, spelled = model["hidden_size"], model["embedding"]["size"], model["characters"]
        self.embedding = nn.Embedding(words, size)
        self.letters = self.speller = None
        if spelled:
            self.letters = nn.Embedding(letters, spelled["embedding_size"])
            self.speller = nn.LSTM(spelled["embedding_size"], spelled["hidden_size"], bidirectional=True)
            size += 2 * spelled["hidden_size"]
        sizes = [size, *[2 * H] * (model["num_layers"] - 1)]
        self.input_dropout = nn.Dropout(model["input_dropout"])
        self.layers = nn.ModuleList(nn.LSTM(each, H, bidirectional=True) for each in sizes)
        self.dropout = nn.Dropout(model["dropout"])
        self.output = nn.Linear(2 * H, labels)
        self.crf = CRF(labels) if model["crf"] else None

    def take(self, ours):
        """Begin with the weights of an rnncli model by name, and with one bias in a layer instead of two."""
        own = {"embedding.weight": self.embedding.weight}
        own |= {"output.weight": self.output.weight, "output.bias": self.output.bias}
        layers = {f"recurrent.{number}": layer for number, layer in enumerate(self.layers)}
        if self.speller:
            own["characters.embedding.weight"] = self.letters.weight
            layers["characters.recurrent"] = self.speller
        if self.crf:
            own["crf.transitions"] = self.crf.transitions
            own |= {"crf.start": self.crf.start_transitions, "crf.end": self.crf.end_transitions}
        for prefix, layer in layers.items():
            for direction, suffix in (("forward", "_l0"), ("backward", "_l0_reverse")):
                nn.init.zeros_(getattr(layer, f"bias_hh{suffix}")).requires_grad_(False)
                for theirs, name in (("weight_ih", "weight_ih"), ("weight_hh", "weight_hh"), ("bias_ih", "bias")):
                    own[f"{prefix}.{direction}.{name}"] = getattr(layer, theirs + suffix)
        if own.keys() != ours.keys():
            raise SystemExit(f"parameters that do not match: {sorted(own.keys() ^ ours.keys())}")
        with torch.no_grad():
            for name, weight in own.items():
                weight.copy_(ours[name])

    def forward(self, batch):
        """Return the scores (T, B, K) of a batch whose longest sequence comes first."""
        h, lengths = self.embedding(torch.from_numpy(batch.inputs)), lengths_of(batch.mask, batch.inputs)
        if self.speller:
            letters, mask = batch.spelled.characters, batch.spelled.mask
            packed = pack_padded_sequence(self.letters(torch.from_numpy(letters)), lengths_of(mask, letters))
            ends = self.speller(packed)[1][0]  # (2, U, H)
            h = torch.cat((h, nn.functional.embedding(torch.from_numpy(batch.words), torch.cat((*ends,), 1))), 2)
        h = self.input_dropout(h)
        for layer in self.layers:
            h = self.dropout(pad_packed_sequence(layer(pack_padded_sequence(h, lengths))[0])[0])
        return self.output(h)

    def loss(self, scores, targets, real):
        """Return the loss of a batch, summed over the real steps (T, B)."""
        if self.crf:
            return -self.crf(scores, targets.clamp(min=0), mask=real)
        return nn.functional.cross_entropy(scores[real], targets[real], reduction="sum")

    def answers(self, scores, real):
        """Return the label ids of each sequence."""
        if self.crf:
            return self.crf.decode(scores, mask=real)
        return [ids[:length].tolist() for ids, length in zip(scores.argmax(2).T, real.sum(0).tolist(), strict=True)]


def lengths_of(mask, steps):
    """Return the real steps (B,) of each sequence, given which of all (T, B) are real."""
    return torch.from_numpy(np.full(steps.shape[1], len(steps)) if mask is None else mask.sum(0))


def targets_of(batch):
    """Return the label ids of a batch and which steps are real, (T, B) each."""
    targets = torch.from_numpy(batch.targets.astype(np.int64))
    return targets, torch.ones_like(targets, dtype=torch.bool) if batch.mask is None else torch.from_numpy(batch.mask)


@torch.inference_mode()
def answer(network, part):
    """Return the mean loss a step on a part, and the label ids of each sequence, in its order."""
    network.eval()
    loss, answers = 0.0, {}
    for numbers in for_answers(part.lengths):
        batch = batch_of(part, numbers)
        (targets, real), scores = targets_of(batch), network(batch)
        if (targets[real] < 0).any():
            raise SystemExit("a label that is not in the training part")
        loss += float(network.loss(scores, targets, real))
        answers |= zip(numbers.tolist(), network.answers(scores, real), strict=True)
    network.train()
    return loss / len(part.values), [answers[number] for number in range(len(part))]


def scores_of(part, answers, names, known):
    """Return accuracies, and precision, recall and F1 of spans where labels are of spans; `known` are trained words."""
    right = seen = strange = 0
    found = asked = common = 0
    for number, ids in enumerate(answers):
        own = slice(*part.starts[number : number + 2])
        targets = part.targets[own].tolist()
        for token, one, other in zip(part.tokens(number), ids, targets, strict=True):
            right += one == other
            strange += token not in known
            seen += token not in known and one == other
        given, wanted = ({*spans([names[i] for i in each])} for each in (ids, targets))
        found, asked, common = found + len(given), asked + len(wanted), common + len(given & wanted)
    told = {"accuracy": right / len(part.values), "unseen_accuracy": seen / strange, "unseen": strange}
    spelled = {"precision": common / max(1, found), "recall": common / max(1, asked)}
    return told | (spelled | {"span_f1": 2 * common / (found + asked)} if asked else {})


def train(network, splits, training, seed):
    """Train, and return loss and number of the best epoch, whose weights the network then has."""
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    optimizer = torch.optim.Adam(weights, lr=training["optimizer"]["learning_rate"], fused=True)
    batches, best, kept = Bucketed(splits.train, training["batch_size"]), (np.inf, 0), None
    for epoch in range(training["epochs"]):
        for batch in batches.epoch(generator(seed, "shuffling", epoch)):
            targets, real = targets_of(batch)
            loss = network.loss(network(batch), targets, real) / real.sum()
            optimizer.zero_grad(set_to_none=False)  # transitions that no sentence has move on with their momentum
            loss.backward()
            if training["max_norm"]:
                nn.utils.clip_grad_norm_(weights, training["max_norm"])
            optimizer.step()
        best, before = min(best, (answer(network, splits.validation)[0], epoch + 1)), best
        if best is not before:
            kept = copy.deepcopy(network.state_dict())
        elif training["patience"] and epoch + 1 - best[1] >= training["patience"]:
            break
    network.load_state_dict(kept)
    return best


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("spec")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--set", action="append", default=[], metavar="SECTION.NAME=VALUE")
    given = options.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(given.seed)
    spec = read_spec(given.spec, given.set)
    task = task_of(spec)
    data = task.read(Path(given.spec).parent)
    names, begun = data.resources["outputs"], generator(given.seed, "initialization")
    parameters = task.build_model(data.resources, begun).parameters()
    ours = {name: torch.from_numpy(parameter.value) for name, parameter in parameters.items()}
    words, letters = (len(ours.get(f"{part}embedding.weight", ())) for part in ("", "characters."))
    network = Network(spec["model"], words, letters, len(names))
    network.take(ours)
    started = time.process_time()
    loss, epoch = train(network, data.splits, spec["training"], given.seed)
    told = {"spec": Path(given.spec).name, "set": given.set, "seed": given.seed}
    told |= {"training_cpu_seconds": round(time.process_time() - started, 1), "best_epoch": epoch}
    known = {token for i in range(len(data.splits.train)) for token in data.splits.train.tokens(i)}
    answers = answer(network, data.splits.test)[1]
    print(json.dumps(told | {"validation_loss": loss} | scores_of(data.splits.test, answers, names, known)))


if __name__ == "__main__":
    main()
