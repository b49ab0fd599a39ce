"""Drawings as they are seen: in colour and without, wide and narrow, in ASCII, with labels of any kind."""

import io
import re
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncli.cli.console import Talk, columns_of
from rnncli.cli.drawings import CELL, MATRIX, SHARES, Style, confusions, length_bars, taken_for
from rnncli.metrics import LengthBin, classification_report

COLOR = re.compile(r"\x1b\[[0-9;]*m")
PLAIN, ASCII, COLORED = Style(), Style(blocks=False), Style(color=True)
DIGITS = [str(digit) for digit in range(10)]


def report(counts, labels, unknown=()):
    """A report of counts[row][column] examples of each pair; `unknown` is the row of labels never seen."""
    pairs = [(row, column, n) for row, each in enumerate(counts) for column, n in enumerate(each)]
    pairs += [(-1, column, n) for column, n in enumerate(unknown)]
    targets, predicted = (np.repeat([pair[k] for pair in pairs], [n for *_, n in pairs]) for k in (0, 1))
    return classification_report(targets, predicted, labels)


def widths(lines):
    return [columns_of(COLOR.sub("", line)) for line in lines]


def test_a_matrix_shades_each_count_by_its_share_of_the_row():
    counts = [[103, 34], [5, 5]]
    lines = confusions(report(counts, ["negative", "positive"]), PLAIN)
    assert lines == [
        "confusions: labels down, predictions across, shade by share of the row",
        "         negative positive",
        "negative ████ 103 ░░░░  34",
        "positive ▒▒▒▒   5 ▒▒▒▒   5",
    ]
    ascii_lines = confusions(report([[3, 2, 0], [0, 0, 0], [1, 0, 0]], ["a", "bb", "c"]), ASCII)
    assert ascii_lines[1:] == [
        "    a bb  c",
        "a  +3 :2  -",
        "bb  -  -  -",
        "c  #1  -  -",
    ]


def test_a_matrix_in_colour_has_grounds_instead_of_shades():
    lines = confusions(report([[9, 1], [3, 2]], ["yes", "no"]), COLORED)
    right, wrong = "\x1b[38;5;16;48;5;{}m{}\x1b[0m", "\x1b[38;5;16;48;5;{}m{}\x1b[0m"
    assert lines == [
        "confusions: labels down, predictions across, colour by share of the row",
        "    yes  no",
        f"yes {right.format(77, '  9')} {wrong.format(224, '  1')}",
        f"no  {wrong.format(210, '  3')} {right.format(157, '  2')}",
    ]


def test_labels_that_do_not_occur_are_left_out_and_unknown_ones_have_no_column():
    lines = confusions(report([[2, 0, 0], [0, 0, 0], [0, 0, 4]], ["a", "b", "c"], unknown=[0, 0, 1]), PLAIN)
    assert lines[1:] == [
        "           a  c",
        "a         █2  ·",
        "c          · █4",
        "(unknown)  · █1",
    ]
    only = confusions(report([[0, 0]], ["a", "b"], unknown=[3, 0]), PLAIN)
    assert only[1:] == ["           a", "a          ·", "(unknown) █3"]


def test_columns_are_numbered_where_their_labels_do_not_fit():
    labels = [f"language number {n}" for n in range(12)]
    lines = confusions(report(np.eye(12, dtype=int) * 20, labels), PLAIN)
    assert lines[1].split() == [str(n) for n in range(1, 13)]
    assert lines[2].startswith(" 1 language number 0 █ 20    ·")
    assert lines[13].startswith("12 language number …    ·")
    assert lines[13].endswith("   · █ 20")
    assert set(widths(lines[1:])) == {80}


def test_numbers_of_several_digits_are_aligned_and_columns_not_wider_than_they_need_be():
    lines = confusions(report([[1000, 2], [30, 999]], ["a" * 40, "b" * 40]), PLAIN)
    assert lines[1:] == [
        " " * 20 + f" {'a' * 11}… {'b' * 11}…",
        "a" * 19 + "…" + " ███████ 1000 ░░░░░░░    2",
        "b" * 19 + "…" + " ░░░░░░░   30 ███████  999",
    ]
    assert len("███████ 1000") == CELL


def test_many_labels_have_a_list_of_the_largest_confusions():
    counts = np.diag(np.arange(SHARES + 1) + 50)
    counts[np.arange(12), np.arange(1, 13)] = np.arange(1, 13)
    lines = confusions(report(counts, [f"class {n}" for n in range(SHARES + 1)]), Style(300))
    largest = [
        "largest confusions:",
        *(f"class {n} taken for class {n + 1}: {n + 1} of {n + 50 + n + 1}" for n in range(11, 1, -1)),
        "2 other pairs of labels: 3",
    ]
    assert lines == largest
    fewer = confusions(report(counts[:SHARES, :SHARES], [f"class {n}" for n in range(SHARES)]), Style(300))
    assert len(fewer) == 2 + SHARES + 1 + len(largest)
    assert fewer[-len(largest) :] == largest
    assert confusions(report(np.eye(31, dtype=int), [str(n) for n in range(31)]), PLAIN) == ["confusions: none"]


def test_before_that_list_there_are_percentages_where_there_is_room():
    counts = np.diag([200] * MATRIX + [1000])
    counts[0, 1:4] = 98, 1, 2  # of 301
    lines = confusions(report(counts, list("abcdefghijklm")), PLAIN)
    assert lines[:5] == [
        "confusions: labels down, predictions across, percent of the row",
        "    a   b   c   d   e   f   g   h   i   j   k   l   m",
        "a ▓66 ▒33   · ░ 1   ·   ·   ·   ·   ·   ·   ·   ·   ·",
        "b   · 100   ·   ·   ·   ·   ·   ·   ·   ·   ·   ·   ·",
        "c   ·   · 100   ·   ·   ·   ·   ·   ·   ·   ·   ·   ·",
    ]
    assert lines[15:] == ["", "largest confusions:", "a taken for b: 98 of 301", "a taken for d: 2 of 301",
                          "a taken for c: 1 of 301"]  # fmt: skip
    colored = confusions(report(counts, list("abcdefghijklm")), COLORED)
    assert colored[2].startswith("a \x1b[38;5;16;48;5;120m 66\x1b[0m \x1b[38;5;16;48;5;217m 33\x1b[0m   · ")
    assert COLOR.sub("", colored[3]).startswith("b   · 100   ·")
    assert [COLOR.sub("", line) for line in colored[:2]] == lines[:2]


def test_the_tags_of_universal_dependencies_fit_80_columns():
    tags = ["ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM"]
    tags += ["PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X"]
    lines = confusions(report(np.diag(np.arange(17) * 500 + 1), tags, unknown=[0] * 16 + [4000]), PLAIN)
    assert lines[0] == "confusions: labels down, predictions across, percent of the row"
    assert lines[1].split() == [str(n) for n in range(1, 18)]
    assert lines[13].startswith("12 PROPN       ·   ·")
    assert lines[19] == "18 (unknown)" + "   ·" * 16 + " 100"
    assert set(widths(lines[1:20])) == {80}
    assert lines[20:] == ["", "largest confusions:", "(unknown) taken for X: 4000 of 4000"]
    wide = confusions(report(np.diag(np.arange(17) * 500 + 1), tags), Style(110))
    assert wide[1].split() == tags
    assert wide[3] == "ADP       · ██100     ·" + "     ·" * 14


def test_long_labels_leave_room_for_the_percentages():
    labels = [f"{'very ' * 9}long {n}" for n in range(17)]
    lines = confusions(report(np.eye(17, dtype=int), labels), PLAIN)
    assert lines[2] == " 1 very ver…" + " 100" + "   ·" * 16
    assert confusions(report(np.eye(17, dtype=int), labels), Style(75)) == ["confusions: none"]


def test_a_matrix_too_wide_for_the_terminal_has_percentages_or_is_a_list():
    counts = np.eye(10, dtype=int) * 10_000
    counts[3, 5] = 700
    assert len(confusions(report(counts, DIGITS), Style(71))) == 12
    lines = confusions(report(counts, DIGITS), Style(70))
    assert lines[0].endswith("percent of the row")
    assert lines[5] == "3   ·   ·   · █93   · ░ 7   ·   ·   ·   ·"
    assert lines[12:] == ["", "largest confusions:", "3 taken for 5: 700 of 10700"]
    assert confusions(report(counts, DIGITS), Style(40))[1:] == ["3 taken for 5: 700 of 10700"]


def test_label_sets_and_splits_without_examples_have_no_matrix():
    nothing = np.empty(0, int)
    assert confusions(classification_report(nothing, nothing, ["a", "b"]), PLAIN) == ["confusions: none"]
    sets = np.ones((2, 3), bool)
    assert confusions(classification_report(sets, sets, ["a", "b"]), PLAIN) == []


LABELS = st.text(st.sampled_from("ab 漢字\x1b\n\u202e\u0301é👩\u200d"), max_size=30)


@given(st.data(), st.integers(1, 15), st.integers(40, 100), st.booleans(), st.booleans())
def test_no_drawing_is_wider_than_its_style(data, K, width, color, blocks):
    style = Style(width, color, blocks)
    labels = data.draw(st.lists(LABELS, min_size=K, max_size=K))
    counts = np.array(data.draw(st.lists(st.sampled_from([0, 0, 1, 9, 1234]), min_size=K * K, max_size=K * K)))
    lines = confusions(report(counts.reshape(K, K), labels, unknown=counts[:K]), style)
    assert max(widths(lines)) <= width
    shown = COLOR.sub("", "".join(lines)) if color else "".join(lines)
    assert not {"\x1b", "\n", "\u202e"} & set(shown)
    if lines[0].startswith("confusions: labels"):
        title = next(number for number, line in enumerate(lines, 1) if line.endswith("row"))
        end = lines.index("") if "" in lines else len(lines)
        assert len(set(widths(lines[title:end]))) == 1


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("short", 5, "short"),
        ("longer", 5, "long…"),
        ("漢字漢字", 8, "漢字漢字"),
        ("漢字漢字", 7, "漢字漢…"),
        ("漢字漢字", 6, "漢字…"),
        ("a\u0301a\u0301a\u0301", 2, "a\u0301…"),
        ("a\x1b[31mb", 20, r"a\x1b[31mb"),
        ("two\nlines", 20, r"two\x0alines"),
        ("", 0, ""),
    ],
)
def test_text_is_cut_to_the_columns_it_takes(text, width, expected):
    assert PLAIN.shortened(text, width) == expected


def test_text_is_cut_in_ascii():
    assert ASCII.shortened("negative", 7) == "nega..."
    assert ASCII.shortened("negative", 2) == ".."


def test_what_was_taken_for_what_is_on_two_lines_where_it_is_too_long():
    style = Style(30)
    assert taken_for("f:1: ", "good", "bad", " (0.5)", style) == ["f:1: good taken for bad (0.5)"]
    assert taken_for("f:11: ", "good", "bad\n", " (0.5)", style) == ["f:11: good", r"  taken for bad\x0a (0.5)"]
    assert taken_for("", "g" * 40, "b" * 40, ": 3", style) == ["g" * 29 + "…", f"  taken for {'b' * 14}…: 3"]


def test_bars_are_as_long_as_the_accuracy():
    bins = (LengthBin(0, 0, 1, 0), LengthBin(1, 20, 30, 0.5), LengthBin(21, 40, 1200, 0.999), LengthBin(41, 999, 5, 1))
    assert length_bars(bins, PLAIN) == [
        "length                        accuracy  examples",
        "0       ░░░░░░░░░░░░░░░░░░░░     0.000         1",
        "1-20    ██████████░░░░░░░░░░     0.500        30",
        "21-40   ███████████████████░     0.999      1200",
        "41-999  ████████████████████     1.000         5",
    ]
    narrow = length_bars(bins, Style(40, blocks=False))
    assert narrow[2] == "1-20    ######......     0.500        30"
    assert max(widths(narrow)) == 40
    tokens = length_bars(bins, Style(40), "tokens")
    assert tokens[0] == "length                  accuracy  tokens"
    assert tokens[2] == "1-20    ███████░░░░░░░     0.500      30"
    assert length_bars((), PLAIN) == []


def test_the_style_is_that_of_stdout(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))
    talk = Talk(quiet=True, color=None)
    assert Style.of_stdout(talk) == Style(80, color=False, blocks=True)
    monkeypatch.setenv("COLUMNS", "50")
    assert Style.of_stdout(talk).width == 50
    for encoding in ("ascii", "latin-1"):
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
        assert not Style.of_stdout(talk).blocks
    monkeypatch.setattr(sys, "stdout", None)
    assert Style.of_stdout(talk) == Style(50, color=False, blocks=True)
    talk.colors_stdout = True
    assert Style.of_stdout(talk).color
