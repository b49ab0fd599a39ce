"""What the command line does without imports nothing that only commands need."""

import subprocess
import sys

import pytest

from rnncli import __version__
from rnncli.cli.app import COMMANDS
from tests.cli.conftest import ROOT, environment

HEAVY = ("numpy", "pydantic", "rich", "yaml")
PROGRAM = f"""
import sys
from rnncli.cli.main import main
try:
    main()
finally:
    print("imported:", *(name for name in {HEAVY} if sys.modules.get(name)), file=sys.stderr)
"""
WORDS = "rnncli train corpus.txt --hidden-size 64 --epo"


def imported(*arguments, cwd=ROOT, **env):
    """Return what a command line printed, and which of the heavy modules it imported."""
    command = [sys.executable, "-W", "error", "-c", PROGRAM, *arguments]
    done = subprocess.run(command, cwd=cwd, env=environment(**env), capture_output=True, text=True, check=False)
    return done.stdout, done.stderr.split("imported:")[1].split()


@pytest.mark.parametrize("arguments", [[], ["--help"], *([name, "--help"] for name in COMMANDS)])
def test_help(arguments):
    shown, modules = imported(*arguments)
    assert shown.startswith(f"Usage: {' '.join(['rnncli', *arguments[:-1]])} ")
    assert modules == []


def test_version():
    assert imported("--version") == (f"rnncli {__version__}\n", [])


@pytest.mark.parametrize(
    ("shell", "env"),
    [
        ("bash", {"COMP_WORDS": WORDS, "COMP_CWORD": "5"}),
        ("zsh", {"_TYPER_COMPLETE_ARGS": WORDS}),
        ("fish", {"_TYPER_COMPLETE_ARGS": WORDS, "_TYPER_COMPLETE_FISH_ACTION": "get-args"}),
        ("powershell", {"_TYPER_COMPLETE_ARGS": WORDS, "_TYPER_COMPLETE_WORD_TO_COMPLETE": "--epo"}),
    ],
)
def test_completion(shell, env):
    shown, modules = imported(_RNNCLI_COMPLETE=f"complete_{shell}", **env)
    assert "--epochs" in shown
    assert modules == []


@pytest.mark.parametrize("arguments", [["generate", "--length", "3"], ["score", "The sun"]], ids=" ".join)
def test_a_stored_model_needs_neither_yaml_nor_rich(tiny_runs, arguments):
    shown, modules = imported(*arguments, "--model", str(tiny_runs / "runs" / "poem"))
    assert shown
    assert modules == ["numpy", "pydantic"]


def test_these_tests_see_an_import(tmp_path):
    assert imported("train", "missing.txt", cwd=tmp_path) == ("", ["numpy", "pydantic", "yaml"])
