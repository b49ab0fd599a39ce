"""Write PyTorch's numbers for the tests to compare with, in PyTorch's own names and layout, float64 throughout.

The tests need no PyTorch. To write the files again:

    pip install torch==2.13.0 pytorch-crf==0.7.2
    python tests/golden/make_golden.py
"""

from itertools import count
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torchcrf import CRF

HERE = Path(__file__).parent
T, B, D, H = 5, 3, 3, 4
LENGTHS = {"full": [5, 5, 5], "ragged": [3, 5, 1]}

CELLS = {
    "rnn_tanh": lambda layers: nn.RNN(D, H, layers, nonlinearity="tanh"),
    "rnn_relu": lambda layers: nn.RNN(D, H, layers, nonlinearity="relu"),
    "lstm": lambda layers: nn.LSTM(D, H, layers),
    "gru": lambda layers: nn.GRU(D, H, layers),
}
BIDIRECTIONAL = {
    "bidirectional_rnn": lambda layers: nn.RNN(D, H, layers, bidirectional=True),
    "bidirectional_lstm": lambda layers: nn.LSTM(D, H, layers, bidirectional=True),
    "bidirectional_gru": lambda layers: nn.GRU(D, H, layers, bidirectional=True),
}

STEPS = 10
RATES = [0.05] * 5 + [0.02] * 5  # a schedule that changes half-way
OPTIMIZERS = {
    "sgd": torch.optim.SGD,
    "sgd_momentum": lambda p: torch.optim.SGD(p, momentum=0.9),
    "sgd_nesterov": lambda p: torch.optim.SGD(p, momentum=0.9, nesterov=True),
    "sgd_weight_decay": lambda p: torch.optim.SGD(p, momentum=0.9, weight_decay=0.1),
    "rmsprop": torch.optim.RMSprop,
    "rmsprop_momentum": lambda p: torch.optim.RMSprop(p, alpha=0.9, momentum=0.8, weight_decay=0.1),
    "adagrad": torch.optim.Adagrad,
    "adagrad_weight_decay": lambda p: torch.optim.Adagrad(p, weight_decay=0.1),
    "adam": torch.optim.Adam,
    "adam_weight_decay": lambda p: torch.optim.Adam(p, betas=(0.8, 0.95), weight_decay=0.1),
    "adamw": lambda p: torch.optim.AdamW(p, weight_decay=0.1),
}


def randomize(parameters, rng, scale):
    """Fill every parameter with N(0, scale²), from NumPy's generator, so that the files can be made again."""
    with torch.no_grad():
        for parameter in parameters:
            parameter.copy_(scale * torch.from_numpy(rng.standard_normal(tuple(parameter.shape))))


def leaf(rng, *shape):
    return torch.from_numpy(rng.standard_normal(shape)).requires_grad_()


def cell_arrays(make, layers, rng, titles=tuple(LENGTHS)):
    """Run one network on full and on ragged lengths: L = Σ output·A + Σ h_n·A_h (+ Σ c_n·A_c), and every gradient."""
    module = make(layers)
    directions = 2 if module.bidirectional else 1
    randomize(module.parameters(), rng, 0.6)
    names = ("h0", "c0") if isinstance(module, nn.LSTM) else ("h0",)
    given = {"x": leaf(rng, T, B, D)} | {name: leaf(rng, directions * layers, B, H) for name in names}
    wanted = {"output": leaf(rng, T, B, directions * H)}
    wanted |= {name: leaf(rng, directions * layers, B, H) for name in names}
    leaves = dict(module.named_parameters()) | given
    arrays = leaves | {f"weight_of_{name}": weight for name, weight in wanted.items()}
    for title in titles:
        x, lengths = given["x"], LENGTHS[title]
        if title == "ragged":
            x = nn.utils.rnn.pack_padded_sequence(x, torch.tensor(lengths), enforce_sorted=False)
        state = tuple(given[name] for name in names)
        output, final = module(x, state if len(names) == 2 else state[0])
        if title == "ragged":
            output, _ = nn.utils.rnn.pad_packed_sequence(output, total_length=T)
        finals = dict(zip(names, final if len(names) == 2 else (final,), strict=True))
        results = {"output": output} | finals
        loss = sum((wanted[name] * result).sum() for name, result in results.items())
        gradients = torch.autograd.grad(loss, list(leaves.values()))
        arrays |= {f"{title}/lengths": torch.tensor(lengths), f"{title}/loss": loss, f"{title}/output": output}
        arrays |= {f"{title}/final_{name}": array for name, array in finals.items()}
        arrays |= {f"{title}/d_{name}": array for name, array in zip(leaves, gradients, strict=True)}
    return {f"{layers}/{name}": array for name, array in arrays.items()}


def convolution_arrays(rng, activation, *, centred):
    """Two dilated convolutions over full and over ragged lengths: L = Σ output·A, and every gradient.

    Padding is zero above each of them, as it is below.
    """
    kernel, g = 4 if centred else 3, getattr(torch, activation)
    layers = [nn.Conv1d(size, H, kernel, dilation=d, padding="same" if centred else 0) for size, d in ((D, 1), (H, 2))]
    module = nn.ModuleList(layers)
    randomize(module.parameters(), rng, 0.6)
    x, wanted = leaf(rng, T, B, D), leaf(rng, T, B, H)
    leaves = dict(module.named_parameters()) | {"x": x}
    arrays = leaves | {"weight_of_output": wanted}
    for title, lengths in LENGTHS.items():
        real = (torch.arange(T)[:, None] < torch.tensor(lengths)).T[:, None]  # (B, 1, T)
        y = x.permute(1, 2, 0) * real
        for layer in layers:
            reach = 0 if centred else (kernel - 1) * layer.dilation[0]
            y = g(layer(nn.functional.pad(y, (reach, 0)))) * real
        output = y.permute(2, 0, 1)
        gradients = torch.autograd.grad((output * wanted).sum(), list(leaves.values()))
        arrays |= {f"{title}/lengths": torch.tensor(lengths), f"{title}/output": output}
        arrays |= {f"{title}/d_{name}": array for name, array in zip(leaves, gradients, strict=True)}
    return {f"{activation}/{'centred' if centred else 'causal'}/{name}": array for name, array in arrays.items()}


def optimizer_arrays(rng):
    """Ten steps of every optimizer on one sequence of gradients: the parameters after each step."""
    start, gradients = rng.standard_normal(7), rng.standard_normal((STEPS, 7))
    arrays = {"start": start, "gradients": gradients, "learning_rates": np.array(RATES)}
    for name, make in OPTIMIZERS.items():
        parameter = nn.Parameter(torch.tensor(start))
        optimizer = make([parameter])
        trajectory = []
        for rate, gradient in zip(RATES, gradients, strict=True):
            optimizer.param_groups[0]["lr"] = rate
            parameter.grad = torch.tensor(gradient)
            optimizer.step()
            trajectory.append(parameter.detach().clone())
        arrays[name] = torch.stack(trajectory)
    return arrays


def clipping_arrays(rng):
    """One gradient in two parameters, clipped by global norm (above and below the limit), by value, and by both."""
    gradient = 3 * rng.standard_normal(10)
    arrays = {"gradient": gradient}
    for name, max_norm, max_value in (
        ("norm", 5.0, None),
        ("norm_below_limit", 50.0, None),
        ("value", None, 1.5),
        ("value_then_norm", 2.0, 1.5),
    ):
        parameters = [nn.Parameter(torch.zeros(6, dtype=torch.float64)), nn.Parameter(torch.zeros(2, 2).double())]
        for parameter, part in zip(parameters, np.split(gradient, [6]), strict=True):
            parameter.grad = torch.tensor(part).reshape(parameter.shape)
        if max_value is not None:
            nn.utils.clip_grad_value_(parameters, max_value)
        if max_norm is not None:
            nn.utils.clip_grad_norm_(parameters, max_norm)
        arrays[f"clipped_by_{name}"] = torch.cat([parameter.grad.flatten() for parameter in parameters])
    return arrays


def loss_arrays(rng):
    """Each loss of K outputs at N positions: its sum and its mean, plain and weighted, and the gradient of the sum."""
    N, K = 7, 4
    logits, answers, values = leaf(rng, N, K), torch.tensor(rng.integers(2, size=(N, K)) * 1.0), leaf(rng, N, K)
    classes = torch.tensor(rng.integers(K, size=N))
    class_weights, answer_weights = torch.tensor(rng.uniform(0.2, 3, K)), torch.tensor(rng.uniform(0.2, 3, (N, K)))
    f = nn.functional
    losses = {
        "softmax": lambda **options: f.cross_entropy(logits, classes, **options),
        "softmax_weighted": lambda **options: f.cross_entropy(logits, classes, weight=class_weights, **options),
        "sigmoid": lambda **options: f.binary_cross_entropy_with_logits(logits, answers, **options),
        "sigmoid_weighted": lambda **options: f.binary_cross_entropy_with_logits(
            logits, answers, weight=answer_weights, **options
        ),
        "linear": lambda **options: f.mse_loss(logits, values.detach(), **options),
        "linear_weighted": lambda **options: f.mse_loss(logits, values.detach(), weight=answer_weights, **options),
    }
    arrays = {"logits": logits, "classes": classes, "answers": answers, "values": values}
    arrays |= {"class_weights": class_weights, "answer_weights": answer_weights}
    for name, loss in losses.items():
        total = loss(reduction="sum")
        (gradient,) = torch.autograd.grad(total, [logits])
        arrays |= {f"{name}/sum": total, f"{name}/mean": loss(reduction="mean"), f"{name}/d_logits": gradient}
    return arrays


def training_run_arrays(rng):
    """Ten updates of embedding → 2-layer LSTM → linear: carried state, loss summed over time and averaged over B.

    bias_hh stays at zero: two biases that are both learned would move their sum twice as far a step.
    """
    V, E, hidden, steps, length = 7, 4, 5, 10, 20
    embedding, lstm, linear = nn.Embedding(V, E), nn.LSTM(E, hidden, 2), nn.Linear(hidden, V)
    modules = nn.ModuleDict({"embedding": embedding, "lstm": lstm, "linear": linear})
    randomize(modules.parameters(), rng, 1.0)
    for name, parameter in lstm.named_parameters():
        if name.startswith("bias_hh"):
            nn.init.zeros_(parameter).requires_grad_(False)
    trained = {name: parameter for name, parameter in modules.named_parameters() if parameter.requires_grad}
    arrays = {f"initial/{name}": parameter.detach().clone() for name, parameter in trained.items()}
    ids = rng.integers(V, size=(steps * length + 1, B))
    optimizer = torch.optim.Adam(trained.values(), lr=0.05)
    losses, norms, state = [], [], None
    for step in range(steps):
        window = torch.tensor(ids[step * length : (step + 1) * length + 1])
        output, state = lstm(embedding(window[:-1]), state)
        state = tuple(array.detach() for array in state)
        loss = nn.functional.cross_entropy(linear(output).reshape(-1, V), window[1:].reshape(-1), reduction="sum")
        optimizer.zero_grad()
        (loss / B).backward()
        norms.append(nn.utils.clip_grad_norm_(trained.values(), 5.0))
        optimizer.step()
        losses.append(loss.detach())
    arrays |= {f"trained/{name}": parameter for name, parameter in trained.items()}
    return arrays | {"ids": ids, "losses": torch.stack(losses), "norms": torch.stack(norms)}


def crf_arrays(rng):
    """A conditional random field over K labels: log-likelihoods, the gradients of minus their sum, and the decoding."""
    K = 4
    module, scores, labels = CRF(K), leaf(rng, T, B, K), rng.integers(K, size=(T, B))
    randomize(module.parameters(), rng, 1.0)
    leaves = dict(module.named_parameters()) | {"scores": scores}
    arrays = leaves | {"labels": labels}
    for title, lengths in LENGTHS.items():
        mask = torch.arange(T)[:, None] < torch.tensor(lengths)
        likelihoods = module(scores, torch.tensor(labels), mask=mask, reduction="none")
        gradients = torch.autograd.grad(-likelihoods.sum(), list(leaves.values()))
        decoded = np.zeros((T, B), int)
        for b, best in enumerate(module.decode(scores, mask=mask)):
            decoded[: len(best), b] = best
        arrays |= {f"{title}/lengths": torch.tensor(lengths), f"{title}/log_likelihoods": likelihoods}
        arrays |= {f"{title}/d_{name}": array for name, array in zip(leaves, gradients, strict=True)}
        arrays[f"{title}/decoded"] = decoded
    return arrays


def write(name, arrays):
    plain = {key: a.detach().numpy() if isinstance(a, torch.Tensor) else a for key, a in arrays.items()}
    np.savez_compressed(HERE / f"{name}.npz", **plain)


def main():
    torch.set_default_dtype(torch.float64)
    random_seed = count(1)
    for name, make in CELLS.items():
        rng = np.random.default_rng(next(random_seed))
        write(name, cell_arrays(make, 1, rng) | cell_arrays(make, 2, rng))
    write("optimizers", optimizer_arrays(np.random.default_rng(next(random_seed))))
    write("clipping", clipping_arrays(np.random.default_rng(next(random_seed))))
    write("training_run", training_run_arrays(np.random.default_rng(next(random_seed))))
    for name, make in BIDIRECTIONAL.items():
        rng = np.random.default_rng(next(random_seed))
        write(name, cell_arrays(make, 1, rng, ["ragged"]) | cell_arrays(make, 2, rng, ["ragged"]))
    write("losses", loss_arrays(np.random.default_rng(next(random_seed))))
    write("crf", crf_arrays(np.random.default_rng(next(random_seed))))
    rng = np.random.default_rng(next(random_seed))
    arrays = {}
    for activation, centred in (("tanh", False), ("relu", False), ("relu", True), ("sigmoid", True)):
        arrays |= convolution_arrays(rng, activation, centred=centred)
    write("convolution", arrays)


if __name__ == "__main__":
    main()
