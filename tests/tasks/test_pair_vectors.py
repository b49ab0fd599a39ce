"""Pairs whose sources are vectors: arrays beside sentences, columns of numbers, lists in JSONL."""

import numpy as np
import pytest

from rnncli.tasks.sequence_inputs import Standardization
from tests.tasks.written_pairs import captions, others, refusal, spelled, translations, with_split

ROWS = np.array([[1, 10], [3, 10], [5, 10]], np.float32)
NAMED = {"x": ROWS, "names": np.array(["a", "b", "c"])}
RAW = {"standardize": False}


def sentences(dataset):
    return [(source, target) for part in dataset.splits for source, target in spelled(part, dataset.resources)]


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"x.npy": ROWS, "c.txt": "one\ntwo\nthree\n"}, [(0, "one"), (1, "two"), (2, "three")]),
        ({"x.npz": {"x": ROWS}, "c.tsv": "one\ntwo\nthree\n"}, [(0, "one"), (1, "two"), (2, "three")]),
        ({"x.npy": ROWS, "c.tsv": "2\tone\n0\ttwo\n02\tthree\n1\tfour\n"},
         [(2, "one"), (0, "two"), (2, "three"), (1, "four")]),
        ({"x.npz": NAMED, "c.txt": "b\tone\nb\ttwo\nc\tone\na\tone\n"},
         [(1, "one"), (1, "two"), (2, "one"), (0, "one")]),
        ({"x.npz": NAMED, "c.txt": "one\ntwo\nthree\n"}, [(0, "one"), (1, "two"), (2, "three")]),
        ({"x.npz": NAMED | {"names": np.arange(7, 10)}, "c.csv": "source,target\n9,one\n8,two\n7,x\n"},
         [(2, "one"), (1, "two"), (0, "x")]),
        ({"x.npz": NAMED, "c.jsonl": '{"source": "c", "target": "one"}\n{"source": "a", "target": "x"}\n'
          '{"source": "b", "target": "x"}'}, [(2, "one"), (0, "x"), (1, "x")]),
        ({"x.npz": {"x": ROWS[:, None]}, "c.txt": "one\ntwo\nthree\n"}, [(0, "one"), (1, "two"), (2, "three")]),
    ],
)  # fmt: skip
def test_rows_go_with_sentences(tmp_path, files, found):
    dataset = captions(tmp_path, files, **RAW)
    assert sentences(dataset) == [([ROWS[row].tolist()], text) for row, text in found]
    assert dataset.splits.train.source_text is None
    assert not any("left out" in notice for notice in dataset.notices)
    assert dataset.splits.train.place(0) == f"{tmp_path}/{[*files][1]}:{2 if 'c.csv' in files else 1}"
    assert dataset.source.width == 2
    assert dataset.resources["source"].keys() == {"standardization"}
    assert dataset.resources["longest"] == [1, 1]


def test_columns_of_the_sentences_by_number(tmp_path):
    files = {"x.npz": NAMED, "c.txt": "1\tone\ta\n2\ttwo\tb\n3\tx\tc\n"}
    dataset = captions(tmp_path, files, source=-1, target=2, **RAW)
    assert sentences(dataset) == [([ROWS[row].tolist()], text) for row, text in enumerate(("one", "two", "x"))]


def test_rows_without_a_sentence_are_left_out_and_counted(tmp_path):
    files = {"x.npz": NAMED, "y.npy": ROWS, "c.tsv": "c\tone\n", "d.tsv": "0\ttwo\n1\ttwo\n2\ttwo\n"}
    dataset = captions(tmp_path, files, **RAW)
    assert sentences(dataset) == [([ROWS[2].tolist()], "one")] + [([row], "two") for row in ROWS.tolist()]
    assert dataset.notices[0] == f"{tmp_path}/x.npz: rows without a sentence, left out: 2, first row 0"
    assert sum("left out" in notice for notice in dataset.notices) == 1


def test_sequences_of_vectors(tmp_path):
    x = np.arange(12, dtype=np.float32).reshape(6, 2)
    files = {"x.npz": {"x": x, "lengths": np.array([2, 1, 3])}, "c.txt": "one\ntwo\nthree\n"}
    dataset = translations(tmp_path, files, **RAW)
    wanted = [(x[:2].tolist(), "one"), (x[2:3].tolist(), "two"), (x[3:].tolist(), "three")]
    assert sentences(dataset) == wanted
    assert dataset.resources["longest"] == [3, 1]
    padded = np.zeros((3, 3, 2))
    padded[0, :2], padded[1, :1], padded[2] = x[:2], x[2:3], x[3:]
    files = {"x.npz": {"x": padded, "lengths": np.array([2, 1, 3])}, "c.txt": "one\ntwo\nthree\n"}
    assert sentences(translations(tmp_path, files, **RAW)) == wanted
    lines = "".join(f'{{"source": {source}, "target": "{target}"}}\n' for source, target in wanted)
    assert sentences(translations(tmp_path, {"p.jsonl": lines}, **RAW)) == wanted
    assert len(translations(tmp_path, files, max_length=2, **RAW).splits.train) == 2
    message = "a sequence of 2 vectors, where one is captioned; for a text of a sequence set task: translation"
    assert refusal(tmp_path, captions, files) == f"x.npz: row 0: {message}"
    assert refusal(tmp_path, captions, {"p.jsonl": lines}) == f"p.jsonl:1: {message}"
    known = captions(tmp_path, {"y.npy": x, "d.txt": "one\n" * 6}).resources
    message = "x.npz: row 0: a sequence of 2 vectors, where the model reads one; give one for each text"
    assert refusal(tmp_path, others, files, known, single=True) == message


def test_single_vectors_where_sequences_are_read(tmp_path):
    single = "each source is a single vector"
    rows = {"x.npy": ROWS, "c.txt": "one\ntwo\nthree\n"}
    x, lengths = np.ones((3, 2), np.float32), np.array([1, 2])
    sequences = {"s.npz": {"x": x, "lengths": lengths}, "d.txt": "one\ntwo\n"}
    notice = f"{single}: for those there is task: captioning, too"
    assert notice in translations(tmp_path, rows).notices
    known = translations(tmp_path, sequences)
    assert not [notice for notice in (*known.notices, *captions(tmp_path, rows).notices) if single in notice]
    _, notices = others(tmp_path, rows, known.resources)
    assert f"{single}, where the model was trained on sequences of them" in notices
    assert not [notice for notice in others(tmp_path, sequences, known.resources)[1] if single in notice]
    assert not [n for n in others(tmp_path, rows, translations(tmp_path, rows).resources)[1] if single in n]


def test_columns_of_numbers(tmp_path):
    files = {"p.csv": "p1,target,p2\n1,one,10\n3,two,10\n5,one,10\n"}
    dataset = captions(tmp_path, files, columns=("p*",), **RAW)
    assert sentences(dataset) == [([row], text) for row, text in zip(ROWS.tolist(), ("one", "two", "one"), strict=True)]
    assert dataset.sizes()["features"] == 2
    assert dataset.summary() == "vectors of 2 → 5 tokens, 3 pairs to train on"


def test_vectors_are_standardized_by_those_to_train_on_each_counted_once(tmp_path):
    x = np.random.default_rng(0).normal(3, 2, (40, 3)).astype(np.float32)
    x[:, 2] = 7
    lines = "".join(f"{row}\tx\n" for row in [*range(40), *[3] * 50])
    files = {"x.npy": x, "c.tsv": lines, "v.tsv": "1\tx\n"}
    dataset = captions(tmp_path, files, train=("x.npy", "c.tsv"), validation=("x.npy", "v.tsv"), **with_split(0, 0.25))
    train = np.unique(dataset.splits.train.source.order)
    assert 20 < len(train) < 40
    scale = Standardization.from_plain(dataset.resources["source"]["standardization"])
    np.testing.assert_allclose(scale.mean, x[train].mean(0), rtol=1e-6)
    np.testing.assert_allclose(scale.deviation, [*x[train].std(0)[:2], 1], rtol=1e-5)
    for part in dataset.splits:
        for i in range(len(part)):
            row = int(part.place(i).rpartition(":")[2]) - 1 if "c.tsv" in part.place(i) else 1
            np.testing.assert_array_equal(part.source.of(i), scale.apply(x[[row if row < 40 else 3]]))
    again = captions(tmp_path, files, train=("x.npy", "v.tsv"), resources=dataset.resources)
    np.testing.assert_array_equal(again.splits.train.source.of(0), dataset.splits.validation.source.of(0))


def test_vectors_that_rows_share_are_kept_once_and_stay_in_one_part(tmp_path):
    x = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    lines = "".join(f"{number % 20}\tt{number}\n" for number in range(100))
    dataset = captions(tmp_path, {"x.npy": x, "c.tsv": lines}, **with_split(0.2, 0.2))
    train = dataset.splits.train
    assert [len(part) for part in dataset.splits] == [60, 20, 20]
    assert train.source.stored.shape == (20, 3)
    assert all(part.source.stored is train.source.stored for part in dataset.splits)
    rows = [{part.source.of(i).tobytes() for i in range(len(part))} for part in dataset.splits]
    assert [len(each) for each in rows] == [12, 4, 4]
    assert len(set.union(*rows)) == 20


def test_equal_vectors_of_a_table_stay_in_one_part(tmp_path):
    rows = "".join(f"{number % 10},t{number}\n" for number in range(100))
    dataset = captions(tmp_path, {"p.csv": f"p,target\n{rows}"}, columns=("p",), **with_split(0.2, 0.2))
    values = [{float(part.source.of(i)[0, 0]) for i in range(len(part))} for part in dataset.splits]
    assert [len(each) for each in values] == [6, 2, 2]


def test_the_fingerprint_is_of_the_vectors_too(tmp_path):
    files = {"x.npy": ROWS, "c.txt": "one\ntwo\nthree\n"}
    known = captions(tmp_path, files)
    again = captions(tmp_path, files | {"x.npy": ROWS[[0, 2, 1]]}, resources=known.resources)
    assert known.fingerprint == captions(tmp_path, files, resources=known.resources).fingerprint != again.fingerprint


def test_other_files_for_a_model(tmp_path):
    known = captions(tmp_path, {"x.npy": ROWS, "c.txt": "one\ntwo\nthree\n"}).resources
    part, notices = others(
        tmp_path, {"p.csv": "p1,p2,target\n3,10,two\n3,10,four\n"}, known, single=True, columns=("p*",)
    )
    assert part.source.of(0).tolist() == part.source.of(1).tolist() == [[0, 0]]
    assert spelled(part, known)[1] == ([[0, 0]], "<unk>")
    assert notices == ["50.00% of the given target tokens are not in the vocabulary"]
    part, _ = others(tmp_path, {"y.npy": ROWS[:1], "d.txt": "two\n"}, known, single=True, columns=("p*",))
    np.testing.assert_allclose(part.source.of(0), [[-np.sqrt(1.5), 0]], rtol=1e-6)
    assert refusal(tmp_path, others, {"z.npy": np.ones((1, 3)), "d.txt": "two\n"}, known, single=True) == (
        "z.npy: row 0: vectors of 3 numbers, where the model reads vectors of 2"
    )


A_LINE_EACH = "give a line for each row, or the number of its row and a tab before each sentence"
NO_ROW = "is no number of a row, from 0 to 2; write one, or save an array names"
ONE_TAB = "one tab between two cells, and none within"
SAVE_ALL = "save it with numpy.savez(file, x=vectors, lengths=lengths, y=labels)"
NOT_FINITE = "step 0, dimension 0 is nan, not finite as float32; mend it, or leave the sequence out"
ADD_UP = "the lengths add up to 2 steps, but x has 3; save the number of steps of each sequence"
EMPTY = "c.txt:2: an empty target; write one, or leave the pair out"
WRONG = "write one of the array names"
SAVE = "save x as (R, D); for sequences lengths too, or x as (R, T, D)"


@pytest.mark.parametrize(
    ("arrays", "lines", "message"),
    [
        (ROWS, "one\ntwo\n", f"c.txt: 2 sentences for 3 rows; {A_LINE_EACH}"),
        (ROWS, "one\n" * 4, f"c.txt: 4 sentences for 3 rows; {A_LINE_EACH}"),
        (ROWS, "one\n\nthree\n", EMPTY),
        (ROWS, "one\n\nthree\nfour\n", EMPTY),
        (ROWS, "0\tone\n3\ttwo\n", f'c.txt:2: "3" {NO_ROW}'),
        (ROWS, "-1\tone\n", f'c.txt:1: "-1" {NO_ROW}'),
        (ROWS, "²\tone\n", f'c.txt:1: "²" {NO_ROW}'),
        (ROWS, "0\t \n", "c.txt:1: an empty target; write one, or leave the pair out"),
        (ROWS, "0\tone\t1\n0\tone\n", f"c.txt:2: 2 cells between tabs, where c.txt:1 has 3; {ONE_TAB}"),
        (NAMED, "a\tone\nd\ttwo\n", f'c.txt:2: no row is called "d"; {WRONG}'),
        (NAMED | {"names": np.array(["a", "b"])}, "a\tone\n",
         "x.npz: names is texts (2,) for 3 rows; save a name for each"),
        (NAMED | {"names": np.array(["a", "b", "a"])}, "a\tone\n",
         'x.npz: two rows are called "a"; rename one of them'),
        ({"y": ROWS}, "one\n", f"x.npz: it holds no array x; {SAVE_ALL}"),
        (ROWS[:0], "one\n", f"x.npy: x is float32 (0, 2); {SAVE}"),
        (ROWS[:, :0], "one\n", f"x.npy: x is float32 (3, 0); {SAVE}"),
        (np.ones(()), "one\n", f"x.npy: x is float64 (); {SAVE}"),
        ({"x": np.array([["a"]])}, "one\n", f"x.npz: x is texts (1, 1); {SAVE}"),
        (np.array([[1, 2], [np.nan, 3]]), "one\ntwo\n", f"x.npy: row 1: {NOT_FINITE}"),
        ({"x": ROWS, "lengths": np.array([1, 1])}, "one\ntwo\n", f"x.npz: {ADD_UP}"),
        (ROWS * 1e30, "one\ntwo\nthree\n", None),
    ],
)  # fmt: skip
def test_what_is_refused(tmp_path, arrays, lines, message):
    files = {"x.npz" if isinstance(arrays, dict) else "x.npy": arrays, "c.txt": lines}
    if message is None:
        assert captions(tmp_path, files).splits.train.source.stored.std() == pytest.approx(np.sqrt(0.5), rel=1e-5)
    else:
        assert refusal(tmp_path, captions, files) == message


def test_files_of_different_widths_and_files_that_nothing_goes_with(tmp_path):
    files = {"x.npy": ROWS, "y.npy": np.ones((1, 3)), "c.txt": "one\ntwo\nthree\n", "d.txt": "four\n"}
    assert refusal(tmp_path, captions, files) == "y.npy: row 0: vectors of 3 numbers, where those before have 2"
    assert refusal(tmp_path, captions, {"x.npy": ROWS}) == (
        "no file of sentences to go with x.npy; name the files of arrays, then as many of sentences"
    )
    message = "arrays have no columns of numbers: their rows are the vectors; leave data.columns out"
    assert refusal(tmp_path, captions, {"x.npy": ROWS, "c.txt": "a\n"}, columns=("p*",)) == message
    assert refusal(tmp_path, captions, {"p.csv": "p,target\n1e39,a\n"}, columns=("p",)) == (
        "p.csv:2: a number is beyond 3.4e38, the largest float32; use another unit"
    )
    assert refusal(tmp_path, captions, {}) == (
        "no training data; "
        "name a file: rnncli train --task captioning features.npz captions.tsv, or data.train in the spec"
    )


def test_a_number_too_large_to_be_squared_is_named_where_it_is(tmp_path):
    x = np.array([[1, 2], [1, 2], [3e38, 1]], np.float64)
    files = {"x.npy": x, "c.txt": "one\ntwo\nthree\n"}
    dataset = captions(tmp_path, files)
    assert np.isfinite(dataset.splits.train.source.stored).all()
    known = captions(tmp_path, {"x.npy": ROWS * 1e-30, "c.txt": "one\ntwo\nthree\n"}).resources
    message = refusal(tmp_path, captions, files, resources=known)
    assert message.startswith("x.npy: row 2: 3e+38 is too far from a mean of 3e-30 with a deviation of ")
