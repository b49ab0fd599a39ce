"""Legal symbols by their definition: those with which some string of the language goes on."""

import re
from collections import Counter
from itertools import product

import numpy as np
import pytest

from rnncli.data.synthetic.anbn import AnBn
from rnncli.data.synthetic.copying import ALPHABET, Copy
from rnncli.data.synthetic.language import Language, Legality, common_prefix
from rnncli.data.synthetic.reber import INNER, Reber, inner_strings

LOOP = "(PXT*V)*"
REBER = re.compile(f"B([TP])B(TS*X(SE|XT*V{LOOP}(V|PS)E)|PT*V{LOOP}(V|PS)E)\\1E")


def reber_strings(loops):
    """The strings that go through no loop more often than this."""
    runs = range(loops + 1)
    from_2 = [
        "T" * first + "V" + "".join("PX" + "T" * each + "V" for each in rounds) + end + "E"
        for number in runs
        for first, *rounds in product(runs, repeat=number + 1)
        for end in ("V", "PS")
    ]
    inner = [f"T{'S' * number}X{rest}" for number in runs for rest in ("SE", *("X" + rest for rest in from_2))]
    return [f"B{which}B{string}{which}E" for which in "TP" for string in (*inner, *("P" + rest for rest in from_2))]


def ab_strings(longest):
    return ["a" * n + "b" * n for n in range(1, longest + 1)]


def copied_strings(longest, alphabet="ab"):
    return [
        f"{symbols}{'-' * blanks}>{symbols}"
        for n in range(1, longest + 1)
        for symbols in map("".join, product(alphabet, repeat=n))
        for blanks in range(1, longest + 1)
    ]


def near(strings, alphabet):
    """These strings with one symbol replaced, left out or doubled, or cut short, or gone on with."""
    for string in strings:
        yield string
        for place in range(len(string)):
            yield string[:place]
            yield string[:place] + string[place + 1 :]
            yield string[:place] + string[place] + string[place:]
            yield from (string[:place] + symbol + string[place + 1 :] for symbol in alphabet)
        yield from (string + symbol for symbol in alphabet)


CASES = {
    "reber": (Reber, reber_strings(3), set(near(reber_strings(1), "BTPSXVEq"))),
    "anbn": (AnBn, ab_strings(9), set(near(ab_strings(5), "abc "))),
    "copy": (Copy, copied_strings(4), set(near(copied_strings(2), "ab->i\r"))),
}


@pytest.mark.parametrize("name", CASES)
def test_legal_symbols(name):
    language, strings, lines = CASES[name]
    prefixes = {f"{string}\n"[:end] for string in strings for end in range(len(string) + 2)}
    counts = Counter()
    for line in lines:
        legal = max(end for end in range(len(line) + 2) if f"{line}\n"[:end] in prefixes)
        assert language.legal(line) == legal, line
        counts[legal == len(line) + 1] += 1
    assert min(counts.values()) > 4
    assert len(lines) > 50


def test_legal_symbols_of_any_number():
    assert [AnBn.legal(line) for line in ("a" * 500 + "b" * 500, "a" * 500 + "b" * 499, "a" * 500 + "b" * 501)] == [
        1001,
        999,
        1000,
    ]
    assert Copy.legal(ALPHABET * 9 + "-" * 99 + ">" + ALPHABET * 9) == 2 * 72 + 99 + 1 + 1


def test_check_counts():
    lines = ["ab", "aabb", "", "ba", "aab"]
    assert AnBn.check(lines) == Legality(3 + 5 + 0 + 0 + 3, 3 + 5 + 1 + 3 + 4, 2, 5)
    assert AnBn.check([]) == Legality(0, 0, 0, 0)


def test_common_prefix():
    assert [common_prefix("abc", other) for other in ("", "a", "abd", "abcd", "bc")] == [0, 1, 2, 3, 0]


@pytest.mark.parametrize(
    ("language", "train", "test"),
    [
        (Reber(max_length=15), (9, 15), (16, 30)),
        (AnBn(max_length=10), (2, 10), (12, 20)),
        (Copy(length=3, distance=4), (8, 11), (12, 15)),
    ],
    ids=["reber", "anbn", "copy"],
)
def test_strings_are_legal_and_the_test_is_longer(language, train, test):
    for split, (shortest, longest) in {"train": train, "validation": train, "test": test}.items():
        lines = language.content(split, np.random.default_rng(3)).decode().removesuffix("\n").split("\n")
        assert len(lines) == getattr(language, split)
        lengths = set(map(len, lines))
        assert (min(lengths), max(lengths)) == (shortest, longest)
        assert max(lengths) <= language.longest(split)
        counts = language.check(lines)
        assert (counts.legal_symbols, counts.legal_lines) == (counts.symbols, counts.lines)
        if isinstance(language, Reber):
            assert all(REBER.fullmatch(line) for line in lines)


def test_languages_are_abstract():
    with pytest.raises(TypeError):
        Language()


def test_reber_draws_as_the_grammar_does():
    """Counts of inner strings up to 9 symbols are those of a plain walk that begins again when it is longer."""
    rng = np.random.default_rng(5)
    walked = Counter()
    while walked.total() < 8000:
        state, string = 0, ""
        while state < len(INNER):
            symbols = list(INNER[state])
            symbol = symbols[rng.integers(len(symbols))]
            state, string = INNER[state][symbol], string + symbol
        if 5 <= len(string) <= 9:
            walked[string] += 1
    drawn = Counter(inner_strings(5, 9, 8000, rng))
    assert drawn.keys() == walked.keys()
    assert len(drawn) > 15
    for string, count in drawn.items():
        assert abs(count - walked[string]) < 5 * np.sqrt(count + walked[string]), string


def test_uniform_draws():
    lines = AnBn(train=2000).strings("train", 2000, np.random.default_rng(1))
    counts = Counter(line.count("a") for line in lines)
    assert counts.keys() == set(range(1, 21))
    assert all(60 < count < 140 for count in counts.values())
    lines = list(Copy().strings("train", 2000, np.random.default_rng(1)))
    assert all(60 < count < 140 for count in Counter(line.count("-") for line in lines).values())
    symbols = Counter("".join(line.split(">")[1] for line in lines))
    assert symbols.keys() == set(ALPHABET)
    assert all(1100 < count < 1400 for count in symbols.values())
