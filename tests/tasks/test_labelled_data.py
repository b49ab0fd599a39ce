import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncli.data import TokenizerSpec
from rnncli.errors import DataError
from rnncli.tasks.sequence_inputs import Standardization, inputs_of
from tests.tasks.labelled_runs import CSV, EXAMPLES, VALUES, labelled_task, regression_task


def read(base, task, resources=None, **files):
    for name, text in {"data.csv": CSV, "values.csv": VALUES, **files}.items():
        (base / name).write_text(text)
    return task.read(base, resources)


def texts(dataset, split):
    """(text, label) of every example of a part, by way of the ids."""
    part, tokens = getattr(dataset.splits, split), dataset.resources["vocabulary"]["tokens"]
    return [
        (" ".join(tokens[token] for token in part.input(i)), dataset.resources["outputs"][part.targets[i]])
        for i in range(len(part))
    ]


def test_every_example_is_in_one_part_with_its_label_and_its_line(tmp_path):
    dataset = read(tmp_path, labelled_task())
    found = [example for split in ("train", "validation", "test") for example in texts(dataset, split)]
    assert sorted(found) == sorted(EXAMPLES)
    for part in dataset.splits:
        for i, place in enumerate(part.places):
            line = int(place.rpartition(":")[2])
            assert dataset.resources["outputs"][part.targets[i]] == EXAMPLES[line - 2][1]
    sizes = dataset.sizes()
    assert [sizes[f"{name}_sequences"] for name in ("train", "validation", "test")] == [96, 12, 12]


def test_parts_have_their_share_of_every_label(tmp_path):
    rows = "text,label\n" + "x y,a\n" * 80 + "x y,b\n" * 20 + "x y,c\n" * 10
    dataset = read(tmp_path, labelled_task(), **{"data.csv": rows})
    counts = [np.bincount(part.targets, minlength=3).tolist() for part in dataset.splits]
    assert counts == [[64, 16, 8], [8, 2, 1], [8, 2, 1]]


def test_a_label_with_one_example_is_trained_on_and_named(tmp_path):
    dataset = read(tmp_path, labelled_task(), **{"data.csv": CSV + "a film,only\n"})
    assert dataset.resources["outputs"] == ["neg", "only", "pos"]
    assert (dataset.splits.train.targets == 1).sum() == 1
    assert "labels with one example to train on: 1, the first only" in dataset.notices


def test_files_of_their_own_are_not_split_off_and_labels_and_words_come_from_training_alone(tmp_path):
    task = labelled_task({"validation": "v.csv", "split": task_split(0.5, 0.0)})
    dataset = read(tmp_path, task, **{"v.csv": "text,label\nthe best of films,pos\na new,neutral\n"})
    assert [len(part) for part in dataset.splits] == [120, 2, 0]
    assert dataset.resources["outputs"] == ["neg", "pos"]
    assert texts(dataset, "validation")[0] == ("the <unk> <unk> <unk>", "pos")
    assert dataset.splits.validation.targets.tolist() == [1, -1]
    assert dataset.splits.validation.unknown.tolist() == [False, True]
    assert any(notice.startswith("66.67% of the validation tokens are not") for notice in dataset.notices)
    name = "validation examples with a label that is not in the training part: 1, first "
    assert any(notice.startswith(name) and notice.endswith("v.csv:3") for notice in dataset.notices)
    assert any(notice.startswith("no test split") for notice in dataset.notices)


def task_split(validation, test):
    from rnncli.tasks.text_spec import SplitSpec

    return SplitSpec(validation=validation, test=test)


def test_given_resources_are_kept(tmp_path):
    known = read(tmp_path, labelled_task()).resources
    again = read(tmp_path, labelled_task(), known, **{"data.csv": CSV.replace("film", "book")})
    assert again.resources == known
    assert any("book" in text for text, _ in EXAMPLES) is False
    assert sum("<unk>" in text for text, _ in texts(again, "train")) > 10


def test_only_the_first_steps_are_read_where_there_is_a_limit(tmp_path):
    dataset = read(tmp_path, labelled_task({"max_length": 2}))
    assert max(part.lengths.max() for part in dataset.splits) == 2
    assert sorted(text for part in ("train", "validation", "test") for text, _ in texts(dataset, part)) == sorted(
        " ".join(text.split()[:2]) for text, _ in EXAMPLES
    )


@pytest.mark.parametrize("level", ["character", "byte", "word"])
def test_a_text_is_read_in_training_as_it_is_later(tmp_path, level):
    rows = "text,label\n" + "Größe (7) zählt!,a\n" * 5 + "so what?,b\n" * 5
    task = labelled_task({"tokenizer": TokenizerSpec(level, lowercase=True), "split": task_split(0.0, 0.0)})
    dataset = read(tmp_path, task, **{"data.csv": rows})
    ids = inputs_of(dataset.resources).read("Größe (7) zählt!", "")
    first = int(dataset.splits.train.targets.argmin())
    np.testing.assert_array_equal(dataset.splits.train.input(first), ids)
    lengths = {"character": 16, "byte": 19, "word": 6}
    assert len(ids) == lengths[level]


def test_vectors_are_standardized_over_the_training_part(tmp_path):
    dataset = read(tmp_path, regression_task())
    train = dataset.splits.train
    np.testing.assert_allclose(train.values.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(train.values.std(axis=0), 1, atol=1e-6)
    np.testing.assert_allclose(train.targets.mean(axis=1), 0, atol=1e-6)
    np.testing.assert_allclose(train.targets.std(axis=1), 1, atol=1e-6)
    scale = dataset.resources["scale"]
    assert dataset.resources["outputs"] == ["target"]
    line = int(train.places[0].rpartition(":")[2])
    value = float(VALUES.split("\n")[line - 1].split(",")[2])
    assert train.targets[0, 0] * scale["deviation"][0] + scale["mean"][0] == pytest.approx(value, rel=1e-5)
    plain = read(tmp_path, regression_task({"standardize": False}))
    assert plain.resources["standardization"] == {"mean": [0.0, 0.0], "deviation": [1.0, 1.0]}
    assert plain.splits.train.values.max() > 30


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("text,label\na b,x\nc,x\n", r'data.csv:2 and all others to train on have only the label "x"; give examples'),
        ("text,label\n", "holds no examples"),
        ("text,label\na,x\n ,y\n", "data.csv:3: the text is empty"),
        ("text,label\na\n", "data.csv:2: 1 cells"),
        ("text,labels\na,b\n", 'data.csv:1: no column "label"; did you mean "labels"'),
    ],
)
def test_examples_that_nothing_can_be_learnt_from(tmp_path, rows, message):
    with pytest.raises(DataError, match=message):
        read(tmp_path, labelled_task(), **{"data.csv": rows})


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("hours,sleep,target\n1,2,3\n4,5,x\n", 'values.csv:3: "x" is not a finite number'),
        ("hours,sleep,target\n1,2,inf\n4,5,1\n", 'values.csv:2: "inf" is not a finite number'),
        ("hours,sleep,target\n1,2,3\n4,5,3\n", "have the same value, 3"),
        ("hours,sleep,target\n1,nan,3\n4,5,3\n", 'values.csv:2: column "sleep": "nan" is not a finite number'),
    ],
)
def test_values_that_nothing_can_be_learnt_from(tmp_path, rows, message):
    task = regression_task({"split": task_split(0.0, 0.0)})
    with pytest.raises(DataError, match=message):
        read(tmp_path, task, **{"values.csv": rows})


def test_a_model_of_texts_reads_no_vectors_and_the_other_way_round(tmp_path):
    words, numbers = read(tmp_path, labelled_task()).resources, read(tmp_path, regression_task()).resources
    with pytest.raises(DataError, match=r"where: vectors, where the model reads texts"):
        inputs_of(words).read(np.zeros((3, 2)), "where")
    with pytest.raises(DataError, match="where: a text, where the model reads vectors of 2 numbers"):
        inputs_of(numbers).read("a text", "where")
    with pytest.raises(DataError, match="where: vectors of 3 numbers, where the model reads vectors of 2"):
        inputs_of(numbers).read(np.zeros((3, 3)), "where")
    with pytest.raises(DataError, match="where: the text is empty"):
        inputs_of(words).read(" \t", "where")


@given(
    st.lists(st.lists(st.tuples(st.floats(-1e6, 1e6), st.just(3.5)), min_size=1, max_size=4), min_size=1, max_size=5)
)
def test_standardization_can_be_undone_and_stored(sequences):
    vectors = [np.array(each) for each in sequences]
    every = np.concatenate(vectors)
    standard = Standardization.of(every)
    assert Standardization.from_plain(standard.to_plain()) == standard
    assert (standard.mean[1], standard.deviation[1]) == (3.5, 1.0)
    tolerance = 1e-5 * max(1.0, np.abs(every).max())
    np.testing.assert_allclose(standard.undo(standard.apply(every)), every, atol=tolerance)
    assert abs(standard.apply(every)[:, 0].mean(dtype=float)) < 1e-3 * max(
        1, np.abs(every).max() / standard.deviation[0]
    )


@pytest.mark.parametrize(
    "plain",
    [None, {}, {"mean": [], "deviation": []}, {"mean": [0.0], "deviation": [0.0]}, {"mean": [1], "deviation": [1.0]}],
)
def test_what_is_no_standardization_is_refused(plain):
    with pytest.raises(DataError):
        Standardization.from_plain(plain)
