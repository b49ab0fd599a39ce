"""Every `console` block of the README runs, in order, in a folder that holds the sample data.

The output of a `console` block must be what the README shows, numbers aside (their digits may differ from machine to
machine); that of a `console varies` block, such as generated text, must only be there. A line `...` stands for
any lines.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import pytest

from rnncli.nn.cells import CELLS
from rnncli.spec import parse_spec, to_yaml, validate
from rnncli.tasks import TASKS
from rnncli.training.optimizers import OPTIMIZERS
from rnncli.training.schedules import SCHEDULES

ADAM = ("beta1", "beta2", "epsilon", "weight_decay")
ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```console( varies)?\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def commands_of(block):
    """Split a block in (command, the output shown), continuation lines and here-documents joined to their command."""
    found = []
    heredoc = None
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append([line[2:], []])
            match = re.search(r"<<'?(\w+)'?$", line)
            heredoc = match[1] if match else None
        elif heredoc or found[-1][0].endswith("\\"):
            found[-1][0] += "\n" + line
            heredoc = None if line == heredoc else heredoc
        else:
            found[-1][1].append(line)
    return [(command, output) for command, output in found]


def masked(line):
    """Numbers as #, runs of spaces as one: what must agree between machines."""
    return re.sub(r"\s+", " ", re.sub(r"-?[\d.,]*\d(e[-+]?\d+)?", "#", line)).strip()


def matches(shown, lines):
    """Whether the lines are those shown, `...` standing for any number of them."""
    pattern = "".join(".*" if line.strip() == "..." else re.escape(masked(line)) + "\n" for line in shown)
    return re.fullmatch(pattern, "".join(masked(line) + "\n" for line in lines), re.DOTALL) is not None


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    folder = tmp_path_factory.mktemp("readme")
    shutil.copytree(ROOT / "sample_data", folder / "sample_data")
    tools = folder / "bin"
    tools.mkdir()
    (tools / "rnncli").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m rnncli "$@"\n')
    (tools / "rnncli").chmod(0o755)
    # Followed line by line for coverage, which other tests see to, the trainings would take three times as long
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    environment |= {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}

    def run(command):
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=300,
            check=False,
        )
        return done.returncode, done.stdout.decode()

    return run


def test_there_are_blocks_to_run():
    assert len(BLOCKS) >= 6
    assert sum(len(commands_of(block)) for _, block in BLOCKS) >= 10


def test_the_tour_runs(shell):
    for varies, block in BLOCKS:
        for command, shown in commands_of(block):
            status, output = shell(command)
            expected = int(match[1]) if (match := re.search(r"# exits with (\d)$", command.split("\n")[0])) else 0
            assert status == expected, f"{command}\n{output}"
            assert "Traceback" not in output
            if varies:
                assert bool(output.strip()) == bool(shown), f"{command}\n{output}"
            else:
                assert matches(shown, output.splitlines()), f"{command}\n{output}\nthe README shows:\n{shown}"


def test_a_wrong_line_is_noticed():
    assert matches(["split 1.20", "..."], ["split  3.4", "more", "lines"])
    assert not matches(["split 1.20"], ["splat 1.20"])
    assert not matches(["split 1.20"], ["split 1.20", "more"])


@pytest.mark.parametrize("task", TASKS)
def test_the_template_of_a_task_shows_its_defaults(task):
    shown = (ROOT / "rnncli" / "tasks" / "templates" / f"{task}.yaml").read_text("utf-8")
    read = validate(parse_spec(shown.encode(), "template"), TASKS[task])
    nothing = TASKS[task]()
    assert read == replace(nothing, data=replace(nothing.data, train=read.data.train))
    written = set(re.findall(r"(\w+):", shown))
    assert set(re.findall(r"(\w+):", to_yaml(nothing))) - written <= {"forget_bias", *ADAM, "warmup_steps"}


def test_the_specs_shown_are_the_templates():
    shown = re.findall(r"^```yaml\n(task: (\w+)\n.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert {task for _, task in shown} >= {"language_model", "classification"}
    for text, task in shown:
        assert text == (ROOT / "rnncli" / "tasks" / "templates" / f"{task}.yaml").read_text("utf-8")


@pytest.mark.parametrize("component", [*CELLS.values(), *OPTIMIZERS.values(), *SCHEDULES.values()], ids=str)
def test_the_keys_of_components_are_documented(component):
    for key in fields(component):
        if key.name != "name":
            assert re.search(rf"`{key.name}: [^`]+`", README), key.name


def test_the_two_commands_are_one_line_each():
    blocks = re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    assert all(block.count("\n") == 1 for block in blocks)
    assert "generate" in blocks[0]
    assert "pytest" in blocks[1]
