"""What is read and written with the labels that were there is the file, to the byte."""

import csv
import io
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from rnncli.data.tagged import TagColumns
from tests.data.tagged.tagged_files import read, rewritten

CHARACTERS = st.characters(exclude_characters="\0\r\n\t", exclude_categories=["Cs"])
words = st.text(CHARACTERS, min_size=1, max_size=6)
labels = st.text('ab#"|,_é- ', min_size=1, max_size=4).filter(lambda label: label.strip() == label)
endings = st.sampled_from(["\n", "\r\n"])
blanks = st.sampled_from(["", "\n", " \n", "\r\n\n", "\t\n"])


@st.composite
def conllu_files(draw):
    """A file, its words and their labels."""
    parts, sentences = [], []
    for _ in range(draw(st.integers(1, 3))):
        parts += [draw(blanks), *(f"# {comment}{draw(endings)}" for comment in draw(st.lists(words, max_size=2)))]
        rows = draw(st.lists(st.tuples(words, labels.filter(lambda label: label != "_")), min_size=1, max_size=4))
        for number, (form, upos) in enumerate(rows, 1):
            others = [draw(st.sampled_from(["_", "x y", ""])) for _ in range(6)]
            if draw(st.booleans()):
                parts.append("\t".join([draw(st.sampled_from([f"{number}-{number + 1}", f"{number}.1"])), *["_"] * 9]))
                parts.append(draw(endings))
            space = draw(st.sampled_from(["", " "]))
            parts += ["\t".join([str(number), form, others[0], space + upos, *others[1:], "_"]), draw(endings)]
        sentences.append(([form for form, _ in rows], [(upos,) for _, upos in rows]))
        parts.append(draw(endings))
    return "".join(parts), sentences


@settings(max_examples=50, deadline=None)
@given(conllu_files(), blanks, st.booleans())
def test_conllu(tmp_path_factory, file, rest, cut):
    text, sentences = file
    text = text[: -len("\n")].removesuffix("\r") if cut else text + rest
    folder = tmp_path_factory.getbasetemp()
    assert [(steps, found) for steps, found, *_ in read(folder, "a.conllu", text)] == sentences
    assert rewritten(folder, "a.conllu", text, {}) == text
    single = TagColumns("form", "misc")
    changed = rewritten(folder, "a.conllu", text, ("N",), single, labelled=False)
    assert [found for _, found, *_ in read(folder, "a.conllu", changed, single)] == [
        [("N",)] * len(found) for _, found in sentences
    ]
    assert rewritten(folder, "a.conllu", changed, ("_",), single, labelled=False) == text


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.lists(st.tuples(words, labels), min_size=1, max_size=4), min_size=1, max_size=3),
    st.lists(blanks, min_size=4, max_size=4),
    endings,
)
def test_conll(tmp_path_factory, sentences, between, ending):
    text = between[-1]
    expected = between[-1]
    for rows, blank in zip(sentences, between, strict=False):
        text += "-DOCSTART-\n# a comment\n" + "".join(f"{word}\t{label}{ending}" for word, label in rows) + "\n" + blank
        expected += "-DOCSTART-\n# a comment\n"
        expected += "".join(f"{word}\t{label}\t{label}{ending}" for word, label in rows) + "\n" + blank
    folder = tmp_path_factory.getbasetemp()
    found = [(steps, found) for steps, found, *_ in read(folder, "a.conll", text)]
    assert found == [([word for word, _ in rows], [(label,) for _, label in rows]) for rows in sentences]
    assert rewritten(folder, "a.conll", text, {}) == expected


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.text("ab,;\"'\n é\u2028", min_size=1, max_size=5), labels), min_size=1, max_size=4),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    endings,
    blanks.filter(lambda blank: not blank.strip("\r\n")),
    st.sampled_from([("csv", ","), ("tsv", "\t")]),
)
def test_tables(tmp_path_factory, sequences, quoting, ending, blank, kind):
    suffix, delimiter = kind
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, quoting=quoting, lineterminator=ending + blank)
    writer.writerow(["note", "tag", "id", "token"])
    for number, rows in enumerate(sequences):
        writer.writerows([word + label, label, number, word] for word, label in rows)
    text, columns, folder = file.getvalue(), TagColumns(label="tag", sequence="id"), tmp_path_factory.getbasetemp()
    found = [(steps, found) for steps, found, *_ in read(folder, f"a.{suffix}", text, columns)]
    assert found == [([word for word, _ in rows], [(label,) for _, label in rows]) for rows in sequences]
    assert rewritten(folder, f"a.{suffix}", text, {}, columns) == text
    new = {label: f'{label}" {delimiter}' for rows in sequences for _, label in rows}
    changed = rewritten(folder, f"a.{suffix}", text, new, columns)
    rows = [row for row in csv.reader(io.StringIO(changed, newline=""), delimiter=delimiter) if row]
    assert rows[1:] == [
        [word + label, new[label], str(number), word] for number, each in enumerate(sequences) for word, label in each
    ]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.lists(st.tuples(words, st.lists(labels, max_size=3)), min_size=1, max_size=4), words),
        min_size=1,
        max_size=4,
    ),
    st.booleans(),
    st.sampled_from([(", ", ": "), (",", ":")]),
    blanks,
    st.booleans(),
)
def test_jsonl(tmp_path_factory, sequences, ascii_only, separators, blank, labels_first):
    lines = []
    for rows, key in sequences:
        members = {"tokens": [word for word, _ in rows], "labels": [names for _, names in rows], f"x{key}": [key, 1.50]}
        members = dict(sorted(members.items())) if labels_first else members
        lines.append(json.dumps(members, ensure_ascii=ascii_only, separators=separators) + "\n" + blank)
    text, folder = "".join(lines), tmp_path_factory.getbasetemp()
    found = [(steps, [*map(list, found)]) for steps, found, *_ in read(folder, "a.jsonl", text, multi_label=True)]
    assert found == [([word for word, _ in rows], [names for _, names in rows]) for rows, _ in sequences]
    assert rewritten(folder, "a.jsonl", text, {}, multi_label=True) == text
    changed = rewritten(folder, "a.jsonl", text, ("N", "é"), multi_label=True, labelled=False)
    for line, (rows, key) in zip(filter(str.strip, changed.split("\n")), sequences, strict=True):
        members = json.loads(line)
        assert members == {
            "tokens": [word for word, _ in rows],
            "labels": [["N", "é"]] * len(rows),
            f"x{key}": [key, 1.5],
        }
