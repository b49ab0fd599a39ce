from dataclasses import dataclass
from typing import Annotated, Literal

import pytest
from pydantic import AfterValidator

from rnncli.errors import SettingError, SpecError
from rnncli.spec import from_plain, override, parse_spec, validate
from tests.spec.spec_schemas import GOOD, LSTM, RNN, SGD, Adam, Data, Model, Plateau, Spec, Training, Tree


def read(text, schema=Spec):
    return validate(parse_spec(text.encode(), "spec.yaml"), schema)


def lines(text, schema=Spec):
    with pytest.raises(SpecError) as caught:
        read(text, schema)
    found = str(caught.value).split("\n")
    assert len(found) == 1 + len(caught.value.more)
    assert all(line.isprintable() and len(line) <= 200 for line in found)
    return found


def test_a_good_spec():
    assert read(GOOD) == Spec(
        data=Data(train="corpus.txt"),
        model=Model(cell=RNN(activation="relu")),
        training=Training(schedule=Plateau()),
        layers=(LSTM(), RNN()),
    )


def test_each_check_is_built_once(monkeypatch):
    read(GOOD)
    monkeypatch.setattr("pydantic.TypeAdapter", None)
    assert read(GOOD) == read(GOOD)


def test_a_key_in_the_wrong_section():
    assert lines("training: {learning_rate: 0.1}\nbetas: [0.5, 0.9]\ndata: {train: x}\n") == [
        'spec.yaml:1:12: unknown key "learning_rate" in training; did you mean training.optimizer.learning_rate?',
        'spec.yaml:2:1: unknown key "betas"; did you mean training.optimizer.betas?',
    ]


def test_five_mistakes_five_lines():  # R15
    text = """\
data:
  train: 3
model:
  hiden_size: 128
  cell: lstmm
training:
  optimizer: {name: sgd, learning_rat: 1}
  epochs: big
"""
    assert lines(text) == [
        "spec.yaml:2:10: data.train must be text or a list, not 3",
        'spec.yaml:4:3: unknown key "hiden_size" in model; did you mean "hidden_size"?',
        'spec.yaml:5:9: model.cell must be one of rnn, lstm, not "lstmm"; did you mean "lstm"?',
        'spec.yaml:7:26: unknown key "learning_rat" in training.optimizer (sgd); did you mean "learning_rate"?',
        'spec.yaml:8:11: training.epochs must be a whole number, not "big"',
    ]


@pytest.mark.parametrize("text", ["1e-3", "1E-3", "1.e-3", ".001", "0.001", "1.0e-3"])  # R16
def test_learning_rate_spellings(text):
    rate = read(
        f"data: {{train: x}}\ntraining: {{optimizer: {{learning_rate: {text}}}}}"
    ).training.optimizer.learning_rate
    assert rate == 0.001


NUMERIC = [("model", "hidden_size"), ("training", "epochs"), ("training", "optimizer", "learning_rate")]
BAD = ["nan", ".nan", "inf", ".inf", "0", "-1", "1e999", "true", '"10"', "null"]


def overridden(document, assignment):
    override(document, assignment)
    return validate(document, Spec)


@pytest.mark.parametrize("path", NUMERIC)
@pytest.mark.parametrize("text", BAD)
def test_numbers_out_of_range(path, text):  # R17, R18
    nested = f"{path[0]}:\n  {path[1]}: " + (f"\n    {path[2]}: {text}" if path[2:] else text)
    (line,) = lines("data: {train: x}\n" + nested)
    assert line.startswith(f"spec.yaml:{len(path) + 1}:")
    document = parse_spec(GOOD.encode(), "spec.yaml")
    with pytest.raises(SpecError) as caught:
        overridden(document, f"{'.'.join(path)}={text}")
    assert str(caught.value).startswith(f"--set {'.'.join(path)}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("model: {hidden_size: 1.5}", "1:22: model.hidden_size must be a whole number, not 1.5"),
        ("model: {hidden_size: 10.0}", "1:22: model.hidden_size must be a whole number, not 10.0"),
        ("model: {embedding_size: 0}", "must be at least 8, not 0"),
        ("model: {embedding_size: 12}", "must be a multiple of 8, not 12"),
        ("model: {dropout: 1}", "must be less than 1, not 1"),
        ("model: {dropout: -0.5}", "must be at least 0, not -0.5"),
        ("model: {dropout: [0.5]}", "must be a number, not a list of length 1"),
        ("model: {tie_embeddings: 1}", "must be true or false, not 1"),
        ("model: 3", "1:8: model must be a mapping, not 3"),
        ("model: big", '1:8: model must be a mapping, not "big"'),
        ("model:", "1:7: model must be a mapping, not null"),
        ("model: {cell: }", "model.cell must be one of rnn, lstm, or a mapping, not null"),
        ("model: {cell: 3}", "model.cell must be one of rnn, lstm, or a mapping, not 3"),
        ("model: {cell: {name: 3}}", "1:22: model.cell.name must be one of rnn, lstm, not 3"),
        ("model: {cell: {name: LSTM}}", '.name must be one of rnn, lstm, not "LSTM"; did you mean "lstm"?'),
        ("model: {cell: {name: rnn, activation: rlu}}", 'one of tanh, relu, not "rlu"; did you mean "relu"?'),
        (
            "model: {cell: {name: rnn, forget_bias: 1}}",
            '1:27: unknown key "forget_bias" in model.cell (rnn); the keys are name, activation',
        ),
        ("layers: [rnn, {activation: relu}]", '1:15: missing key "name" in layers[1]; give one of rnn, lstm'),
        ("layers: [rnn, gru]", '1:15: layers[1] must be one of rnn, lstm, not "gru"'),
        ("layers: rnn", '1:9: layers must be a list, not "rnn"'),
        ("training: {schedule: platau}", 'must be plateau, not "platau"; did you mean "plateau"?'),
        ("training: {max_norm: 0}", "training.max_norm must be greater than 0, not 0"),
        ("training: {warmup: atuo}", 'must be a number or auto, not "atuo"; did you mean "auto"?'),
        ("training: {optimizer: {betas: [0.9]}}", "optimizer.betas must be a list of length 2, not a list of length 1"),
        ("training: {optimizer: {betas: [0.9, x]}}", 'training.optimizer.betas[1] must be a number, not "x"'),
        ("modle: {}", '1:1: unknown key "modle"; did you mean "model"?'),
    ],
)
def test_messages(section, expected):
    (line,) = lines(section + "\ndata: {train: x}")
    assert expected in line


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("{train: [a, 3]}", "1:19: data.train[1] must be text, not 3; quote it"),
        ("{train: true}", "data.train must be text or a list, not true"),
        ("{train: x, weights: {a: 1, b: x}}", 'data.weights.b must be a number, not "x"'),
        ("{train: x, labels: [a, b, c, d]}", "data.labels must be of length 3 or less, not a list of length 4"),
        ("{}", '1:1: missing key "train" in data'),
    ],
)
def test_messages_about_containers(section, expected):
    (line,) = lines(f"data: {section}")
    assert expected in line


def test_missing_sections():
    assert lines("") == ['spec.yaml:1:1: missing key "data"']
    assert lines("[]") == ["spec.yaml:1:1: the spec must be a mapping, not a list of length 0"]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("model:\n  tie_embeddings: true", "spec.yaml:3:3"),
        ("model:\n  cell: rnn\n  hidden_size: 8\n  tie_embeddings: true", "spec.yaml:5:3"),
        ("model: {hidden_size: 8, tie_embeddings: true}", "spec.yaml:2:25"),
    ],
)
def test_cross_field_checks_at_the_key_at_fault(text, where):
    (line,) = lines(f"data: {{train: x}}\n{text}")
    assert line == f"{where}: model: tie_embeddings needs embedding_size equal to hidden_size"


@dataclass(frozen=True)
class Checked:
    """What refuses a key, of itself or of what is within, or all of itself."""

    key: str | None = None
    inner: Model = Model()
    size: int = 0

    def __post_init__(self):
        if self.key is None:
            raise ValueError("inner and size are named, but no key")
        raise SettingError("not the size", key=self.key, hint="leave it out")


@dataclass(frozen=True)
class Holder:
    """A section with another."""

    part: Checked = Checked


@pytest.mark.parametrize(
    ("key", "where"),
    [
        ("key", "2:3"),
        ("size", "3:3"),
        ("inner", "4:3"),
        ("inner.dropout", "4:11"),
        ("inner.hidden_size", "4:25"),
        ("inner.cell.name", "4:3"),
        ("nothing", "1:1"),
    ],
)
def test_cross_field_checks_at_keys_of_mappings_within(key, where):
    text = f"part:\n  key: {key}\n  size: 3\n  inner: {{dropout: 0.5, hidden_size: 8}}"
    assert lines(text, Holder) == [f"spec.yaml:{where}: part: not the size; leave it out"]


def test_cross_field_checks_without_a_key_at_the_section_whatever_they_say():
    assert lines("part:\n  size: 3\n  inner: {dropout: 0.5}", Holder) == [
        "spec.yaml:1:1: part: inner and size are named, but no key"
    ]


def test_cross_field_checks_at_what_overrode_a_key():
    document = parse_spec(b"data: {train: x}\nmodel: {hidden_size: 8}", "spec.yaml")
    for assignment in ("model.dropout=0.5", "model.tie_embeddings=true", "model.embedding_size=16"):
        override(document, assignment)
    with pytest.raises(SpecError, match=r"^--set model\.tie_embeddings: model: tie_embeddings needs"):
        validate(document, Spec)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("layers: rnn", '1:9: layers must be a list, not "rnn"; write ["rnn"] for a list of one'),
        ("notes: f*", '1:8: notes must be a list, not "f*"; write ["f*"] for a list of one'),
        ("notes: 3", "1:8: notes must be a list, not 3"),
        ("training: {optimizer: {betas: a}}", '1:31: training.optimizer.betas must be a list, not "a"'),
    ],
)
def test_a_word_in_place_of_a_list(text, line):
    assert lines(f"{text}\ndata: {{train: x}}") == [f"spec.yaml:{line}"]


def test_whole_numbers_fill_floats_and_lists_fill_tuples():
    spec = read("data: {train: [a, b], weights: {a: 2}}\ntraining: {optimizer: {betas: [0, 1]}, max_norm: null}")
    assert spec.data == Data(train=("a", "b"), weights={"a": 2.0})
    assert spec.training == Training(Adam(betas=(0.0, 1.0)), max_norm=None)
    assert type(spec.data.weights["a"]) is type(spec.training.optimizer.betas[0]) is float


def test_a_mapping_without_a_name_keeps_the_default_component():
    assert read("data: {train: x}\nmodel: {cell: {forget_bias: 2}}").model.cell == LSTM(forget_bias=2.0)
    assert read("data: {train: x}\ntraining: {optimizer: sgd}").training.optimizer == SGD()


def even(n):
    if n % 2:
        raise ValueError("must be even")
    return n


def test_other_field_types():
    @dataclass(frozen=True)
    class Odd:
        name: str
        brace: Literal["{x}", "{y}"] = "{x}"
        size: Annotated[int, AfterValidator(even)] = 0

    assert lines("name: [a]\nbrace: '{z}'\nsize: 3", Odd) == [
        "spec.yaml:1:7: name must be text, not a list of length 1",
        'spec.yaml:2:8: brace must be one of {x}, {y}, not "{z}"; did you mean "{y}"?',
        "spec.yaml:3:7: size: must be even",
    ]
    assert read("name: b", Odd) == Odd("b")


def test_odd_texts_are_printable_and_short():
    found = lines('data: {train: x, "\\e[31m\\u202e": 1, level: "' + "é" * 500 + '", ' + "k" * 300 + ": 1}")
    assert found[0].startswith('spec.yaml:1:18: unknown key "\\x1b[31m\\u202e" in data; the keys are train, level')
    assert found[1].startswith('spec.yaml:1:44: data.level must be one of character, byte, word, not "éééé')
    assert found[2].startswith('spec.yaml:1:548: unknown key "kkkk')


def test_a_schema_that_contains_itself():
    assert read("children: [{}, {children: [{}]}]", Tree) == Tree((Tree(), Tree((Tree(),))))
    (line,) = lines("children: [{}, {children: [{}, {childen: []}]}]", Tree)
    assert line == 'spec.yaml:1:33: unknown key "childen" in children[1].children[1]; did you mean "children"?'


def test_from_plain():
    plain = {"data": {"train": "x"}, "model": {"cell": "rnn"}}
    assert from_plain(plain, Spec, "best.npz") == Spec(Data("x"), Model(cell=RNN()))
    hostile = {"data": {"train": "\ud800", "level": 3}, "model": {"dropout": float("nan"), "hidden_size": 10**30}}
    with pytest.raises(SpecError) as caught:
        from_plain(hostile, Spec, "best.npz")
    assert str(caught.value).split("\n") == [
        'best.npz: data.train must be valid text, not "\\ud800"',
        "best.npz: data.level must be one of character, byte, word, not 3",
        "best.npz: model.dropout must be a finite number, not NaN",
    ]
    deep = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(SpecError, match=r"best.npz: notes is nested too deep"):
        from_plain({"data": {"train": "x"}, "notes": deep}, Spec, "best.npz")
    with pytest.raises(SpecError, match=r"best.npz: the spec must be a mapping, not null"):
        from_plain(None, Spec, "best.npz")
