import time

import pytest

from rnncli.errors import SpecError
from rnncli.spec import parse_spec, read_spec
from tests.spec.spec_schemas import GOOD


def refusal(text):
    data = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(SpecError) as caught:
        parse_spec(data, "spec.yaml")
    line = str(caught.value)
    assert line.isprintable()
    assert len(line) <= 200
    return line


def value(text):
    found = parse_spec(f"a: {text}".encode(), "spec.yaml").value["a"]
    return type(found), found


# R13, the sixteen rows of traps


@pytest.mark.parametrize(
    ("text", "number"), [("1e-3", 0.001), ("1E+3", 1000.0), ("1.e-3", 0.001), (".001", 0.001), ("-.5", -0.5)]
)
def test_exponents_are_numbers(text, number):
    assert value(text) == (float, number)


@pytest.mark.parametrize("text", ["1e400", "-1e400", ".inf", "-.Inf", ".nan", "1e-400"])
def test_numbers_out_of_range_are_refused(text):
    assert refusal(f"a: {text}").startswith(f'spec.yaml:1:4: "{text}" is ')


@pytest.mark.parametrize(
    "text",
    [
        "017",
        "00",
        "0x1F",
        "0o17",
        "0b1",
        "1_000",
        "1_0.5",
        "1.0_0",
        "1:30",
        "12:30:45",
        "01.5",
        "yes",
        "no",
        "on",
        "off",
        "Yes",
        "NO",
        "On",
        "OFF",
        "y",
        "n",
        "Y",
        "N",
    ],
)
def test_ambiguous_words_are_refused(text):
    assert refusal(f"b: 1\na: {text}") == (f'spec.yaml:2:4: "{text}" is ambiguous in YAML; quote it if it is text')
    assert value(f'"{text}"') == (str, text)


@pytest.mark.parametrize(
    "text",
    ["2026-01-01", "2026-13-45", "=", "1.2.3", "1e", "e5", "nan", "inf", "1:75:b", "localhost:80", "yess", "NoNe"],
)
def test_everything_else_is_text(text):
    assert value(text) == (str, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", None), ("~", None), ("null", None), ("true", True), ("FALSE", False), ("-0", 0), ("+5", 5), ("0.5", 0.5)],
)
def test_core_schema(text, expected):
    assert value(text) == (type(expected), expected)


def test_duplicate_keys_name_both_lines():
    assert refusal("a: 1\nb: 2\na: 3") == 'spec.yaml:3:1: the key "a" was already given on line 1'
    assert refusal("m:\n  a: 1\n  'a': 3") == 'spec.yaml:3:3: the key "a" was already given on line 2'


def test_alias_bomb():
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{b}: &{b} [{','.join('*' + a for _ in range(9))}]\n" for a, b in zip("abcdefg", "bcdefgh", strict=True)
    )
    assert refusal(bomb).startswith("spec.yaml:1:4: anchors (&) and aliases (*) are not allowed")
    assert refusal("a: *b").startswith("spec.yaml:1:4: anchors")


def test_merge_keys_and_tags():
    assert refusal("a: {<<: {b: 1}}").startswith("spec.yaml:1:5: merge keys (<<) are not allowed")
    assert refusal("a: !!python/name:os.system x").startswith("spec.yaml:1:4: tags (!) are not allowed")
    assert refusal("a: !!set {x}").startswith("spec.yaml:1:4: tags")


@pytest.mark.parametrize("bracket", ["[", "{", "- ", "? "])
def test_depth(bracket):
    started = time.perf_counter()
    assert "nested more than 32 deep" in refusal(bracket * 30_000)
    assert time.perf_counter() - started < 1
    deepest = "[" * 32 + "]" * 32
    assert str(parse_spec(deepest.encode(), "s").value) == deepest


def test_many_digits_and_long_words():
    assert "has 5000 characters, too many for a number" in refusal("a: " + "7" * 5000)
    long = "1_" * 100_000 + "x"  # quadratic for a careless pattern
    assert value(long) == (str, long)


@pytest.mark.parametrize("key", ["[1]", "{a: b}", "1", "1.5", "true", "null", "~"])
def test_keys_are_text(key):
    assert refusal(f"a:\n  ? {key}\n  : 2").startswith("spec.yaml:2:5: a key must be text, not ")


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("a:\n\tb: 1", "spec.yaml:2:1: a tab cannot indent"),
        ("a: 1\nb: x\0y", "spec.yaml:2:5: the character U+0000"),
        ("a: \x1b[31m", "spec.yaml:1:4: the character U+001B"),
        ("a: x\u2028y", "spec.yaml:1:5: the character U+2028"),
        ('a: "\\ud83d\\ude00"', "spec.yaml:1:4: half of a surrogate pair"),
        ('a: "\\UFFFFFFFF"', "spec.yaml:1:"),
        ("a: b: c", 'spec.yaml:1:5: unexpected ":"'),
        ("a: 1\nb", 'spec.yaml:2:2: expected "key: value"'),
        ("a:\n  b: 1\n c: 2", "spec.yaml:3:2: this does not line up"),
        ('a: "b', "spec.yaml:1:6: the text ends inside quotes"),
        ("a: @b", "spec.yaml:1:4: text cannot begin with this character; quote it"),
        ("a: 1\n---\nb: 2", "spec.yaml:2:1: a second document begins here"),
    ],
)
def test_broken_text(text, start):
    assert refusal(text).startswith(start)


def test_escapes_in_quotes_pass():
    assert value(r'"\x1b[31m"') == (str, "\x1b[31m")


def test_encodings():
    assert refusal(b"a: 1\nb: caf\xe9\n") == "spec.yaml:2:7: not UTF-8: byte 0xE9 at offset 11; save the file as UTF-8"
    assert refusal("a: 1".encode("utf-16")).startswith("spec.yaml:1:1: not UTF-8: byte 0xFF at offset 0")
    assert refusal(b"\xef\xbb\xbfa: \xff").startswith("spec.yaml:1:7: not UTF-8: byte 0xFF at offset 6")
    document = parse_spec(b"\xef\xbb\xbfa: 1\r\nb:\r\n  c: \xc5\xbc\r\n", "spec.yaml")
    assert document.value == {"a": 1, "b": {"c": "ż"}}
    assert document.where(("b", "c")) == "spec.yaml:3:3"


def test_limits():
    assert refusal(b"#" * (2**20 + 1)).startswith("spec.yaml: larger than 1048576 bytes")
    assert "more than 20000 values" in refusal("[" + "1," * 20_000 + "]")


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "---\n", "\ufeff"])
def test_an_empty_document_is_an_empty_mapping(text):
    assert parse_spec(text.encode(), "s").value == {}


def test_places():
    document = parse_spec(GOOD.encode(), "spec.yaml")
    assert document.where(("model", "cell", "activation")) == "spec.yaml:6:21"
    assert document.where(("layers", 1, "activation")) == "spec.yaml:16:5"
    assert document.where(("model", "hidden", "size")) == "spec.yaml:5:1"  # the nearest parent
    assert document.where(("nothing",)) == "spec.yaml:1:1"
    assert document.place(("model", "hidden_size"), of_value=True).text == "spec.yaml:7:16"


def test_files(tmp_path):
    good = tmp_path / "spec.yaml"
    good.write_text("a: 1", encoding="utf-8")
    assert read_spec(good).value == {"a": 1}
    assert read_spec(good).where(("a",)) == f"{good}:1:1"
    for path, reason in [
        (tmp_path / "none.yaml", "No such file"),
        (tmp_path, "Is a directory"),
        (tmp_path / "a\0b", "null byte"),
        (good / "x", "Not a directory"),
        (tmp_path / ("a\x1b" * 200), "File name too long"),
    ]:
        with pytest.raises(SpecError, match=reason) as caught:
            read_spec(path)
        assert str(caught.value).isprintable()
        assert len(str(caught.value)) <= 200
