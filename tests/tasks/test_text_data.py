import itertools
import tempfile
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rnncli.data import TOKENIZERS, TokenizerSpec
from rnncli.errors import DataError
from rnncli.tasks.text_data import read_dataset, read_other
from rnncli.tasks.text_spec import SplitSpec, TextDataSpec
from tests.data.small_vocabularies import built

SPLITS = ("train", "validation", "test")
HALVES = SplitSpec(validation=0.25, test=0.25)
SHARES = st.sampled_from([(0.0, 0.0), (0.05, 0.05), (0.3, 0.3), (0.5, 0.0), (0.0, 0.9)])


def read(folder, text, seed=1, vocabulary=None, **options):
    """The dataset of that text; other texts are written beside it as NAME.txt."""
    for name, other in {"train": text, **{name: options.pop(name) for name in SPLITS if name in options}}.items():
        (folder / f"{name}.txt").write_bytes(other.encode())
    given_files = {name: f"{name}.txt" for name in SPLITS if (folder / f"{name}.txt").exists()}
    return read_dataset(TextDataSpec(**given_files | options), seed, folder, vocabulary)


def sequences(part):
    """The id arrays of a split."""
    return [part.ids[start:stop] for start, stop in itertools.pairwise(part.starts[:].tolist())]


def texts(dataset):
    return {name: [dataset.vocabulary.decode(ids) for ids in sequences(dataset.part(name))] for name in SPLITS}


@settings(max_examples=60, deadline=None)
@given(st.text("ab \n.é中😀", min_size=2, max_size=60), st.sampled_from(sorted(TOKENIZERS)), SHARES)
def test_the_splits_of_a_stream_are_the_text_in_its_order(text, level, shares):
    tokenizer = TokenizerSpec(level)
    vocabulary = built([text], tokenizer, items=False)
    assume(len(vocabulary.encode(text)) >= 2)
    with tempfile.TemporaryDirectory() as folder:
        dataset = read(Path(folder), text, vocabulary=vocabulary, tokenizer=tokenizer, split=SplitSpec(*shares))
    parts = texts(dataset)
    assert "".join("".join(part) for part in parts.values()) == text
    assert dataset.tokens("train") >= 2
    for name in ("validation", "test"):
        assert dataset.tokens(name) == 0 or dataset.tokens(name) >= 2
    assert sum(map(dataset.tokens, SPLITS)) == len(vocabulary.encode(text))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("ab é", min_size=2, max_size=9), min_size=1, max_size=30), SHARES, st.integers(0, 3))
def test_the_splits_of_lines_deal_out_every_line_once(items, shares, seed):
    kept = [item for item in items if item.strip()]
    assume(kept)
    vocabulary = built(kept, TokenizerSpec(), items=True)
    text = "\n".join(items)
    with tempfile.TemporaryDirectory() as folder:
        options = {"format": "lines", "vocabulary": vocabulary, "split": SplitSpec(*shares), "seed": seed}
        dataset, again = (read(Path(folder), text, **options) for _ in range(2))
    parts = texts(dataset)
    assert sorted(line for part in parts.values() for line in part) == sorted(kept)
    assert parts["train"]
    assert texts(again) == parts


def test_another_seed_deals_other_lines(tmp_path):
    text = "\n".join(f"{number:02d}" for number in range(40))
    dealt = [texts(read(tmp_path, text, seed=seed, format="lines", split=HALVES)) for seed in (1, 2)]
    assert len(dealt[0]["test"]) == len(dealt[1]["test"]) == 10
    assert dealt[0]["test"] != dealt[1]["test"]


@pytest.mark.parametrize(
    ("given_files", "parts"),
    [
        ({}, ("abcdefgh", "ijkl", "mnop")),
        ({"validation": "papa"}, ("abcdefghijkl", "papa", "mnop")),
        ({"test": "papa"}, ("abcdefghijkl", "mnop", "papa")),
        ({"validation": "nono", "test": "papa"}, ("abcdefghijklmnop", "nono", "papa")),
    ],
)
def test_a_split_that_has_files_takes_nothing_from_the_training_text(tmp_path, given_files, parts):
    vocabulary = built(["abcdefghijklmnop"], TokenizerSpec(), items=False)
    dataset = read(tmp_path, "abcdefghijklmnop", vocabulary=vocabulary, split=HALVES, **given_files)
    assert texts(dataset) == dict(zip(SPLITS, ([part] for part in parts), strict=True))


def test_given_files_of_lines(tmp_path):
    dataset = read(tmp_path, "a\nb\nc\n\nab\n", format="lines", validation="ba\n\ncc", split=SplitSpec(0.5, 0.0))
    assert texts(dataset) == {"train": ["a", "b", "c", "ab"], "validation": ["ba", "cc"], "test": []}


def test_several_files_are_read_as_one_text_with_a_newline_between(tmp_path):
    for name, text in (("a", "one"), ("b", "two\n"), ("c", "three")):
        (tmp_path / name).write_text(text)
    spec = TextDataSpec(train=("a", "b", "c"), split=SplitSpec(0, 0))
    assert texts(read_dataset(spec, 1, tmp_path))["train"] == ["one\ntwo\nthree"]


@pytest.mark.parametrize(
    ("level", "tokens"),
    [
        ("character", ["H", "é", " ", "h", "é", "."]),
        ("byte", ["H", "\xc3", "\xa9", " ", "h", "\xc3", "\xa9", "."]),
        ("word", ["Hé", " hé", "."]),
    ],
)
def test_the_level_of_tokens(tmp_path, level, tokens):
    dataset = read(tmp_path, "Hé hé.", tokenizer=TokenizerSpec(level), split=SplitSpec(0, 0))
    assert [dataset.vocabulary.tokens[i] for i in dataset.splits.train.ids[:]] == tokens


def test_raw_bytes_come_through_at_byte_level(tmp_path):
    (tmp_path / "raw").write_bytes(b"\xff\0\r\n" * 5)
    spec = TextDataSpec(train="raw", tokenizer=TokenizerSpec("byte"), split=SplitSpec(0, 0))
    dataset = read_dataset(spec, 1, tmp_path)
    assert "".join(dataset.vocabulary.tokens[i] for i in dataset.splits.train.ids[:]) == "\xff\0\r\n" * 5


def test_the_vocabulary_is_that_of_the_training_part_alone(tmp_path):
    dataset = read(tmp_path, "aabbaabbaacd", split=SplitSpec(0.0, 0.17))
    assert set(dataset.vocabulary.tokens) == {"<unk>", "a", "b"}
    assert texts(dataset)["test"] == ["<unk><unk>"]
    assert dataset.notices == (
        "no validation split: the text is too short, or its share is 0",
        "100.00% of the test tokens are not in the vocabulary",
    )


@pytest.mark.parametrize("text", ["ab", "abc", "abcd"])
def test_a_text_too_short_to_split_says_so(tmp_path, text):
    dataset = read(tmp_path, text)
    assert texts(dataset) == {"train": [text], "validation": [], "test": []}
    assert [notice.split(":")[0] for notice in dataset.notices] == ["no validation split", "no test split"]


def test_one_given_token_has_nothing_to_predict(tmp_path):
    assert texts(read(tmp_path, "abcabc", validation="a"))["validation"] == []
    assert texts(read(tmp_path, "ab\nac", format="lines", validation="a"))["validation"] == ["a"]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("a", {}, "the training text has 1 tokens, and at least 2 are needed"),
        ("unbroken", {"tokenizer": TokenizerSpec("word")}, "the training text has 1 tokens"),
        ("a\n\n", {"format": "lines"}, "the training text has 1 tokens"),
        ("\n \n", {"format": "lines"}, "no text"),
        ("", {}, "the file is empty"),
        ("abc", {"tokenizer": TokenizerSpec(min_count=2)}, "no character occurs 2 times"),
        ("abc", {"validation": ""}, r"validation.txt: the file is empty"),
    ],
)
def test_a_text_with_nothing_to_learn_is_refused(tmp_path, text, options, message):
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path, text, **options)
    assert len(str(caught.value).splitlines()) == 1


def test_no_text_at_all_is_refused(tmp_path):
    with pytest.raises(DataError, match="no training text; name a file"):
        read_dataset(TextDataSpec(), 1, tmp_path)


def test_shares_must_leave_something():
    with pytest.raises(ValueError, match="must leave a part to train on"):
        SplitSpec(0.5, 0.5)


def test_the_fingerprint_is_of_what_is_trained_and_validated_on(tmp_path):
    def fingerprint(text, **options):
        return read(tmp_path, text, **options).fingerprint

    text = "abcd" * 10
    assert fingerprint(text) == fingerprint(text)
    others = [text[:-1], "b" + text[1:], text[:36] + "dc" + text[38:]]
    assert fingerprint(text) not in {fingerprint(other) for other in others}
    lines = {text: fingerprint(text, format="lines", split=SplitSpec(0, 0)) for text in ("ab\nc", "a\nbc", "ab\n\nc\n")}
    assert lines["ab\nc"] != lines["a\nbc"]
    assert lines["ab\nc"] == lines["ab\n\nc\n"]


def test_other_files_are_read_with_a_given_vocabulary(tmp_path):
    vocabulary = built(["abc"], TokenizerSpec(), items=False)
    (tmp_path / "other").write_text("cabx")
    given, notices = read_other(TextDataSpec(), (str(tmp_path / "other"),), vocabulary)
    assert vocabulary.decode(given.ids[:]) == "cab<unk>"
    assert notices == ["25.00% of the given tokens are not in the vocabulary"]
    (tmp_path / "other").write_text("cab")
    assert read_other(TextDataSpec(), (str(tmp_path / "other"),), vocabulary)[1] == []
    (tmp_path / "other").write_text("c")
    with pytest.raises(DataError, match="other: too short to evaluate on"):
        read_other(TextDataSpec(), (str(tmp_path / "other"),), vocabulary)


def test_files_of_a_folder_that_are_no_text_are_named(tmp_path):
    (tmp_path / "texts").mkdir()
    for name, content in (("a.txt", b"abab"), ("b.png", b"\x89\0"), ("c.txt", b"baba")):
        (tmp_path / "texts" / name).write_bytes(content)
    dataset = read_dataset(TextDataSpec(train="texts", split=SplitSpec(0.0, 0.5)), 1, tmp_path)
    assert texts(dataset) == {"train": ["abab\n"], "validation": [], "test": ["baba"]}
    assert dataset.notices[0] == f"files that are not text, left out: 1, the first {tmp_path / 'texts' / 'b.png'}"
