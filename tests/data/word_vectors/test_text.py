import tracemalloc

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rnncli.data import find_sources
from rnncli.data.word_vectors import Kept, read_word_vectors, stream
from tests.data.word_vectors.given_files import read, refusal, words

GLOVE = "the 0.5 -0.25 1e-2\nThe .5 7 -3.\n, 1 2 3\n"
FOUND = {"the": [0.5, -0.25, np.float32(0.01).item()], "The": [0.5, 7, -3], ",": [1, 2, 3]}


def test_glove(tmp_path):
    assert words(tmp_path, "glove.6B.3d.txt", GLOVE) == FOUND
    assert words(tmp_path, "vectors", GLOVE.strip()) == FOUND


def test_word2vec_and_fasttext(tmp_path):
    assert words(tmp_path, "a.vec", "3 3\n" + GLOVE) == FOUND
    assert words(tmp_path, "a.txt", "3 3\r\n" + GLOVE.replace("\n", " \r\n")) == FOUND
    assert words(tmp_path, "a.txt", "\ufeff3\t3\n\n" + GLOVE + "\n\n") == FOUND


def test_tabs_in_place_of_spaces(tmp_path):
    found = words(tmp_path, "a.txt", "New York\t1.5\t2\nOslo\t3\t4\n")
    assert found == {"New York": [1.5, 2], "Oslo": [3, 4]}
    assert refusal(tmp_path, "a.txt", "Oslo\t3 4\n").startswith("a.txt:1: no word with numbers after it; ")


def test_the_width_is_that_of_the_numbers_at_the_end_of_the_first_line(tmp_path):
    assert words(tmp_path, "a.txt", ". . . 0.5 1\n0.5 1 2\n1990 3 4.5\n") == {
        ". . .": [0.5, 1],
        "0.5": [1, 2],
        "1990": [3, 4.5],
    }
    assert words(tmp_path, "a.txt", "1 0.5 2\n") == {"1": [0.5, 2]}


@settings(max_examples=100, deadline=None)
@given(
    tokens=st.lists(
        st.text(st.characters(exclude_characters="\n\r\t\0", codec="utf-8"), min_size=1, max_size=8),
        min_size=1,
        max_size=5,
        unique=True,
    ),
    header=st.booleans(),
)
@example(tokens=[" ", "\xa0", "a\u2003b", "\x85", "to infinity", "nan", "0.5", "at name@example.org"], header=True)
def test_a_word_may_hold_anything_but_what_ends_a_line(tmp_path_factory, tokens, header):
    """Spaces of all kinds, too, also those at which Python's split would cut."""
    tokens = [token for token in tokens if " " not in token or not any(map(str.isdigit, token))]
    tokens = [token for token in tokens if not token.endswith(" ") or token == " "]
    rows = {"the": [1, 2.5]}
    rows |= {token: [i + 0.5, -12.5] for i, token in enumerate(tokens)}
    lines = [f"{token} {first} {second}\n" for token, (first, second) in rows.items()]
    folder = tmp_path_factory.mktemp("words")
    assert words(folder, "a.txt", f"{len(rows)} 2\n" * header + "".join(lines)) == rows


def test_columns_may_be_aligned_behind_the_words(tmp_path):
    assert words(tmp_path, "a.txt", "king   0.5 1\nqueen  2 3\n") == {"king": [0.5, 1], "queen": [2, 3]}


def test_a_number_that_belongs_to_a_word(tmp_path):
    found = words(tmp_path, "a.txt", "the 0.5 1\nroute 66 0.5 1\n1 2 -0.5 7\n")
    assert found == {"the": [0.5, 1], "route 66": [0.5, 1], "1 2": [-0.5, 7]}


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("a 1 2\nb 1\n", "a.txt:2: a vector of 1 number, where 2 are expected"),
        ("a 1 2\nb\n", "a.txt:2: a vector of 0 numbers, where 2 are expected"),
        ("a 1 2\n\nb 1 2 3\n", "a.txt:3: a vector of 3 numbers, where 2 are expected"),  # whole ones, too
        ("a 1 2\nb 1 -2 3\n", "a.txt:2: a vector of 3 numbers, where 2 are expected"),
        ("a 1.5 2\nb 1.5 2 3\n", "a.txt:2: a vector of 3 numbers, where 2 are expected"),
        ("a 1.5 2\nb 1 2.5 3.5 4.5\n", "a.txt:2: a vector of 4 numbers, where 2 are expected"),
        ("2 3\na 1 2 3\nb 1 2\n", "a.txt:3: a vector of 2 numbers, where 3 are expected"),
        ("2 2\na 1.5 2.5 3\nb 1 2\n", "a.txt:2: a vector of 3 numbers, where 2 are expected"),
        ("a 1 2\nb 1 x\n", 'a.txt:2: the vector of "b": "x" is not a number'),
        ("a 1 2\nb 1_0 2\n", 'a.txt:2: the vector of "b": "1_0" is not a number'),
        ("a 1 2\nb 1  2\n", "a.txt:2: a vector of 3 numbers"),
        ("a 1 2\nb 1 nan\n", 'a.txt:2: number 2 of the vector of "b" is nan, not a finite float32'),
        ("a 1 2\nb -inf 1\n", 'a.txt:2: number 1 of the vector of "b" is -inf, not a finite float32'),
        ("a 1 2\nb 1 1e39\n", 'a.txt:2: number 2 of the vector of "b" is 1e+39, not a finite float32'),
        ("a 1 2\n 1 2\n", "a.txt:2: a vector without a word"),
        ("once upon a time\n", "a.txt:1: no word with numbers after it"),
        ("the\n", "a.txt:1: no word with numbers after it"),
        ("", "a.txt: the file is empty"),
        ("\n\n", "a.txt: no vectors"),
        ("3 2\na 1 2\nb 1 2\n", "a.txt:3: 2 vectors, where the header says 3"),
        ("1 2\na 1 2\nb 1 2\n", "a.txt:3: more vectors than the 1 of the header"),
        ("2 2\n", "a.txt:1: the header says 2 vectors of 2 numbers, and the file is too small"),
        ("0 2\n", "a.txt:1: the header says 0 vectors of 2 numbers"),
        ("1 0\na \n", "a.txt:1: the header says 1 vectors of 0 numbers"),
        ("1 1000001\na 1\n", "a.txt:1: the header says 1 vectors of 1,000,001 numbers; there must be"),
        ("9" * 5000 + " 2\na 1 2\n", "a.txt:1: the header says more than any file can hold"),
        ("\x1b[31m 1 2\n\x1b[32m 1 x\n", 'a.txt:2: the vector of "\\x1b[32m": "x" is not a number'),
        ("a\0b 1 2\n", "a.txt: looks like a binary file (NUL byte at offset 1)"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, lines, message):
    assert refusal(tmp_path, "a.txt", lines).startswith(message)


@pytest.mark.parametrize("header", ["1000000000000 100", "400000 100", "3 999999"])
def test_more_than_the_file_can_hold_is_refused_before_anything_is_read(tmp_path, header, monkeypatch):
    monkeypatch.setattr(stream.Stream, "report", None)
    monkeypatch.setattr(Kept, "wants", None)
    count, size = (f"{int(number):,}" for number in header.split())
    message = f"a.txt:1: the header says {count} vectors of {size} numbers, and the file is too small"
    tracemalloc.start()
    assert refusal(tmp_path, "a.txt", f"{header}\na 1 2\n" + "b 1 2\n" * 100).startswith(message)
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


def test_a_header_that_the_file_can_just_hold(tmp_path):
    assert words(tmp_path, "a.txt", "2 3\na 1 2 3\nb 4 5 6") == {"a": [1, 2, 3], "b": [4, 5, 6]}


def test_a_line_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(stream, "LONGEST_LINE", 100)
    line = "b" + " 1" * 49
    assert words(tmp_path, "a.txt", f"{line}\n") == {"b": [1] * 49}, "99 bytes, and a line's end"
    assert refusal(tmp_path, "a.txt", f"{line} 1\n").startswith("a.txt:1: a line of more than 100 bytes")


def test_of_a_word_that_comes_again_the_first_vector_counts(tmp_path):
    found, _, notices = read(tmp_path, "a.txt", "a 1\nb 2\na 3\nb 4\na 5\n", wanted={"a"})
    assert found == {"a": [1]}
    assert notices == ["words that come again, whose first vector counts: 2, the first a.txt:3"]


def test_words_that_are_not_utf8_are_passed_over(tmp_path):
    lines = b"a 1\n\xff\xfe 2\nna\xefve 3\nna\xc3\xafve 4\n"
    found, _, notices = read(tmp_path, "a.txt", lines)
    assert found == {"a": [1], "na\xefve": [4]}
    assert notices == ["words that are not UTF-8, passed over: 2, the first a.txt:2"]


def test_only_wanted_words_are_looked_at_closely(tmp_path):
    lines = "a 1 2\nb nan x\nc 5 6\nd 7 8\n"
    assert words(tmp_path, "a.txt", lines, wanted={"a", "d"}) == {"a": [1, 2], "d": [7, 8]}
    assert refusal(tmp_path, "a.txt", lines, wanted={"b"}).startswith("a.txt:2")
    assert refusal(tmp_path, "a.txt", lines + "e 1\n", wanted={"a"}).startswith("a.txt:5: a vector of 1 number")


def test_some_others_in_the_order_of_the_file(tmp_path):
    lines = "".join(f"{word} {i}\n" for i, word in enumerate("abCdEfgh"))
    others = {"wanted": {"f"}, "extra": 2, "accepts": str.islower}
    assert words(tmp_path, "a.txt", lines, **others) == {"a": [0], "b": [1], "f": [5]}
    assert words(tmp_path, "a.txt", lines, **others | {"extra": 4}) == {
        "a": [0],
        "b": [1],
        "d": [3],
        "f": [5],
        "g": [6],
    }
    assert words(tmp_path, "a.txt", lines, wanted={"f"}) == {"f": [5]}


def test_progress_is_reported_in_bytes(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("".join(f"w{i} {'0.123456789 ' * 20}\n" for i in range(5000)))
    (source,), seen = find_sources([str(path)]), []
    read_word_vectors(source, Kept({"w7"}), seen.append)
    assert len(seen) >= 5
    assert seen == sorted(seen)
    assert 0 < seen[0] < seen[-1] == source.size


def test_memory_holds_what_is_kept_and_no_more(tmp_path):
    path, line = tmp_path / "a.txt", " 0.5" * 100
    path.write_text("".join(f"w{i}{line}\n" for i in range(20_000)))
    (source,), kept = find_sources([str(path)]), Kept({f"w{i}" for i in range(0, 20_000, 100)})
    tracemalloc.start()
    rows, vectors, _, _ = read_word_vectors(source, kept)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (len(rows), vectors.nbytes) == (200, 80_000)
    assert peak < 1_500_000 < source.size / 5, "two pieces of the file, and some"
