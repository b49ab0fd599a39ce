import csv
import re
from collections import Counter

import numpy as np

from tests.data.make_sample_vectors import SAMPLE_DATA, SHAPES, attendance, gestures

DEMONSTRATED = (
    "The food was really good",
    "The chicken crossed the road because it was uncooked",
    "Good, cheap food!",
    "Neat plot. Great acting.",
)


def table(name):
    with (SAMPLE_DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, strict=True))


def words(text):
    return tuple(re.findall(r"[\w'’-]+", text.lower()))


def test_reviews_are_two_columns_of_some_hundred_rows_in_even_shares():
    header, *rows = table("reviews.csv")
    assert header == ["text", "label"]
    assert {len(row) for row in rows} == {2}
    labels = Counter(label for _, label in rows)
    assert labels.keys() == {"positive", "negative"}
    assert min(labels.values()) >= 200
    assert max(labels.values()) <= 1.05 * min(labels.values())


def test_reviews_are_short_and_clean():
    for text, _ in table("reviews.csv")[1:]:
        assert 4 <= len(text.split()) <= 40, text
        assert text == " ".join(text.split())
        assert text.isprintable()


def test_no_review_repeats_another_in_the_same_or_nearly_the_same_words():
    reviews = [set(words(text)) for text, _ in table("reviews.csv")[1:]]
    assert len({frozenset(review) for review in reviews}) == len(reviews)
    for i, review in enumerate(reviews):
        for other in reviews[:i]:
            assert len(review & other) <= 0.6 * len(review | other), (review, other)


def test_reviews_do_not_give_the_demonstrated_sentences_away():
    for text, _ in table("reviews.csv")[1:]:
        for sentence in DEMONSTRATED:
            assert " ".join(words(sentence)) not in " ".join(words(text))


def test_gestures_are_what_their_script_draws():
    with np.load(SAMPLE_DATA / "gestures.npz", allow_pickle=False) as file:
        stored = dict(file)
    # NumPy keeps the stream of PCG64, but may change how `integers` draws from it: then the script is run again
    drawn = gestures()
    assert stored.keys() == drawn.keys() == {"x", "lengths", "y"}
    for name, array in drawn.items():
        assert stored[name].dtype == array.dtype
        np.testing.assert_array_equal(stored[name], array)


def test_gestures_are_finite_steps_of_as_many_strokes_of_each_shape():
    drawn = gestures()
    assert drawn["x"].dtype == np.float32
    assert np.isfinite(drawn["x"]).all()
    assert drawn["lengths"].dtype == np.int64
    assert drawn["lengths"].sum() == len(drawn["x"])
    assert (drawn["lengths"].min(), drawn["lengths"].max()) == (12, 60)
    assert Counter(drawn["y"].tolist()) == dict.fromkeys(SHAPES, 60)


def test_the_two_circles_differ_in_the_order_of_their_steps_alone():
    """The area that a stroke goes round changes its sign with the order; no sum over single steps does."""
    drawn = gestures()
    for steps, shape in zip(np.split(drawn["x"], drawn["lengths"].cumsum()[:-1]), drawn["y"], strict=True):
        if shape.endswith("clockwise"):
            assert (area(steps) > 0) == (shape == "counterclockwise")
            assert (area(steps[::-1]) > 0) != (shape == "counterclockwise")


def area(steps):
    x, y = steps.cumsum(axis=0).T
    return (x[:-1] * y[1:] - x[1:] * y[:-1]).sum() / 2


def test_attendance_is_what_its_script_draws():
    assert (SAMPLE_DATA / "attendance.csv").read_bytes() == attendance().encode()


def test_attendance_helps_to_pass():
    header, *rows = table("attendance.csv")
    assert header == ["attendance", "homework", "result"]
    assert len(rows) == 200
    passed = np.array([result == "pass" for *_, result in rows])
    assert {result for *_, result in rows} == {"pass", "fail"}
    assert 80 <= passed.sum() <= 120
    for column in (0, 1):
        values = np.array([int(row[column]) for row in rows])
        assert values[passed].mean() > 1.2 * values[~passed].mean()
