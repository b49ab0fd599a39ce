import gzip
import os
import random
import sys
from threading import Thread

import pytest

from rnncli.data import find_sources
from rnncli.data.word_vectors import Kept, read_word_vectors
from rnncli.errors import DataError
from tests.data.word_vectors.given_files import EVERYTHING, binary, read, refusal, words

TEXT = "the 0.5 -2\nfilm 1 2\n"
FOUND = {"the": [0.5, -2], "film": [1, 2]}
BINARY = binary([(b"the", [0.5, -2.0]), (b"film", [1.0, 2.0])])
TABLE = "word,one,two\nthe,0.5,-2\nfilm,1,2\n"
FILES = {"a.txt": TEXT, "a.vec": "2 2\n" + TEXT, "a.csv": TABLE, "a.tsv": TABLE.replace(",", "\t"), "a.bin": BINARY}


@pytest.mark.parametrize("name", FILES)
def test_every_format_also_gzipped(tmp_path, name):
    content = FILES[name] if isinstance(FILES[name], bytes) else FILES[name].encode()
    assert words(tmp_path, name, content) == FOUND
    assert words(tmp_path, f"{name}.gz", gzip.compress(content, mtime=0)) == FOUND
    assert words(tmp_path, f"{name}.GZ".upper(), gzip.compress(content, mtime=0)) == FOUND


def test_gzipped_files_that_are_none_or_damaged(tmp_path):
    packed = gzip.compress(
        "".join(f"w{i} 0.{i}\n" for i in random.Random(1).choices(range(10**6), k=5000)).encode(), mtime=0
    )
    assert refusal(tmp_path, "a.txt.gz", TEXT).startswith("a.txt.gz: not a whole gzip file (Not a gzipped file")
    assert refusal(tmp_path, "a.gz", packed[:-1]).startswith("a.gz: the gzip file is damaged, or cut off")
    assert refusal(tmp_path, "a.gz", packed[:1000]).startswith("a.gz: the gzip file is damaged, or cut off")
    assert refusal(tmp_path, "a.gz", packed[:-8] + bytes(8)).startswith("a.gz: not a whole gzip file (CRC check failed")
    damaged = packed[:100] + bytes(50) + packed[150:]
    assert refusal(tmp_path, "a.gz", damaged).startswith("a.gz: ")
    assert refusal(tmp_path, "a.gz", gzip.compress(b"", mtime=0)).startswith("a.gz: the file is empty")


def test_a_header_that_not_even_a_gzipped_file_can_hold(tmp_path):
    packed = gzip.compress(b"400000 100\na 1\n", mtime=0)
    assert refusal(tmp_path, "a.gz", packed).startswith("a.gz:1: the header says 400,000 vectors of 100 numbers, and")
    small = gzip.compress(b"400 2\n" + b"".join(b"w%d 0 0\n" % i for i in range(400)), mtime=0)
    assert len(small) < 400 * 6
    assert len(words(tmp_path, "a.gz", small)) == 400


def test_a_file_that_changes_while_it_is_read(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(TEXT)
    (source,) = find_sources([str(path)])
    path.write_text(TEXT + "more 1 2\n")
    with pytest.raises(DataError, match="it changed while it was read"):
        read_word_vectors(source, Kept(EVERYTHING))


@pytest.mark.skipif(sys.platform != "linux", reason="reads a folder as a file")
def test_what_cannot_be_read(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(TEXT)
    (source,) = find_sources([str(path)])
    path.unlink()
    path.mkdir()
    with pytest.raises(DataError) as caught:
        read_word_vectors(source, Kept(EVERYTHING))
    assert str(caught.value) == f"{path}: cannot be read: Is a directory"


def test_a_pipe_is_a_file_too(tmp_path):
    fifo = tmp_path / "fifo.txt"
    os.mkfifo(fifo)
    writer = Thread(target=fifo.write_text, args=[TEXT])
    writer.start()
    (source,) = find_sources([str(fifo)])
    writer.join()
    assert [*read_word_vectors(source, Kept(EVERYTHING)).rows] == ["the", "film"]


@pytest.mark.parametrize("name", [*FILES, "a.txt.gz", "a.bin.gz"])
def test_damaged_files_are_read_or_refused_in_a_line(tmp_path, name):
    content = FILES[name.removesuffix(".gz")]
    content = content.encode() if isinstance(content, str) else content
    content = gzip.compress(content, mtime=0) if name.endswith(".gz") else content
    draw, outcomes = random.Random(name), set()
    for _ in range(60):
        damaged = bytearray(content)
        for _ in range(draw.randint(1, 3)):
            place = draw.randrange(len(damaged))
            match draw.randrange(3):
                case 0:
                    damaged[place] = draw.choice((*b' \n\t,"0.-e\0\xff', draw.randrange(256)))
                case 1:
                    del damaged[place : place + draw.randint(1, 5)]
                case _:
                    damaged[place:place] = draw.choice((b" ", b"\n", b"9" * 20, b"nan", b'"', b"\xc2\xa0"))
            if not damaged:
                break
        try:
            found, _, _ = read(tmp_path, name, bytes(damaged))
            outcomes.add("read")
            assert all(len(row) == len(next(iter(found.values()))) for row in found.values())
        except DataError as error:
            outcomes.add("refused")
            (line,) = error.lines()
            assert line.isprintable()
            assert line.startswith(str(tmp_path))
    assert outcomes == {"read", "refused"} if not name.endswith(".gz") else "refused" in outcomes
