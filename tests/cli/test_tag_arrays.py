"""`rnncli tag` of .npz files: other arrays stay, the labels are put beside them."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import strict_json
from tests.cli.tagged_models import overflowing, tagged, trained_taggers

WITH_OUTPUT = "--output FILE.npz goes with sequences from .npz files"


@pytest.fixture
def taggers(rnncli, tmp_path_factory, tmp_path):
    """`rnncli` in a folder with tagged data and models."""
    shutil.copytree(trained_taggers(tmp_path_factory), tmp_path, dirs_exist_ok=True)
    return rnncli


def arrays_of(path):
    with np.load(path) as found:
        return {name: found[name] for name in found}


class TestArrays:
    def test_come_back_with_labels_beside_all_others(self, taggers):
        x = np.array([[3, 3], [-3, 3], [-3, -3]], np.float32)
        np.savez("in.npz", x=x, lengths=[1, 2], y=["down"] * 3, names=["s", "t"], extra=np.arange(4.0))
        assert tagged(taggers, "-m", "runs/frames", "-f", "in.npz", "-o", "out.npz") == ""
        given, found = arrays_of("in.npz"), arrays_of("out.npz")
        assert found.pop("y").tolist() == ["up", "down", "down"]
        given.pop("y")
        assert [*found] == [*given]
        assert all(np.array_equal(found[name], given[name]) for name in given)
        assert tagged(taggers, "-m", "runs/frames", "-f", "out.npz", "-o", "again.npz") == ""
        assert arrays_of("again.npz")["y"].tolist() == ["up", "down", "down"]

    def test_of_several_labels(self, taggers):
        x = np.array([[[3, 3], [-3, 3]], [[-3, -3], [0, 0]]], np.float32)
        np.savez("in.npz", x=x, lengths=[2, 1])
        assert tagged(taggers, "-m", "runs/several", "-f", "in.npz", "-o", "out.npz") == ""
        found = arrays_of("out.npz")
        assert found["y"].tolist() == [[[1, 1], [0, 1]], [[0, 0], [0, 0]]]
        assert found["labels"].tolist() == ["a", "b"]
        assert tagged(taggers, "-m", "runs/several", "-f", "in.npz", "-o", "o2.npz", "--threshold", "0") == ""
        assert arrays_of("o2.npz")["y"].tolist() == [[[1, 1], [1, 1]], [[1, 1], [0, 0]]]

    def test_as_json(self, taggers):
        np.savez("in.npz", x=np.array([[3, 3], [-3, 3], [-3, -3]], np.float32), lengths=[1, 2])
        lines = tagged(taggers, "-m", "runs/frames", "-f", "in.npz", "--json").splitlines()
        assert [strict_json(line)["labels"] for line in lines] == [["up"], ["down", "down"]]
        status, out, err = taggers("tag", "-m", "runs/frames", "-f", "in.npz", "--json", "-o", "out.npz")
        assert (status, out, err) == (2, "", f"{WITH_OUTPUT}; --json needs no --output\n")

    def test_whose_answers_are_not_finite(self, taggers):
        model = overflowing("overflow")
        np.savez("fine.npz", x=np.array([[-3, 3], [-3, -3]], np.float32), lengths=[1, 1])
        np.savez("in.npz", x=np.array([[-3, 3], [3, 3]], np.float32), lengths=[1, 1])
        assert tagged(taggers, "-m", model, "-f", "fine.npz", "-o", "out.npz") == ""
        for options in (["-o", "o2.npz"], ["--json"]):
            status, out, err = taggers("tag", "-m", model, "-f", "in.npz", *options)
            assert (status, out) == (3, "")
            assert err == "in.npz: sequence 1: the model's answer is not finite; give a shorter sequence\n"
        assert not Path("o2.npz").exists()

    @pytest.mark.parametrize(
        ("arguments", "status", "message"),
        [
            ("-f in.npz", 2, "--output FILE.npz goes with sequences from .npz files; leave one out, or add the other"),
            ("-f train.conll -o out.npz", 2, "--output FILE.npz goes with sequences from .npz files; leave one out"),
            ("Ann -o out.npz", 2, "--output FILE.npz goes with sequences from .npz files; leave one out"),
            ("-o out.npz", 2, "--output FILE.npz goes with sequences from .npz files; leave one out"),
            ("-f in.npz -o in.npz", 2, "in.npz exists; name another file"),
            ("-f *.npz -o out.npz", 2, "--output is for one file; name one .npz file"),
            ("-f wide.npz -o out.npz", 3, "wide.npz: sequence 0: vectors of 3 numbers, where the model reads vectors"),
            ("-f nan.npz -o out.npz", 3, "nan.npz: sequence 0: step 1, dimension 0 is nan"),
            ("-f none.npz -o out.npz", 3, "none.npz: no such file or folder"),
            ("--format npz -o out.npz", 3, "standard input: is not an .npz file"),
            ("-f in.npz -o train.conll/out.npz", 1, "train.conll"),
            ("-f in.npz -o out.npz -m runs/spans", 3, "in.npz: sequence 0: vectors, where the model reads texts"),
        ],
    )
    def test_that_cannot_be_answered(self, taggers, arguments, status, message):
        np.savez("in.npz", x=np.ones((2, 2)), lengths=[1, 1])
        np.savez("wide.npz", x=np.ones((2, 3)), lengths=[1, 1])
        np.savez("nan.npz", x=np.array([[1, 1], [np.nan, 1]]), lengths=[2])
        model = [] if "-m" in arguments else ["-m", "runs/frames"]
        result = taggers("tag", *arguments.split(), *model)
        assert (result.status, result.out, len(result.lines)) == (status, "", 1), result
        assert message in result.err
        assert not Path("out.npz").exists()
