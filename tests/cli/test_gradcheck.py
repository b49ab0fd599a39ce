"""`rnncli gradcheck`: every gradient right, and a wrong one caught."""

import sys
from pathlib import Path
from time import process_time

import pytest

from rnncli.nn.cells import CELLS
from tests.cli.conftest import strict_json

SPEC = "model: {cell: gru, hidden_size: 3, num_layers: 2, embedding: {size: 3}, dropout: 0.2}\n"


@pytest.fixture
def spec(rnncli):
    Path("spec.yaml").write_text(SPEC)
    return "spec.yaml"


@pytest.fixture
def untraced():
    """No line is followed for coverage, which takes far longer than what is timed."""
    trace = sys.gettrace()
    sys.settrace(None)
    yield
    sys.settrace(trace)


@pytest.mark.usefixtures("untraced")
def test_every_architecture(rnncli):
    began = process_time()  # of this process, whatever else the machine does
    status, out, err = rnncli("gradcheck", "--json")
    report = strict_json(out)
    assert process_time() - began < 60
    assert (status, err, report["failures"]) == (0, "", 0)
    assert all(row["error"] <= report["tolerance"] == 1e-6 for row in report["rows"])
    assert {row["case"].split()[0].rstrip(",") for row in report["rows"]} >= {*CELLS, "conv1d", "none"}
    assert sum(row["checked"] for row in report["rows"]) > 10_000
    assert {"inputs", "state.1", "recurrent.1.initial_state"} <= {row["parameter"] for row in report["rows"]}


def test_table_has_the_worst_case_of_each_parameter(rnncli, spec):
    status, out, err = rnncli("gradcheck", spec)
    header, *rows, summary = out.splitlines()
    assert (status, err) == (0, "")
    assert header.split() == ["parameter", "worst", "error", "where", "analytic", "numeric", "verdict", "case"]
    report = strict_json(rnncli("gradcheck", spec, "--json").out)
    worst = {}
    for row in report["rows"]:
        worst[row["parameter"]] = max(worst.get(row["parameter"], 0), row["error"])
    assert {row.split()[0]: row.split()[1] for row in rows} == {name: f"{error:.1e}" for name, error in worst.items()}
    assert summary.startswith("2 cases, ")
    assert summary.endswith(" 0 arrays failed at tolerance 1e-06")
    assert len(rnncli("gradcheck", spec, "--verbose").out.splitlines()) == 2 + len(report["rows"])


def test_the_table_fits_a_terminal_and_below_it_are_the_numbers_of_what_failed(rnncli, spec, monkeypatch):
    failing = ["gradcheck", spec, "--inject-error", "--parameter", "recurrent.0.weight_hh"]
    whole = rnncli(*failing).out.splitlines()
    (row,) = [line.split() for line in whole if "FAILED" in line]
    for width in (80, 60, 45):
        monkeypatch.setenv("COLUMNS", str(width))
        *lines, summary = rnncli(*failing).out.splitlines()
        assert max(map(len, lines)) <= width
        assert summary == whole[-1]
        table, facts = "\n".join(lines).split("\n\n")
        assert [line.split()[:3] for line in table.splitlines()[1:]] == [
            [words[0], words[1], words[5]] for words in map(str.split, whole[1:-1])
        ]
        name, numbers, _ = facts.splitlines()
        assert name == f"recurrent.0.weight_hh [{row[2]}]"
        assert f"  analytic {row[3]}, numeric {row[4]}".startswith(numbers.rstrip("…"))
    assert "case" not in table
    monkeypatch.setenv("COLUMNS", "300")
    assert rnncli(*failing).out.splitlines() == whole


@pytest.mark.parametrize(
    "parameter",
    ["embedding.weight", "recurrent.0.weight_ih", "recurrent.1.weight_hh", "recurrent.1.bias", "inputs", "state.0"],
)
def test_injected_error_is_caught_and_named(rnncli, spec, parameter):
    status, out, err = rnncli("gradcheck", spec, "--json", "--inject-error", "--parameter", parameter)
    report = strict_json(out)
    failed = [row for row in report["rows"] if not row["passed"]]
    assert (status, report["failures"]) == (1, len(failed))
    assert [row["parameter"] for row in failed] == [parameter] * 2
    for row in failed:
        assert row["analytic"] == pytest.approx(1.01 * row["numeric"])
        assert row["error"] == pytest.approx(0.01 / 1.01, rel=1e-3)
    assert err == f"2 of {len(report['rows'])} gradients differ from their numeric value; as --inject-error asked\n"


def test_injected_error_without_a_name(rnncli, spec):
    status, out, _ = rnncli("gradcheck", spec, "--inject-error")
    assert status == 1
    assert [line.split()[0] for line in out.splitlines() if "FAILED" in line] == ["recurrent.0.weight_hh"]


@pytest.mark.parametrize(
    ("text", "parameter"),
    [
        ("task: classification\nmodel: {hidden_size: 24, bidirectional: true}\n", "recurrent.0.forward.weight_hh"),
        ("task: regression\nmodel: {hidden_size: 24, bidirectional: false}\n", "recurrent.0.weight_hh"),
        ("model: {hidden_size: 24}\n", "recurrent.0.weight_hh"),
        ("model: {hidden_size: 24, cell: conv1d}\n", "convolution.0.weight"),
        ("task: classification\nmodel: {hidden_size: 24, cell: none, readout: mean}\n", "convolution.0.weight"),
    ],
)
def test_injected_error_is_caught_in_a_model_too_large_to_be_checked_whole(rnncli, text, parameter):
    Path("spec.yaml").write_text(text)
    assert rnncli("gradcheck", "spec.yaml").status == 0
    status, out, _ = rnncli("gradcheck", "spec.yaml", "--inject-error")
    assert status == 1
    assert [line.split()[0] for line in out.splitlines() if "FAILED" in line] == [parameter]
    other = rnncli("gradcheck", "spec.yaml", "--inject-error", "--parameter", "output.weight").out
    assert [line.split()[0] for line in other.splitlines() if "FAILED" in line] == ["output.weight"]


def test_tolerance_and_epsilon_count(rnncli, spec):
    assert rnncli("gradcheck", spec, "--tolerance", "1e-14").status == 1
    assert rnncli("gradcheck", spec, "--inject-error", "--tolerance", "0.02").status == 0
    coarse = strict_json(rnncli("gradcheck", spec, "--epsilon", "0.3", "--json").out)
    assert coarse["failures"] > 10


@pytest.mark.parametrize("option", ["--tolerance", "--epsilon"])
@pytest.mark.parametrize("value", ["0", "-1e-6", "nan", "inf", "1"])
def test_values_out_of_range(rnncli, option, value):
    refused = rnncli("gradcheck", option, value)
    assert refused == (2, "", f"{option} must be above 0 and below 1, not {float(value):g}\n")


def test_unknown_parameter(rnncli, spec):
    status, out, err = rnncli("gradcheck", spec, "--inject-error", "--parameter", "recurrent.0.weight_xx")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("no case has a gradient 'recurrent.0.weight_xx'; one of embedding.weight, ")
