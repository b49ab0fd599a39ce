"""Spans against seqeval's and against their own definition; faults found, and repaired without loss."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncli.metrics import SCHEMES, Span, faults, repaired, scheme_of, spans
from rnncli.metrics.spans import span_ends, span_label

GOLDEN = json.loads((Path(__file__).parent / "seqeval.json").read_text("utf-8"))
SEQUENCES = [
    (labels.split(), found) for case in GOLDEN for labels, found in zip(case["predicted"], case["spans"], strict=True)
]
PLACES = {"bio": "BI", "bioes": "BIES"}

of_any = st.lists(
    st.sampled_from(["O", *(f"{place}{own}" for place in "BIES" for own in ("", "-P", "-Q-R", "-O"))]), max_size=12
)
pieces = st.lists(st.tuples(st.sampled_from(["", "P", "Q-R", "I-P"]), st.integers(1, 4)), max_size=6)
"""Spans of so many steps, one after the other; "" is outside."""


def of_scheme(scheme):
    return st.lists(
        st.sampled_from(["O", *(f"{place}-{own}" for place in PLACES[scheme] for own in "PQ")]), max_size=12
    )


def bio(pieces):
    return [f"{'I' if step else 'B'}-{own}" if own else "O" for own, length in pieces for step in range(length)]


def bioes(pieces):
    labels = []
    for own, n in pieces:
        labels += (
            ["O"] * n if not own else [f"S-{own}"] if n == 1 else [f"B-{own}", *[f"I-{own}"] * (n - 2), f"E-{own}"]
        )
    return labels


def iob1(pieces):
    """B- only where the span before, of the same label, is just over."""
    labels = []
    for before, (own, n) in pairwise([("", 1), *pieces]):
        labels += ["O"] * n if not own else [f"{'B' if before[0] == own else 'I'}-{own}", *[f"I-{own}"] * (n - 1)]
    return labels


def of_pieces(pieces):
    """The spans that were meant."""
    ends = np.cumsum([0, *(n for _, n in pieces)]).tolist()
    return [Span(own, start, end) for (own, _), (start, end) in zip(pieces, pairwise(ends), strict=True) if own]


def own_labels(labels):
    return [span_label(label) for label in labels]


def test_the_golden_cases_are_valid_and_invalid_and_of_both_schemes():
    sound = {scheme: [not any(faults(labels, scheme)) for labels, _ in SEQUENCES] for scheme in SCHEMES}
    assert len(SEQUENCES) > 200
    assert all(30 < sum(each) < len(each) - 30 for each in sound.values())


def test_spans_are_those_of_seqeval():
    for labels, found in SEQUENCES:
        assert spans(labels) == [(label, start, last + 1) for label, start, last in found], labels


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ("B-PER I-PER O", [("PER", 0, 2)]),
        ("O B-ORG-X I-ORG-X", [("ORG-X", 1, 3)]),
        ("B-ORG-X I-ORG", [("ORG-X", 0, 1), ("ORG", 1, 2)]),
        ("I-PER I-PER B-PER", [("PER", 0, 2), ("PER", 2, 3)]),
        ("B-PER O I-PER", [("PER", 0, 1), ("PER", 2, 3)]),
        ("B I O B", [("_", 0, 2), ("_", 3, 4)]),
        ("B-", [("_", 0, 1)]),
        ("B-PER E-PER E-PER S-PER I-PER", [("PER", 0, 2), ("PER", 2, 3), ("PER", 3, 4), ("PER", 4, 5)]),
        ("NOUN VERB O-PER Bad-PER b-PER -PER BB", []),
        ("", []),
    ],
)
def test_what_spans_are(labels, found):
    assert spans(labels.split()) == found


def test_an_empty_label_is_outside_and_a_fault():
    assert spans(["", "B-P", ""]) == [Span("P", 1, 2)]
    assert list(faults(["", "B-P"], "bio")) == [(0, '"" is neither O nor B- or I-')]


@given(pieces)
def test_spans_are_those_that_were_written(pieces):
    for written in (bio, bioes):
        assert spans(written(pieces)) == of_pieces(pieces)


@given(pieces)
def test_spans_in_iob1_are_those_that_were_written_and_its_repair_is_bio(pieces):
    outside_apart = [piece for piece in pieces if piece[0] or piece[1]]
    assert spans(iob1(outside_apart)) == of_pieces(outside_apart)
    assert repaired(iob1(outside_apart), "bio") == bio(outside_apart)
    assert repaired(iob1(outside_apart), "bioes") == bioes(outside_apart)


@given(st.lists(of_any, max_size=5))
def test_ends_of_many_sequences_are_those_of_each(sequences):
    distinct = sorted({label for labels in sequences for label in labels} | {"O"})
    ids = np.array([distinct.index(label) for labels in sequences for label in labels], np.int64)
    starts = np.cumsum([0, *map(len, sequences)])
    expected = np.zeros(len(ids), np.int64)
    for first, labels in zip(starts, sequences, strict=False):
        for _, start, end in spans(labels):
            expected[first + start] = first + end
    np.testing.assert_array_equal(span_ends(distinct, ids, starts), expected)


def test_ends_know_no_label_at_all():
    assert span_ends([], np.empty(0, int), np.array([0])).size == 0


@pytest.mark.parametrize("scheme", SCHEMES)
@given(of_any)
def test_a_repair_keeps_spans_and_labels_and_leaves_no_fault(scheme, labels):
    mended = repaired(labels, scheme)
    assert spans(mended) == spans(labels)
    assert own_labels(mended) == own_labels(labels)
    assert [label[1:] for label in mended] == [label[1:] for label in labels]
    assert list(faults(mended, scheme)) == []
    assert repaired(mended, scheme) == mended


@pytest.mark.parametrize("scheme", SCHEMES)
@given(of_any)
def test_the_faults_are_the_steps_that_a_repair_changes(scheme, labels):
    mended = repaired(labels, scheme)
    assert [step for step, _ in faults(labels, scheme)] == [
        step for step, label in enumerate(labels) if label != mended[step]
    ]


@given(of_scheme("bio"))
def test_a_fault_in_bio_is_an_i_that_goes_on_with_nothing(labels):
    wrong = [
        step
        for step, (before, label) in enumerate(pairwise(["O", *labels]))
        if label[0] == "I" and (before == "O" or before[1:] != label[1:])
    ]
    assert [step for step, _ in faults(labels, "bio")] == wrong


@given(of_scheme("bioes"))
def test_labels_in_bioes_are_sound_where_every_pair_of_neighbours_is(labels):
    def fits(before, after):
        is_open, goes_on = before[0] in "BI", after[0] in "IE"
        return is_open == goes_on and (not is_open or before[1:] == after[1:])

    assert all(fits(*pair) for pair in pairwise(["O", *labels, "O"])) == (not any(faults(labels, "bioes")))


@given(pieces)
def test_valid_labels_have_no_faults_and_stay_as_they_are(pieces):
    for scheme, labels in (("bio", bio(pieces)), ("bioes", bioes(pieces))):
        assert list(faults(labels, scheme)) == []
        assert repaired(labels, scheme) == labels
    assert repaired(bio(pieces), "bioes") == bioes(pieces)
    assert repaired(bioes(pieces), "bio") == bio(pieces)


@pytest.mark.parametrize(
    ("scheme", "labels", "found"),
    [
        ("bio", "O I-PER I-PER", [(1, '"I-PER" after "O": a span begins with B-')]),
        ("bio", "I-PER O", [(0, '"I-PER" at the beginning: a span begins with B-')]),
        ("bio", "B-LOC I-PER", [(1, '"I-PER" after "B-LOC": a span begins with B-')]),
        ("bio", "S-PER E", [(0, '"S-PER": there is no S- in BIO'), (1, '"E": there is no E- in BIO')]),
        ("bio", "B-PER NOUN", [(1, '"NOUN" is neither O nor B- or I-')]),
        ("bio", "O-PER", [(0, '"O-PER" is neither O nor B- or I-')]),
        ("bioes", "NOUN", [(0, '"NOUN" is neither O nor B-, I-, E- or S-')]),
        (
            "bioes",
            "B-PER O I-PER I-PER",
            [
                (0, '"B-PER" before "O": a span of one step is S-'),
                (2, '"I-PER" after "O": a span begins with B-'),
                (3, '"I-PER" at the end: a span ends with E-'),
            ],
        ),
        ("bioes", "B-PER I-PER S-PER", [(1, '"I-PER" before "S-PER": a span ends with E-')]),
        ("bioes", "O I-PER E-LOC", [
            (1, '"I-PER" after "O": a span of one step is S-'),
            (2, '"E-LOC" after "I-PER": a span of one step is S-'),
        ]),
        ("bioes", "B-PER", [(0, '"B-PER" at the end: a span of one step is S-')]),
    ],
)  # fmt: skip
def test_faults_say_what_is_wrong(scheme, labels, found):
    assert list(faults(labels.split(), scheme)) == found


def test_a_label_of_no_scheme_cannot_be_repaired():
    assert repaired(["NOUN", "I-PER", "O-X"], "bio") == ["NOUN", "B-PER", "O-X"]
    assert [step for step, _ in faults(["NOUN", "B-PER", "O-X"], "bio")] == [0, 2]


@pytest.mark.parametrize("what", [repaired, lambda *given: list(faults(*given))])
def test_a_scheme_must_be_known(what):
    with pytest.raises(KeyError, match="iob1"):
        what(["O"], "iob1")


@pytest.mark.parametrize(
    ("labels", "scheme"),
    [
        ("O B-PER I-PER", "bio"),
        ("B-NP I-NP", "bio"),
        ("O I-PER", "bio"),
        ("O B-ORG-X", "bio"),
        ("O S-PER", "bioes"),
        ("B-PER E-PER", "bioes"),
        ("O B I", "bio"),
        ("O B I E S", "bioes"),
        ("B I", None),
        ("B E S", None),
        ("O", None),
        ("", None),
        ("O B-PER NOUN", None),
        ("O B-PER U-PER", None),
        ("O O-PER B-PER", None),
        ("NOUN VERB", None),
        ("O b-PER", None),
        ("B I-PER", None),
    ],
)
def test_the_scheme_shows_in_the_labels(labels, scheme):
    assert scheme_of(iter(labels.split())) == scheme
