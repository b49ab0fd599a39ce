import io
import os
import sys
import threading
from pathlib import Path

import pytest

from rnncli.data import readers
from rnncli.data.files import find_sources
from rnncli.data.readers import Text, lines, read_text
from rnncli.errors import DataError

ODD = "\u2028\x85\x0b\x1c|e\u0301|\U0001f469\u200d\U0001f467"


def write(path, raw):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
    return str(path)


def refusal(paths, encoding="utf-8", *, stdin=None, **options):
    with pytest.raises(DataError) as caught:
        Text(find_sources(paths, stdin), encoding, **options)
    line = str(caught.value)
    assert line.isprintable()  # so it is one line too
    assert len(line) < 200 + len(str(paths[0]))
    return line


def from_stdin(raw, encoding="utf-8", **options):
    return "".join(Text(find_sources(["-"], io.BytesIO(raw)), encoding, **options).read())


@pytest.mark.parametrize(
    ("raw", "encoding", "text"),
    [
        (b"a\r\nb\rc\r\r\nd\n", "utf-8", "a\nb\nc\n\nd\n"),
        (b"\xef\xbb\xbfa\xef\xbb\xbf", "utf-8", "a\ufeff"),
        (ODD.encode(), "utf-8", ODD),
        (b"caf\xe9", "latin-1", "café"),
        ("ab\r\n".encode("utf-16"), "utf-16", "ab\n"),
        ("\ufeffab".encode("utf-16-be"), "utf-16-be", "ab"),
        (b"x", "utf-8", "x"),
    ],
)
def test_text(raw, encoding, text, tmp_path):
    path = write(tmp_path / "corpus.txt", raw)
    assert read_text(path, encoding) == text
    assert from_stdin(raw, encoding) == text


def test_binary_keeps_every_byte():
    raw = b"\xef\xbb\xbf\r\n\r\0" + bytes(range(256)) + "é😀".encode()
    text = from_stdin(raw, "latin-1", binary=True)
    assert text.encode("utf-8", "surrogateescape") == raw
    assert text.endswith("é😀")


def test_paths_in_the_order_given(tmp_path):
    for name in ("b/2.txt", "b/10.txt", "b/.hidden", "b/.git/x", "b/deep/c.txt", "a.txt", "c.md"):
        write(tmp_path / name, name.encode())
    write(tmp_path / "b" / "image.png", b"\x89PNG\0")
    write(tmp_path / "b" / "empty.txt", b"")
    write(tmp_path / "b" / "latin.txt", b"\xe9")
    os.mkfifo(tmp_path / "b" / "fifo")
    (tmp_path / "b" / "dangling").symlink_to(tmp_path / "nowhere")
    root = str(tmp_path)
    sources = find_sources([f"{root}/b", "-", f"{root}/?.*", f"{root}/**/c*"], io.BytesIO(b"piped"))
    text = Text(sources)
    files = ["b/10.txt", "b/2.txt", "b/deep/c.txt", "piped", "a.txt", "c.md", "b/deep/c.txt", "c.md"]
    assert "".join(text.read()) == "\n".join(files)
    assert [source.name for source in text.kept[2:5]] == [f"{root}/b/deep/c.txt", "standard input", f"{root}/a.txt"]
    skipped = [sources[number].name for number in text.skipped]
    assert skipped == [f"{root}/b/empty.txt", f"{root}/b/image.png", f"{root}/b/latin.txt"]
    assert len(Text(find_sources([f"{root}/b"]), binary=True).kept) == 5
    assert read_text(f"{root}/b") == "\n".join(files[:3])


def test_a_name_with_pattern_characters_is_a_name_first(tmp_path):
    path = write(tmp_path / "a[1].txt", b"one")
    write(tmp_path / "a1.txt", b"other")
    assert read_text(path) == "one"


def test_a_fifo_is_a_stream(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = threading.Thread(target=fifo.write_bytes, args=(b"x" * 100_000 + b"\n",), daemon=True)
    writer.start()
    assert read_text(str(fifo)) == "x" * 100_000 + "\n"
    writer.join()


def test_process_substitution():
    reader, writer = os.pipe()
    os.write(writer, b"from a command\n")
    os.close(writer)
    assert read_text(f"/dev/fd/{reader}") == "from a command\n"
    os.close(reader)


@pytest.mark.parametrize(
    ("raw", "encoding", "line"),
    [
        (b"caf\xe9 au lait", "utf-8", "byte 0xe9 at offset 3 is not utf-8; try --encoding latin-1"),
        (b"\xef\xbb\xbf\xff", "utf-8", "byte 0xff at offset 3 is not utf-8; try --encoding latin-1"),
        ("ab".encode("utf-16"), "utf-8", "byte 0xff at offset 0 is not utf-8; try --encoding utf-16"),
        ("ab".encode("utf-32"), "utf-8", "byte 0xff at offset 0 is not utf-8; try --encoding utf-32"),
        (b"a\x81", "cp1252", "byte 0x81 at offset 1 is not cp1252; try --encoding latin-1"),
        (b"", "utf-8", "the file is empty"),
        (b"\xef\xbb\xbf", "utf-8", "the file is empty"),
    ],
)
def test_not_the_text_it_should_be(raw, encoding, line):
    assert refusal(["-"], encoding, stdin=io.BytesIO(raw)) == f"standard input: {line}"


@pytest.mark.parametrize(
    ("raw", "encoding", "offset"),
    [
        ("é\0".encode(), "utf-8", 2),
        (b"\x89PNG\0", "utf-8", 4),
        ("é\0".encode("utf-16"), "utf-16", 4),
        (b"\xef\xbb\xbfa\0", "utf-8", 4),
    ],
)
def test_binary_file(raw, encoding, offset):
    assert refusal(["-"], encoding, stdin=io.BytesIO(raw)) == (
        f"standard input: looks like a binary file (NUL byte at offset {offset}); "
        "give a text; raw bytes are for language models with data.tokenizer.level: byte"
    )


def test_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"typed\n")))
    assert read_text("-") == "typed\n"
    monkeypatch.setattr(sys, "stdin", None)
    assert refusal(["-"]) == "standard input: it is closed"


def test_empty_standard_input_is_empty_in_binary_too():
    assert refusal(["-"], binary=True, stdin=io.BytesIO()) == "standard input: the file is empty"


def test_missing(tmp_path):
    write(tmp_path / "corpus.txt", b"x")
    root = str(tmp_path)
    hint = f'did you mean "{root}/corpus.txt"?'
    assert refusal([f"{root}/corpsu.txt"]) == f"{root}/corpsu.txt: no such file or folder; {hint}"
    assert refusal([f"{root}/zzz"]) == f"{root}/zzz: no such file or folder"
    assert refusal([f"{root}/no/corpus.txt"]) == f"{root}/no/corpus.txt: no such file or folder"
    assert refusal([f"{root}/*.md"]) == f"{root}/*.md: no file matches this pattern"
    assert refusal([f"{root}/corpus.txt/x"]) == f"{root}/corpus.txt/x: cannot be read: Not a directory"
    assert refusal(["/" + "x" * 300]).endswith("cannot be read: File name too long")
    assert refusal([""]) == "'' is not a file name"
    assert refusal(["a\0b"]) == r"'a\x00b' is not a file name"
    assert refusal([root + "/\x1b]8;\udcff\n"]) == rf"{root}/\x1b]8;\udcff\n: no such file or folder"


def test_folders_without_text(tmp_path):
    root = str(tmp_path)
    assert refusal([root]) == f"no text files in folder {root}"
    write(tmp_path / "a.bin", b"\0")
    write(tmp_path / "b.bin", b"\0")
    assert refusal([root]) == f"no text files in folder {root}; 2 skipped, the first is {root}/a.bin"


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
def test_devices(device):
    assert refusal([device]) == f"{device}: neither a file nor a folder"


def test_unreadable(tmp_path, monkeypatch):
    path = write(tmp_path / "folder" / "secret.txt", b"x")
    denied = PermissionError(13, "Permission denied")  # raised by hand: root may read everything

    def deny(*_, **__):
        raise denied

    monkeypatch.setattr(Path, "open", deny)
    assert refusal([path]) == f"{path}: cannot be read: Permission denied"
    assert refusal([str(tmp_path)]) == f"{path}: cannot be read: Permission denied"  # not passed over in silence
    monkeypatch.setattr(os, "scandir", deny)
    assert refusal([str(tmp_path)]) == f"{tmp_path}: cannot be read: Permission denied"


@pytest.mark.parametrize(
    "encoding", ["nope", "", "hex", "rot13", "punycode", "idna", "a\0b", "é", "undefined", "\ud800"]
)
def test_unknown_encoding(encoding):
    line = refusal(["-"], encoding, stdin=io.BytesIO(b"x"))
    assert line == f"unknown encoding {encoding!r}; try utf-8, latin-1, cp1252 or utf-16"


def test_lines():
    assert lines("emma\n\n  \nolivia\u2028x\n\tava \n") == ["emma", "olivia\u2028x", "\tava "]
    assert lines("") == []


@pytest.mark.parametrize("size", [1, 2, 3, 5, 64])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "shift_jis"])
def test_a_text_is_read_from_any_character_on(tmp_path, monkeypatch, encoding, size):
    monkeypatch.setattr(readers, "PIECE", size)
    contents = ["aの\r\nb\r", "日\n\n", "\r\nc", "本語\r"]
    for number, content in enumerate(contents):
        write(tmp_path / f"{number}.txt", content.encode(encoding))
    text = Text(find_sources([str(tmp_path)]), encoding)
    whole = "aの\nb\n日\n\n\nc\n本語\n"
    assert text.size == len(whole)
    for start in range(len(whole) + 1):
        for stop in range(start, len(whole) + 1):
            pieces = list(text.read(start, stop))
            assert "".join(pieces) == whole[start:stop]
            assert "" not in pieces


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        (b"caf\xe9 au lait", "utf-8"),
        ("é".encode() * 5 + b"\xe4\xbd", "utf-8"),
        (b"\xef\xbb\xbfab\xff", "utf-8-sig"),
        ("日本".encode("utf-16") + b"\0", "utf-16"),
        (b"\xff\xfea\0\0\xdc", "utf-16"),
        ("日本".encode("shift_jis") + b"\x81", "shift_jis"),
        (b"abcd\x81", "cp1252"),
        ("é日\0".encode(), "utf-8"),
        ("é日\0".encode("utf-16"), "utf-16"),
        (b"ab\xffcd\0", "utf-8"),
    ],
)
def test_mistakes_are_told_wherever_pieces_end(monkeypatch, raw, encoding, size):
    whole = refusal(["-"], encoding, stdin=io.BytesIO(raw))
    monkeypatch.setattr(readers, "PIECE", size)
    assert refusal(["-"], encoding, stdin=io.BytesIO(raw)) == whole
    if "\0" not in raw.decode(encoding, "replace"):
        with pytest.raises(UnicodeDecodeError) as caught:
            raw.decode(encoding)
        before = 3 if encoding == "utf-8-sig" else 0  # the mark, which its decoder does not count
        start = caught.value.start + before
        assert f"byte 0x{raw[start]:02x} at offset {start} is not {encoding}" in whole
