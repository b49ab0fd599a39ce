"""Files of pairs in a folder, read as data of translation or captioning."""

from dataclasses import replace

import numpy as np
import pytest

from rnncli.data import TokenizerSpec
from rnncli.errors import RnncliError
from rnncli.tasks.pair_data import read_dataset, read_other
from rnncli.tasks.pair_spec import CaptioningDataSpec, TranslationDataSpec
from rnncli.tasks.protocol import silent
from rnncli.tasks.text_spec import SplitSpec

WORDS = TokenizerSpec(level="word")
WHOLE = SplitSpec(validation=0, test=0)


def written(folder, files):
    """Write texts in UTF-8, bytes, and arrays: one as `.npy`, several by name as `.npz`."""
    for name, content in files.items():
        if isinstance(content, dict):
            np.savez(folder / name, **content)
        elif isinstance(content, np.ndarray):
            np.save(folder / name, content)
        else:
            (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())


def translations(folder, files, *, resources=None, seed=1, report=silent, **settings):
    """Read the files of texts, or of sequences, which are all to train on unless the settings say otherwise."""
    written(folder, files)
    spec = TranslationDataSpec(**{"train": tuple(files), "tokenizer": WORDS, "split": WHOLE} | settings)
    return read_dataset(spec, seed, folder, resources, report, single=False)


def captions(folder, files, *, resources=None, seed=1, **settings):
    """Read the same where a source is one vector."""
    written(folder, files)
    spec = CaptioningDataSpec(**{"train": tuple(files), "split": WHOLE} | settings)
    return read_dataset(spec, seed, folder, resources, silent, single=True)


def others(folder, files, resources, *, single=False, **settings):
    """Read files that are no part of the spec."""
    written(folder, files)
    spec = (CaptioningDataSpec if single else TranslationDataSpec)(**{"tokenizer": WORDS} | settings)
    return read_other(spec, tuple(str(folder / name) for name in files), resources, silent, single=single)


def refusal(folder, read, *arguments, **options):
    """Return the message with which it is refused."""
    with pytest.raises(RnncliError) as caught:
        read(folder, *arguments, **options)
    line = str(caught.value).replace(f"{folder}/", "")
    assert line.isprintable()
    assert len(line) <= 240, line
    return line


def vocabularies(dataset):
    """Return what a checkpoint holds of the tokens of sources, and of targets."""
    return dataset.resources["source"]["vocabulary"], dataset.resources["target"]


def spelled(part, resources):
    """Return the pairs of a part by way of their ids: (source, target), texts or vectors (S, D) as lists."""
    found = []
    for i in range(len(part)):
        source = part.source.of(i)
        vocabulary = resources["source"].get("vocabulary")
        left = text_of(source, vocabulary) if vocabulary else source.tolist()
        found.append((left, text_of(part.target.of(i), resources["target"])))
    return found


def text_of(ids, plain):
    """Return a text without the space that is read before its first word."""
    text = "".join(plain["tokens"][token] for token in ids)
    return text.removeprefix(" ") if plain["tokenizer"]["level"] == "word" else text


def with_split(validation, test, **settings):
    """Return settings with shares."""
    return {"split": replace(WHOLE, validation=validation, test=test), **settings}
