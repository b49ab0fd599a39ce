from collections import Counter

import numpy as np

from rnncli.data.synthetic.agreement import LINKS, MANNERS, NAMES, OPENINGS, VERBS, Agreement
from tests.data.synthetic.tables import rows

SET = Agreement(train=1000, test=400)
KINDS = {name: pronoun for pronoun, names in NAMES.items() for name in names}


def test_the_name_of_the_subject_decides():
    for split in ("train", "test"):
        found = rows(SET, split)
        for text, label in found:
            opening, name, *_ = text.split(" ")
            assert opening in OPENINGS
            assert KINDS[name] == label
        she, he = (Counter(label for _, label in found)[label] for label in ("she", "he"))
        assert she == he


def test_distances():
    assert {len(text.split(" ")) for text, _ in rows(SET, "test")} == set(range(31, 62))
    assert {len(text.split(" ")) for text, _ in rows(SET, "train")} == set(range(7, 32))
    assert {len(text.split(" ")) for text, _ in rows(Agreement(distance=6, train=400), "train")} == {7}


def test_others_are_of_both_kinds_in_every_sentence():
    for text, _ in rows(SET, "train") + rows(Agreement(distance=6, test=400), "test"):
        others = [KINDS[word] for word in text.split(" ")[2:] if word in KINDS]
        assert set(others) == {"he", "she"}


def test_nothing_but_the_subject_tells_the_label():
    """Of the sentences with some word at some place, or so many names of hers, half are "she", within 4 deviations."""
    seen = Counter()
    labelled = Counter()
    totals, hers = [], []
    for text, label in rows(Agreement(test=4000), "test"):
        words = text.split(" ")
        others = [KINDS[word] for word in words[2:] if word in KINDS]
        totals.append(len(others))
        hers.append(others.count("she"))
        clues = [("count", others.count("she")), ("first", others[0]), ("last", others[-1]), (0, words[0])]
        clues += [(place, words[place]) for place in (2, 3, 4, -3, -2, -1)]
        clues += [("of", word) for word in set(words[2:])]
        for clue in clues:
            seen[clue] += 1
            labelled[clue] += label == "she"
    assert len(seen) > 50
    for place in ("first", "last"):  # and he and she are as frequent everywhere
        assert abs(seen[place, "he"] - seen[place, "she"]) < 4 * np.sqrt(4000)
    shares = [count / total for total, count in zip(totals, hers, strict=True)]
    assert abs(np.mean(shares) - 0.5) < 0.01
    for clue, count in seen.items():
        assert abs(labelled[clue] - count / 2) < 4 * np.sqrt(count) / 2, clue


def test_sentences():
    text, label = rows(Agreement(distance=8, test=4), "test")[0]
    assert len(text.split(" ")) == 9
    assert label in NAMES
    words = {word for text, _ in rows(SET, "train") for word in text.split(" ")}
    assert words == {*OPENINGS, *KINDS, *VERBS, *LINKS, *MANNERS}
