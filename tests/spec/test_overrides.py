import pytest

from rnncli.errors import SpecError
from rnncli.spec import assign, override, parse_spec, validate
from tests.spec.spec_schemas import GOOD, RNN, Adam, Spec


def document(text=GOOD):
    return parse_spec(text.encode(), "spec.yaml")


def overridden(*assignments, text=GOOD):
    found = document(text)
    for assignment in assignments:
        override(found, assignment)
    return found


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("[a, 2]", ["a", 2]),
        ("{name: x, b: {c: 1}}", {"name": "x", "b": {"c": 1}}),
        ("'017'", "017"),
        ("", None),
        ("null", None),
        ("a=b", "a=b"),
        (" 5 ", 5),
        ("two words", "two words"),
        ("ż", "ż"),
    ],
)
def test_values(text, value):
    assert overridden(f"model.new.deep={text}").value["model"]["new"] == {"deep": value}


@pytest.mark.parametrize("assignment", ["a.b", "", "=", "a..b=1", ".a=1", "a.=1"])
def test_bad_assignments(assignment):
    with pytest.raises(SpecError, match="not of the form key=value"):
        overridden(assignment)


@pytest.mark.parametrize(
    "text", ["yes", "017", "1e400", "b: c", "- b", "b #c", "#c", "[", "*b", "!!b c", "a\n---\nb", "\udcff", "\x1b"]
)
def test_bad_values(text):
    with pytest.raises(SpecError) as caught:
        overridden(f"a.b={text}")
    assert str(caught.value).startswith("--set a.b: ")
    assert str(caught.value).isprintable()


def test_places_of_overrides():
    found = overridden("model.hidden_size=5", "training.optimizer={learning_rate: 0}", "new.key=1")
    assert found.where(("model", "hidden_size")) == "--set model.hidden_size"
    assert found.where(("training", "optimizer", "learning_rate")) == "--set training.optimizer"
    assert found.where(("new",)) == "--set new.key"
    assert found.where(("model", "dropout")) == "spec.yaml:8:3"


def test_overriding_inside_a_shorthand():
    text = "data: {train: x}\nmodel:\n  cell: rnn\n"
    found = overridden("model.cell.activation=relu", text=text)
    assert found.value["model"]["cell"] == {"name": "rnn", "activation": "relu"}
    assert validate(found, Spec).model.cell == RNN(activation="relu")
    assert found.where(("model", "cell", "activation")) == "--set model.cell.activation"
    assert found.where(("model", "cell", "name")) == "spec.yaml:3:3"


def test_a_shorthand_replaces_a_mapping():
    assert validate(overridden("model.cell=rnn"), Spec).model.cell == RNN()
    assert validate(overridden("training.optimizer=adam"), Spec).training.optimizer == Adam()


def test_overriding_part_of_a_default():
    found = overridden("data.train=x", "training.optimizer.learning_rate=1e-2", text="")
    assert validate(found, Spec).training.optimizer == Adam(learning_rate=0.01)


def test_parents_that_are_no_mappings():
    with pytest.raises(SpecError) as caught:
        overridden("model.hidden_size.x=1")
    assert str(caught.value) == "--set model.hidden_size.x: model.hidden_size is 128, not a mapping"
    with pytest.raises(SpecError) as caught:
        overridden("layers.0=rnn")
    assert str(caught.value) == "--set layers.0: layers is a list of length 2, not a mapping"
    with pytest.raises(SpecError) as caught:
        overridden("a=1", text="[1]")
    assert str(caught.value) == "--set a: the spec is a list of length 1, not a mapping"
    with pytest.raises(SpecError, match=r"^--set data.level.x: data.level must be one of .*, not a mapping"):
        validate(overridden("data.level.x=1"), Spec)


def test_overrides_are_validated_like_the_file():
    found = overridden("model.hidden_size=big", "model.dropout=2")
    assign(found, ("training", "epochs"), 0, "--epochs")
    with pytest.raises(SpecError) as caught:
        validate(found, Spec)
    assert str(caught.value).split("\n") == [
        '--set model.hidden_size: model.hidden_size must be a whole number, not "big"',
        "--set model.dropout: model.dropout must be less than 1, not 2",
        "--epochs: training.epochs must be greater than 0, not 0",
    ]


def test_a_later_override_wins():
    found = overridden("model.hidden_size=5", "model={hidden_size: 6}", "model.hidden_size=7")
    assert found.value["model"] == {"hidden_size": 7}
    assert found.where(("model",)) == "--set model"
    assert found.where(("model", "hidden_size")) == "--set model.hidden_size"
