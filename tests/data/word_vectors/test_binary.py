import gzip
import random
import struct
import tracemalloc

import numpy as np
import pytest

from rnncli.data.word_vectors import Kept
from rnncli.data.word_vectors import binary as module
from tests.data.word_vectors.given_files import binary, read, refusal, words

ROWS = [(b"the", [0.5, -2.0]), ("naïve".encode(), [1e-3, 7.0]), ("\xa0".encode(), [3.0, 4.0])]
FOUND = {"the": [0.5, -2], "naïve": [np.float32(1e-3).item(), 7], "\xa0": [3, 4]}


@pytest.mark.parametrize("newline", [b"", b"\n"])
def test_words_and_their_float32(tmp_path, newline):
    assert words(tmp_path, "a.bin", binary(ROWS, newline=newline)) == FOUND
    assert words(tmp_path, "a.BIN.gz", gzip.compress(binary(ROWS, newline=newline), mtime=0)) == FOUND


def test_numbers_whose_bytes_are_spaces_and_line_ends(tmp_path):
    tricky = [np.frombuffer(byte * 4, "<f4").item() for byte in (b" ", b"\n")]
    rows = [(b"a", tricky), (b"b", tricky[::-1])]
    assert words(tmp_path, "a.bin", binary(rows)) == {"a": tricky, "b": tricky[::-1]}
    assert words(tmp_path, "a.bin", binary(rows, newline=b"\n")) == {"a": tricky, "b": tricky[::-1]}


def test_it_is_known_by_its_content_too(tmp_path):
    rows = [(b"a", [0.0, 2.0]), (b"b", [1.0, 0.5])]
    assert b"\0" in binary(rows)
    assert words(tmp_path, "vectors", binary(rows)) == {"a": [0, 2], "b": [1, 0.5]}


@pytest.mark.parametrize("piece", [1, 7, 100])
def test_any_piece_of_the_file_may_be_read_at_a_time(tmp_path, monkeypatch, piece):
    monkeypatch.setattr(module, "PIECE", piece)
    draw = random.Random(piece)
    rows = [(f"w{i:0{draw.randint(1, 20)}}".encode(), [draw.random() for _ in range(5)]) for i in range(50)]
    expected = {word.decode(): np.float32(row).tolist() for word, row in rows}
    assert words(tmp_path, "a.bin", binary(rows, newline=b"\n")) == expected


def test_what_follows_in_another_piece_is_more_than_the_header_says(tmp_path, monkeypatch):
    content = binary(ROWS)
    monkeypatch.setattr(module, "PIECE", len(content) - content.index(b"\n") - 1)
    assert words(tmp_path, "a.bin", content + b"\n") == FOUND
    assert refusal(tmp_path, "a.bin", content + b"x").startswith("a.bin: more than the 3 vectors")


def test_a_word_beyond_what_is_read_at_a_time(tmp_path):
    rows = [(b"x" * 3000 + str(i).encode(), [float(i)] * 1000) for i in range(100)]
    assert words(tmp_path, "a.bin", binary(rows), wanted={"x" * 3000 + "99"}) == {"x" * 3000 + "99": [99] * 1000}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (binary(ROWS)[:-1], "a.bin: vector 3: cut off: the header says 3 vectors of 2 numbers"),
        (binary(ROWS)[:-9], "a.bin: vector 3: cut off: the header says 3 vectors of 2 numbers"),
        (binary(ROWS, (4, 2)), "a.bin: vector 4: cut off: the header says 4 vectors of 2 numbers"),
        (binary(ROWS, (2, 2)), "a.bin: more than the 2 vectors of 2 numbers that the header says"),
        (binary(ROWS) + b"x", "a.bin: more than the 3 vectors of 2 numbers that the header says"),
        (
            binary(ROWS, (10**12, 300)),
            "a.bin:1: the header says 1,000,000,000,000 vectors of 300 numbers, and the file",
        ),
        (
            binary(ROWS, (1, 999_999)),
            "a.bin:1: the header says 1 vectors of 999,999 numbers, and the file is too small",
        ),
        (binary(ROWS, (0, 2)), "a.bin:1: the header says 0 vectors of 2 numbers; there must be one at least"),
        (binary([(b"a", [1.0]), (b"b", [float("nan")])]), 'a.bin: vector 2: number 1 of the vector of "b" is nan'),
        (binary([(b"a", [1.0]), (b"b", [float("inf")])]), 'a.bin: vector 2: number 1 of the vector of "b" is inf'),
        (binary([(b"a", [1.0]), (b"", [2.0])]), "a.bin: vector 2: a vector without a word"),
        (b"the 0.5 -2\n", 'a.bin:1: no header, such as "3000000 300"; if it is text, let its name end in .txt'),
        (struct.pack("<ii", 793712314, 12), "a.bin: a model of fastText, not vectors; give its .vec file"),
        (b"2 1\na" + b"\1" * 70_000, "a.bin: vector 1: a word of more than 65,536 bytes"),
        (b"", "a.bin: the file is empty"),
    ],
    ids=str,
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, content, message):
    assert refusal(tmp_path, "a.bin", content).startswith(message)


def test_more_than_the_file_can_hold_is_refused_before_anything_is_allocated(tmp_path, monkeypatch):
    monkeypatch.setattr(Kept, "wants", None)
    tracemalloc.start()
    refusal(tmp_path, "a.bin", binary(ROWS, (10**12, 10**6)))
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


def test_words_that_are_not_utf8_or_come_again(tmp_path):
    rows = [(b"a", [1.0]), (b"\xff\xfe", [2.0]), (b"a", [3.0]), (b"c", [4.0])]
    found, _, notices = read(tmp_path, "a.bin", binary(rows))
    assert found == {"a": [1], "c": [4]}
    assert notices == [
        "words that come again, whose first vector counts: 1, the first a.bin: vector 3",
        "words that are not UTF-8, passed over: 1, the first a.bin: vector 2",
    ]
