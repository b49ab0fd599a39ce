import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncli.spec import from_plain, parse_spec, to_plain, to_yaml, validate
from tests.spec.spec_schemas import LSTM, RNN, SGD, Adam, Data, Model, Plateau, Spec, Training

ODD = [
    "1e-3",
    "017",
    "0x1F",
    "1_000",
    "1:30",
    "yes",
    "off",
    "y",
    "null",
    "~",
    "true",
    ".nan",
    "-1",
    "+1",
    "<<=",
    "---",
    "...",
    "-",
    "?",
    ":",
    ",",
    "#",
    "&",
    "*",
    "!",
    "|",
    ">",
    "'",
    '"',
    "%",
    "@",
    "`",
    "{}",
    "[]",
]
TEXTS = st.sampled_from(
    [*ODD, "", " ", " a", "a ", "a: b", "a #b", "a\tb", "\x1b[0m", "\x85", "\u2028", "\ufeff", "é", "1 2"]
)
text = TEXTS | st.text(max_size=20)
positive = st.floats(1e-300, 1e300)
cells = st.builds(RNN, activation=st.sampled_from(["tanh", "relu"])) | st.builds(
    LSTM, forget_bias=st.floats(allow_nan=False, allow_infinity=False)
)
specs = st.builds(
    Spec,
    data=st.builds(
        Data,
        train=text | st.lists(text).map(tuple),
        weights=st.dictionaries(text, st.just(1e-05) | positive, max_size=3),
        labels=st.lists(text, max_size=3).map(tuple),
    ),
    model=st.builds(Model, cell=cells, hidden_size=st.integers(1, 10**30), dropout=st.floats(0, 0.99)),
    training=st.builds(
        Training,
        optimizer=st.builds(Adam, learning_rate=positive) | st.builds(SGD, learning_rate=positive),
        schedule=st.none() | st.just(Plateau()),
        max_norm=st.none() | positive,
        warmup=st.just("auto") | positive,
    ),
    layers=st.lists(cells, max_size=3).map(tuple),
)


@settings(max_examples=80, deadline=None)
@given(specs)
def test_yaml_reads_back(spec):
    written = to_yaml(spec)
    assert written.replace("\n", "").isprintable()
    assert validate(parse_spec(written.encode(), "spec.yaml"), Spec) == spec


@settings(max_examples=50, deadline=None)
@given(specs)
def test_plain_survives_json(spec):
    assert from_plain(json.loads(json.dumps(to_plain(spec))), Spec, "best.npz") == spec


def test_readable_yaml():
    spec = Spec(
        Data(("corpus one.txt", "yes", "a: b"), weights={"é": 1e-05}),
        Model(RNN()),
        Training(Adam(learning_rate=0.002)),
        layers=(LSTM(), RNN()),
    )
    assert (
        to_yaml(spec)
        == """\
data:
  train: [corpus one.txt, "yes", "a: b"]
  level: character
  weights:
    é: 1e-05
  labels: []
model:
  cell:
    name: rnn
    activation: tanh
  hidden_size: 128
  embedding_size: 64
  dropout: 0.0
  tie_embeddings: false
training:
  optimizer:
    name: adam
    learning_rate: 0.002
    betas: [0.9, 0.999]
  schedule: null
  epochs: 20
  max_norm: 5.0
  warmup: auto
layers: [{name: lstm, forget_bias: 1.0}, {name: rnn, activation: tanh}]
notes: []
"""
    )


def test_numbers_that_are_not_finite_are_never_written():
    with pytest.raises(ValueError, match="JSON compliant"):
        to_yaml(LSTM(forget_bias=float("nan")))
