"""What reading and encoding a corpus comes to, written down with the whole of it in memory."""

from collections import Counter

import numpy as np

from rnncli.data import TOKENIZERS
from rnncli.training.randomness import generator


def text_of(files, encoding, level):
    """The bytes of files as one text."""
    texts = []
    for raw in files:
        if level == "byte":
            text = raw.decode("utf-8", "surrogateescape")
        else:
            text = raw.decode(encoding).removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        texts.append(text)
    return "".join(text if text.endswith("\n") else text + "\n" for text in texts[:-1]) + texts[-1]


def lines_of(text):
    return [line for line in text.split("\n") if line.strip()]


def cut_stream(text, shares, level):
    """Train, validation and test, where no word is torn and no part but the first has a single token."""
    tokenizer, size = TOKENIZERS[level], len(text)
    for test in (shares[1], 0):
        second = tokenizer.cut(text, size - round(size * test))
        second = second if len(tokenizer.split(text[second:])) >= 2 else size
        first = tokenizer.cut(text, second - round(size * shares[0]))
        first = first if len(tokenizer.split(text[first:second])) >= 2 else second
        if len(tokenizer.split(text[:first])) >= 2:
            return text[:first], text[first:second], text[second:]
    return text, "", ""


def deal_lines(lines, shares, seed):
    size = len(lines)
    order = generator(seed, "splitting").permutation(size)
    for test in (shares[1], 0):
        second = size - round(size * test)
        first = second - round(size * shares[0])
        if first > 0:
            break
    else:
        first = second = size
    bounds = ((0, first), (first, second), (second, size))
    return [[lines[i] for i in sorted(order[start:stop])] for start, stop in bounds]


def tokens_of(spec, files, seed):
    """Each split as a list of lists of tokens: of `files`, lists of bytes by split."""
    tokenizer, level, items = TOKENIZERS[spec.tokenizer.level], spec.tokenizer.level, spec.format == "lines"
    given = {name: text_of(raw, spec.encoding, level) for name, raw in files.items()}
    shares = [0 if name in given else getattr(spec.split, name) for name in ("validation", "test")]
    if items:
        parts = deal_lines(lines_of(given["train"]), shares, seed)
    else:
        parts = [[part] if part else [] for part in cut_stream(given["train"], shares, level)]
    parts = dict(zip(("train", "validation", "test"), parts, strict=True))
    for name in given.keys() - {"train"}:
        parts[name] = lines_of(given[name]) if items else [given[name]]
    return {
        name: [list(tokenizer.split(text.lower() if spec.tokenizer.lowercase else text)) for text in texts]
        for name, texts in parts.items()
    }


def encoded(spec, files, seed):
    """Tokens, counts, each split as a list of lists of ids, and their type."""
    level, items = spec.tokenizer.level, spec.format == "lines"
    tokens = tokens_of(spec, files, seed)
    count = Counter(token for sequence in tokens["train"] for token in sequence)
    ranked = sorted(count.items(), key=lambda entry: (-entry[1], entry[0]))
    if level == "byte":
        seen = sorted({*map(chr, range(256))} - count.keys())
        kept = ranked + [(token, 0) for token in seen]
    else:
        kept = [entry for entry in ranked if entry[1] >= spec.tokenizer.min_count][: spec.tokenizer.max_size]
    special = [] if level == "byte" else [("<unk>", count.total() - sum(n for _, n in kept))]
    if items:
        special += [("<bos>", len(tokens["train"])), ("<eos>", len(tokens["train"]))]
    names, counts = zip(*special, *kept, strict=True)
    ids = {token: number for number, (token, _) in enumerate(kept, len(special))}
    begin, end = ([names.index("<bos>")], [names.index("<eos>")]) if items else ([], [])
    splits = {
        name: [begin + [ids.get(token, 0) for token in sequence] + end for sequence in sequences]
        for name, sequences in tokens.items()
    }
    for name in ("validation", "test"):
        if not items and sum(map(len, splits[name])) < 2:
            splits[name] = []
    return names, counts, splits, np.min_scalar_type(len(names) - 1)
