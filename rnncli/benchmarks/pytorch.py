"""PyTorch's side: a script for an interpreter that has PyTorch, and need not have rnncli.

`python pytorch.py WORKLOAD SETTING` speaks as `serving` does. PyTorch gets its best: time-major input, batches made
beforehand, fused Adam, foreach clipping, memory kept by the allocator (in the environment), and of its settings the one
that proves fastest.
"""

import json
import sys
from collections.abc import Callable, Iterator
from itertools import cycle, pairwise
from pathlib import Path
from runpy import run_path
from time import perf_counter, process_time
from typing import Any

try:
    import torch
    from torch import nn
    from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence
except ImportError:
    print(json.dumps({"missing": "PyTorch"}))  # noqa: T201 - it has no rnncli to print with
    sys.exit()

RECURRENT = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
CELL = {"rnn": nn.RNNCell, "lstm": nn.LSTMCell, "gru": nn.GRUCell}
TRANSLATOR = str(Path(__file__).with_name("pytorch_translator.py"))


def network(work: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Return embedding, recurrent layers and output; a one-hot vector is a dense one, as PyTorch knows no other."""
    V, E, H, both = work["vocabulary_size"], work["embedding_size"], work["hidden_size"], work["bidirectional"]
    embedding = nn.Embedding(V, E) if E else lambda ids: nn.functional.one_hot(ids, V).float()
    recurrent = RECURRENT[work["cell"]](E or V, H, work["num_layers"], bidirectional=both)
    labels = V if work["kind"] in ("train", "generate") else work["labels"]
    return embedding, recurrent, nn.Linear(H * (1 + both), labels)


def training(work: dict[str, Any]) -> Callable[[int], None]:
    """Each step is an update: loss, gradients, clipping, Adam; the state is carried."""
    embedding, recurrent, output = network(work)
    update = updating(embedding, recurrent, output)
    shape = (work["length"], work["batch_size"])
    inputs, targets = (torch.randint(work["vocabulary_size"], shape) for _ in range(2))
    state = None

    def run(steps: int) -> None:
        nonlocal state
        for _ in range(steps):
            hidden, state = recurrent(embedding(inputs), state)
            update(nn.functional.cross_entropy(output(hidden).flatten(0, 1), targets.flatten()))
            state = tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()

    return run


def updating(*parts: Any) -> Callable[[Any], None]:
    """Return what updates the weights of parts by a loss."""
    weights = list(nn.ModuleList([part for part in parts if isinstance(part, nn.Module)]).parameters())
    optimizer = torch.optim.Adam(weights, lr=0.002, fused=True)

    def update(loss: Any) -> None:
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(weights, 5.0, foreach=True)
        optimizer.step()

    return update


def classification(work: dict[str, Any], setting: str) -> Callable[[int], None]:
    """Each step is an update on the next batch of sequences, longest first; the batches come in random order."""
    parts = embedding, recurrent, output = network(work)
    update = updating(*parts)
    vector = padded if setting.startswith("padded") else packed
    batches = [labelled(work, lengths) for lengths in work["lengths"]]

    def forever() -> Iterator[Any]:
        while True:
            yield from (batches[i] for i in torch.randperm(len(batches)).tolist())

    coming = forever()

    def run(steps: int) -> None:
        for _ in range(steps):
            inputs, labels = next(coming)
            update(nn.functional.cross_entropy(output(vector(work, embedding, recurrent, *inputs)), labels))

    return run


def labelled(work: dict[str, Any], lengths: list[int]) -> tuple[Any, Any]:
    """Return random ids (T, B) of sequences so long, with their lengths and the same ids packed, and random labels."""
    steps = torch.tensor(sorted(lengths, reverse=True))
    ids = torch.randint(work["vocabulary_size"], (max(lengths), len(lengths)))
    ids[torch.arange(max(lengths))[:, None] >= steps] = 0
    return (ids, steps, pack_padded_sequence(ids, steps)), torch.randint(work["labels"], (len(lengths),))


def packed(work: dict[str, Any], embedding: Any, recurrent: Any, ids: Any, steps: Any, pack: Any) -> Any:  # noqa: ARG001
    """Return a vector for each sequence: the last state of each direction, or the largest outputs."""
    outputs, state = recurrent(PackedSequence(embedding(pack.data), pack.batch_sizes))
    if work["readout"] == "max":
        return pad_packed_sequence(outputs, padding_value=-torch.inf)[0].max(0).values
    last = state[0] if isinstance(state, tuple) else state
    return torch.cat((last[-2], last[-1]), 1) if work["bidirectional"] else last[-1]


def padded(work: dict[str, Any], embedding: Any, recurrent: Any, ids: Any, steps: Any, pack: Any) -> Any:  # noqa: ARG001
    """Return the last output of each sequence, the padding worked on like the rest: for one direction only."""
    return recurrent(embedding(ids))[0][steps - 1, torch.arange(len(steps))]


def tagging(work: dict[str, Any], setting: str) -> Callable[[int], None]:
    """Each step is the labels of the next batch of sequences, longest first, or an update on it."""
    embedding, recurrent, output = network(work)
    padded = setting.startswith("padded")
    layers = Turning(recurrent) if padded else recurrent
    update = updating(embedding, layers, output) if work["kind"] == "train tagger" else None
    batches = cycle([tagged(work, lengths, padded=padded) for lengths in work["lengths"]])

    def run(steps: int) -> None:
        with torch.inference_mode(update is None):
            for _ in range(steps):
                ids, how, labels = next(batches)
                x = embedding(ids)
                hidden = layers(x, how) if padded else layers(PackedSequence(x, how))[0].data
                scores = output(hidden)
                if update:
                    update(nn.functional.cross_entropy(scores.flatten(0, -2), labels.flatten()))
                else:
                    scores.argmax(-1)

    return run


def tagged(work: dict[str, Any], lengths: list[int], *, padded: bool) -> tuple[Any, Any, Any]:
    """Return random ids of sequences so long, how they are to read, and random labels, -100 for padding.

    Packed: ids (N,) of all tokens, and how many sequences have one at each step. Padded: ids (T, B), and where each
    token stands among T·B when every sequence is turned round, its padding left behind its end.
    """
    (ids, steps, pack), _ = labelled(work, lengths)
    labels = torch.randint(work["labels"], ids.shape)
    if not padded:
        return pack.data, pack.batch_sizes, pack_padded_sequence(labels, steps).data
    time, sequences = torch.arange(len(ids))[:, None], torch.arange(len(lengths))
    turned = torch.where(time < steps, steps - 1 - time, time) * len(lengths) + sequences
    return ids, turned.flatten(), labels.where(time < steps, -100)


class Turning(nn.Module):  # type: ignore[misc]
    """The layers of a bidirectional stack over padded sequences, with one for each direction."""

    def __init__(self, recurrent: Any) -> None:
        super().__init__()
        weights, make = recurrent.state_dict(), type(recurrent)
        self.layers = nn.ModuleList()
        for number in range(recurrent.num_layers):
            for direction in ("", "_reverse"):
                own = {
                    f"{name}_l0": weights[f"{name}_l{number}{direction}"]
                    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
                }
                self.layers.append(make(own["weight_ih_l0"].shape[1], recurrent.hidden_size))
                self.layers[-1].load_state_dict(own)

    def forward(self, x: Any, turned: Any) -> Any:
        """Vectors (T, B, E), and the place of each token in the sequences turned round → outputs (T, B, 2H)."""
        for ahead, back in zip(self.layers[::2], self.layers[1::2], strict=True):
            backward = turn(back(turn(x, turned))[0], turned)
            x = torch.cat((ahead(x)[0], backward), 2)
        return x


def turn(x: Any, turned: Any) -> Any:
    """Return sequences (T, B, D) turned round."""
    return x.flatten(0, 1).index_select(0, turned).view_as(x)


def generation(work: dict[str, Any], setting: str) -> Callable[[int], None]:
    """Each step is a character of every text, drawn from the model's own distribution."""
    step, state = by_cells(work, traced=setting == "traced") if "oneDNN" not in setting else by_layers(work)

    def run(steps: int) -> None:
        ids, after = torch.zeros(work["batch_size"], dtype=torch.long), state
        with torch.inference_mode():
            for _ in range(steps):
                logits, after = step(ids, after)
                ids = torch.multinomial(torch.softmax(logits, -1), 1)[:, 0]

    return run


def by_layers(work: dict[str, Any]) -> tuple[Callable[..., Any], Any]:
    """Return a step through nn.LSTM with T = 1, and the state before it."""
    embedding, recurrent, output = network(work)

    def step(ids: Any, state: Any) -> tuple[Any, Any]:
        hidden, state = recurrent(embedding(ids)[None], state)
        return output(hidden[0]), state

    return step, None


def by_cells(work: dict[str, Any], *, traced: bool) -> tuple[Callable[..., Any], Any]:
    """Return a step through an nn.LSTMCell a layer, and the state before it."""
    embedding, _, output = network(work)
    sizes = [work["embedding_size"], *[work["hidden_size"]] * work["num_layers"]]
    cells = [CELL[work["cell"]](inputs, hidden) for inputs, hidden in pairwise(sizes)]
    zeros = torch.zeros(work["batch_size"], work["hidden_size"])
    state = ((zeros, zeros) if work["cell"] == "lstm" else zeros,) * len(cells)

    def step(ids: Any, state: Any) -> tuple[Any, Any]:
        below, after = embedding(ids), []
        for cell, before in zip(cells, state, strict=True):
            after.append(cell(below, before))
            below = after[-1][0] if isinstance(before, tuple) else after[-1]
        return output(below), tuple(after)

    if traced:
        for module in (embedding, output, *cells):
            module.requires_grad_(False)  # a trace keeps the weights as constants
        with torch.inference_mode():
            example = (torch.zeros(work["batch_size"], dtype=torch.long), state)
            return torch.jit.trace(step, example, check_trace=False), state
    return step, state


def main() -> None:
    """Answer each number of steps with wall and CPU seconds."""
    work, setting = json.loads(sys.argv[1]), sys.argv[2]
    torch.manual_seed(1)
    kinds: dict[str, Callable[[dict[str, Any], str], Callable[[int], None]]] = {
        "train": lambda work, _: training(work),
        "generate": generation,
        "classify": classification,
        "tag": tagging,
        "train tagger": tagging,
        "train translator": lambda work, setting: run_path(TRANSLATOR)["training"](work, setting, updating),
    }
    with torch.backends.mkldnn.flags(enabled=not setting.endswith("without oneDNN")):
        run = kinds[work["kind"]](work, setting)
        print(json.dumps({"version": torch.__version__}), flush=True)  # noqa: T201
        for line in sys.stdin:
            began, cpu_began = perf_counter(), process_time()
            run(int(line))
            answer = {"seconds": perf_counter() - began, "cpu_seconds": process_time() - cpu_began}
            print(json.dumps(answer), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
