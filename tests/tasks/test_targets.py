import tracemalloc
import warnings

import numpy as np
import pytest

from rnncli.errors import DataError
from rnncli.tasks import targets
from rnncli.tasks.sequence_inputs import Inputs, Standardization
from rnncli.tasks.targets import LabelTargets, ValueTargets

ONE, SEVERAL, VALUES = LabelTargets("label", False), LabelTargets("labels", True), ValueTargets("target")


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def peak(run):
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def places(labels):
    return [f"a.csv:{i + 2}" for i in range(len(labels))]


def test_classes_are_numbered_in_the_order_of_their_names():
    labels = [("b",), ("é",), ("a",), ("b",), ("B",)]
    assert ONE.classes(labels).tolist() == [2, 3, 1, 2, 0]
    assert SEVERAL.classes(labels) is None


def test_a_long_label_takes_no_room_for_the_others():
    labels = [("a",)] * 3000 + [("x" * 100_000,)]
    assert peak(lambda: ONE.classes(labels)) < 1_000_000


def test_several_labels_take_a_byte_each():
    labels = [(f"label {i % 1000}",) for i in range(4000)]
    resources = SEVERAL.resources(labels, places(labels))
    assert peak(lambda: SEVERAL.encode(labels, places(labels), resources)) < 4_500_000
    encoded, unknown = SEVERAL.encode([("label 1", "label 10"), ()], places("ab"), resources)
    assert unknown is None
    assert np.argwhere(encoded).tolist() == [[1, 0], [2, 0]]


def test_more_answers_than_fit_are_refused(monkeypatch):
    monkeypatch.setattr(targets, "MOST_ANSWERS", 6)
    labels = [("a",), ("b",), ("a", "b")]
    resources = SEVERAL.resources(labels, places(labels))
    assert SEVERAL.encode(labels, places(labels), resources)[0].tolist() == [[1, 0, 1], [0, 1, 1]]
    with pytest.raises(DataError, match="2 labels for each of 4 sequences are more than 6; leave rare labels out"):
        SEVERAL.encode([*labels, ()], places("abcd"), resources)


def test_labels_with_one_example_are_shown_shortened():
    with pytest.raises(DataError) as caught:
        ONE.resources([("x" * 900,)] * 2, places("ab"))
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("text", ["1_000", "nan", "inf", "one", "x" * 3000])
def test_what_is_no_value(text):
    with pytest.raises(DataError, match=r"^a\.csv:3: .* is not a finite number; write one$") as caught:
        VALUES.resources([("1",), (text,)], places("ab"))
    assert len(str(caught.value)) < 100


def test_values_beyond_what_can_be_squared():
    with pytest.raises(DataError, match=r"^a\.csv:4: 1e\+200 is too large to be squared"):
        VALUES.resources([("1",), ("-3",), ("1e200",)], places("abc"))
    with pytest.raises(DataError, match="have the same value, 1e"):
        VALUES.resources([("1e308",), ("1e308",)], places("ab"))
    with pytest.raises(DataError, match=r"^a\.csv:2: 1e\+308 is too large"):
        VALUES.resources([("1e308",), ("-1e308",)], places("ab"))


def test_values_far_from_those_of_training():
    resources = VALUES.resources([("1",), ("2",)], places("ab"))
    assert resources == {"outputs": ["target"], "scale": {"mean": [1.5], "deviation": [0.5]}}
    assert VALUES.encode([("3e38",), ("-1",)], places("ab"), {"scale": {"mean": [0.0], "deviation": [1.0]}})[0].shape
    with pytest.raises(DataError, match=r"^a\.csv:3: 3e\+38 is too far from a mean of 1\.5 with a deviation of 0\.5"):
        VALUES.encode([("1",), ("3e38",)], places("ab"), resources)


def test_vectors_far_from_those_of_training():
    rows = (1 << 16) + 3  # more than are standardized at a time
    x = np.zeros((rows, 2), np.float32)
    x[-2, 1] = 3e38
    inputs = Inputs(None, Standardization((0.0, 0.0), (1.0, 1e-3)))
    for where, expected in (("here", "here"), (lambda row: f"row {row}", f"row {rows - 2}")):
        with pytest.raises(DataError, match=rf"^{expected}: 3e\+38 is too far from a mean of 0 with a deviation"):
            inputs.standardized(x, where)
    x[-2, 1] = -3
    assert inputs.standardized(x, "here")[-3:].tolist() == [[0, 0], [0, -3000], [0, 0]]


@pytest.mark.parametrize("value", [0.1, 1e-200, 1e300, -0.7])
def test_a_constant_has_the_deviation_1(value):
    found = Standardization.of(np.full((48, 1), value))
    assert found.deviation == (1.0,)
    assert Standardization.of(np.array([[0.0], [1e-200]])).deviation == (1.0,)  # squares of nothing
    assert Standardization.of(np.array([[0.1], [0.3]])).deviation == pytest.approx((0.1,))
