import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncli.data import find_sources
from rnncli.data.pairs import format_of, read_pairs
from rnncli.errors import DataError
from tests.data.pairs.written_pairs import read, refusal, written

AS_MANY = "give each line its own in the other file"
LEAVE_OUT = "write one, or leave the pair out"


def test_a_line_goes_with_that_of_its_number(tmp_path):
    files = {"a.en": "Do you?\n\nI am.\n", "a.es": "¿Tú?\n \t\n Soy.\u2028 "}
    assert read(tmp_path, files) == [("Do you?", "¿Tú?", "a.en:1"), ("I am.", " Soy.\u2028 ", "a.en:3")]


def test_entries_and_the_files_that_they_stand_for_go_together_in_order(tmp_path):
    for folder in ("en", "es"):
        (tmp_path / folder).mkdir()
    names = ["en/1", "en/2", "b.en", "es/1", "es/2", "b.es"]
    written(tmp_path, {name: f"{name} x\n" for name in names})
    paths = [f"{tmp_path}/en", f"{tmp_path}/b.en", f"{tmp_path}/es", f"{tmp_path}/b.e[s]"]
    entries = [find_sources([path]) for path in paths]
    assert format_of(entries) == "parallel"
    found = [pair[:2] for pair in read_pairs(entries, "parallel")]
    assert found == [("en/1 x", "es/1 x"), ("en/2 x", "es/2 x"), ("b.en x", "b.es x")]


@pytest.mark.parametrize(
    ("left", "right", "lines"),
    [
        ("a\nb\nc\n", "a\nb\n", (3, 2)),
        ("a\nb\nc", "a\nb\nc\nd\ne\nf", (3, 6)),
        ("a\nb\n\n\n", "a\nb", (4, 2)),
        ("a\n" * 40_000, "b\n" * 50_001, ("40,000", "50,001")),
    ],
)
def test_unequal_numbers_of_lines_are_counted_in_both(tmp_path, left, right, lines):
    message = f"x.en: {lines[0]} lines, but x.es has {lines[1]}; {AS_MANY}"
    assert refusal(tmp_path, {"x.en": left, "x.es": right}) == message


@pytest.mark.parametrize(
    ("left", "right", "message"),
    [
        ("a\n \nc\n", "a\nb\nc\n", "x.en:2: an empty source"),
        ("a\nb\nc\n", "a\nb\n\t\n", "x.es:3: an empty target"),
    ],
)
def test_a_side_of_white_space_is_named(tmp_path, left, right, message):
    assert refusal(tmp_path, {"x.en": left, "x.es": right}) == f"{message}; {LEAVE_OUT}"


def test_entries_that_nothing_goes_with(tmp_path):
    for folder in ("en", "es"):
        (tmp_path / folder).mkdir()
    written(tmp_path, {"en/1": "a", "en/2": "a", "es/1": "b"})
    entries = [find_sources([f"{tmp_path}/{name}"]) for name in ("en", "es")]
    with pytest.raises(DataError, match=r"^2 files of sources, from .*en/1 on, but 1 of targets, from .*es/1 on; give"):
        list(read_pairs(entries, "parallel"))
    assert refusal(tmp_path, {"a": "x\n", "b": "y\n", "c": "z\n"}, "parallel") == (
        "no file of targets to go with c; name the files of sources, then as many of targets"
    )
    assert refusal(tmp_path, {"a": "x\n"}, "parallel").startswith("no file of targets to go with a;")


def test_without_targets_each_line_is_a_source(tmp_path):
    found = read(tmp_path, {"a": "x\ty\n\nz\n"}, "parallel", targets=False)
    assert found == [("x\ty", None, "a:1"), ("z", None, "a:3")]


def test_bytes_of_both_files_are_reported(tmp_path):
    seen = []
    left, right = "abcdefg\n" * 100_000, "xy\n" * 100_000
    read(tmp_path, {"a": left, "b": right}, report=seen.append)
    assert seen == sorted(seen)
    assert len(seen) > 4
    assert seen[-1] == len(left) + len(right)


SIDES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n\ufeff")).filter(str.strip)


@given(st.lists(st.tuples(SIDES, SIDES), min_size=1), st.sampled_from(["\n", "\r\n"]), st.booleans())
@settings(deadline=None, max_examples=40)
def test_what_was_written_is_read(tmp_path_factory, pairs, end, mark):
    folder = tmp_path_factory.mktemp("pairs")
    files = {
        name: ("\ufeff" * mark + "".join(pair[side] + end for pair in pairs)).encode()
        for side, name in enumerate(("a.en", "a.es"))
    }
    assert [pair[:2] for pair in read(folder, files, "parallel")] == pairs
