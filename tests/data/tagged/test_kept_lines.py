import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rnncli.data.tagged import kept_lines, stream_pieces
from rnncli.errors import DataError


def lines_of(*pieces, encoding="utf-8"):
    """The lines that come before a fault, and what is said of it."""
    found = []
    try:
        found.extend(text for _, text in kept_lines(pieces, "a.txt", encoding))
    except DataError as error:
        return found, str(error)
    return found, ""


def cut(raw, places):
    ends = sorted(place % (len(raw) + 1) for place in places)
    return [raw[start:end] for start, end in zip([0, *ends], [*ends, len(raw)], strict=True)]


texts = st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=40)


@settings(max_examples=150, deadline=None)
@given(texts, st.lists(st.integers(0, 200)), st.sampled_from(["utf-8", "utf-16", "utf-32-be", "utf-16-le"]))
@example("\ufeffa\n\u2028b\x0b\x85c\n\nd", [1, 2, 3, 4], "utf-8")
@example("a\n\nb\n", [], "utf-8")
def test_lines_do_not_depend_on_the_pieces(text, places, encoding):
    for ending in ("\n", "\r\n"):
        expected = text.replace("\n", ending)
        found, fault = lines_of(*cut(expected.encode(encoding), places), encoding=encoding)
        assert fault == ""
        assert "".join(found) == expected
        assert len(found) == text.count("\n") + (not text.endswith("\n") and text != "")
        assert all(line.endswith("\n") and "\n" not in line[:-1] for line in found[:-1])


def test_lines_are_numbered_and_come_as_soon_as_they_are_whole():
    taken = []

    def pieces():
        for piece in (b"a\nb", b"\n", b"c", b"d\r", b"\ne\n"):
            taken.append(piece)
            yield piece

    lines = kept_lines(pieces(), "a.txt", "utf-8")
    assert (next(lines), len(taken)) == ((1, "a\n"), 1)
    assert (next(lines), len(taken)) == ((2, "b\n"), 2)
    assert (next(lines), len(taken)) == ((3, "cd\r\n"), 5)
    assert list(lines) == [(4, "e\n")]


def test_a_mark_is_text_but_where_the_encoding_needs_it():
    assert lines_of(b"\xef\xbb\xbfa\n") == (["\ufeffa\n"], "")
    assert lines_of(b"\xef\xbb", b"\xbfa\n", encoding="utf-8-sig") == (["a\n"], "")
    for encoding in ("utf-16", "utf-32"):
        raw = "é\n".encode(encoding)
        assert lines_of(raw[:1], raw[1:3], raw[3:], encoding=encoding) == (["é\n"], "")
    assert lines_of(b"\xfe\xff\0a\0\n", encoding="utf-16") == (["a\n"], "")


RETURN = "a carriage return that ends no line; end lines with LF or CRLF"


@pytest.mark.parametrize(
    ("pieces", "encoding", "found", "message"),
    [
        ((b"a\nb\xe9\nc\n",), "utf-8", ["a\n"], ":2: byte 0xe9 at offset 3 is not utf-8; try --encoding latin-1"),
        (
            (b"a\n", b"b\nc", b"\xc3", b"x\n"),
            "utf-8",
            ["a\n", "b\n"],
            ":3: byte 0xc3 at offset 5 is not utf-8; try --encoding latin-1",
        ),
        ((b"a\nb\xc3",), "utf-8", ["a\n"], ":2: byte 0xc3 at offset 3 is not utf-8; try --encoding latin-1"),
        (
            (b"a\n\x81",),
            "cp1252",
            ["a\n"],
            ":2: byte 0x81 at offset 2 is not cp1252; try --encoding latin-1",
        ),
        (("a\n".encode("utf-16"),), "utf-8", [], ":1: byte 0xff at offset 0 is not utf-8; try --encoding utf-16"),
        (("a\n".encode("utf-32"),), "utf-8", [], ":1: byte 0xff at offset 0 is not utf-8; try --encoding utf-32"),
        (
            (b"\xfe\xff\0a\0\n\0",),
            "utf-16",
            ["a\n"],
            ":2: byte 0x00 at offset 6 is not utf-16; use another copy of it",
        ),
        (
            (b"a\nPK\3\4\0\0\xe9",),
            "utf-8",
            ["a\n"],
            ":2: looks like a binary file (it holds NUL); give a text file, or name an .npz file so",
        ),
        (
            (b"a\n\nb\0\nc\n",),
            "utf-8",
            ["a\n", "\n"],
            ":3: looks like a binary file (it holds NUL); give a text file, or name an .npz file so",
        ),
        ((b"a\r\nb\rc\r\nd\n",), "utf-8", ["a\r\n"], f":2: {RETURN}"),
        ((b"a\n", b"b\r\r\n"), "utf-8", ["a\n"], f":2: {RETURN}"),
        ((b"a\n", b"b\r"), "utf-8", ["a\n"], f":2: {RETURN}"),
        ((b"+AGE-\n+AGE\xe9\n",), "utf-7", [], ":1: byte 0xe9 at offset 10 is not utf-7; try --encoding latin-1"),
    ],
)
def test_faults_are_found_where_they_are(pieces, encoding, found, message):
    assert lines_of(*pieces, encoding=encoding) == (found, f"a.txt{message}")


def test_an_unknown_encoding():
    assert lines_of(b"a\n", encoding="utf-9") == (
        [],
        "unknown encoding 'utf-9'; try utf-8, latin-1, cp1252 or utf-16",
    )


def test_pieces_of_a_stream():
    raw = bytes(range(100)) * 3000
    pieces = list(stream_pieces(io.BytesIO(raw), "a"))
    assert b"".join(pieces) == raw
    assert max(map(len, pieces)) == 2**18

    class Broken(io.BytesIO):
        def read1(self, size=-1):
            raise OSError(5, "Input/output error")

    with pytest.raises(DataError, match=r"^a: cannot be read: Input/output error$"):
        list(stream_pieces(Broken(), "a"))
