"""What users of any command line count on: help, streams, colours, encodings, names that were nearly right."""

import re
import resource
import shlex
import subprocess
import sys
import tomllib
from statistics import median

import pytest
import typer

import rnncli as package
from rnncli.cli import main
from rnncli.cli.app import COMMANDS, app
from tests.cli.conftest import ROOT, SMALL, environment, strict_json

GROUP = typer.main.get_command(app)
SEPARATOR = "next command"
SEVERAL = f"""
import sys
from rnncli.cli.main import run
command = []
for word in [*sys.argv[1:], "{SEPARATOR}"]:
    if word == "{SEPARATOR}":
        sys.exit(1) if run(command) else command.clear()
    else:
        command.append(word)
"""
LOCALES = (
    {"LC_ALL": "C"},
    {"LC_ALL": "POSIX"},
    {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"},
    {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONIOENCODING": "latin-1"},
)
EACH_COMMAND = [
    ["train", "poem.txt", *SMALL, "--steps", "3"],
    ["train", "poem.txt", *SMALL, "--steps", "3", "--json"],
    ["generate", "-m", "runs/accents", "--seed", "@seed.txt", "--random-seed", "1"],
    ["generate", "-m", "runs/words", "--seed", "@seed.txt", "--random-seed", "1", "-n", "2"],
    ["evaluate", "poem.txt", "-m", "runs/words"],
    ["score", "--file", "seed.txt", "-m", "runs/words"],
    ["score", "--file", "seed.txt", "--highlight", "-m", "runs/words"],
    ["tag", "--file", "seed.txt", "-m", "runs/tags"],
    ["tag", "--file", "tags.conll", "-m", "runs/tags", "--json"],
    ["translate", "--file", "seed.txt", "-m", "runs/pairs", "--n-best", "2"],
    ["caption", "-m", "runs/captions", "1,2"],
    ["gradcheck", "tiny.yaml"],
]
"""Commands that need nothing but what `trained` and `with_seed` prepare."""


@pytest.fixture
def with_seed(trained, tmp_path):
    (tmp_path / "seed.txt").write_text("Café — 日本", "utf-8")
    (tmp_path / "tiny.yaml").write_text("model: {hidden_size: 2, num_layers: 1, embedding: {size: 2}}\n")
    names = tmp_path / "names.txt"
    names.write_text("Café — 日本\n" + names.read_text("utf-8"), "utf-8")
    trained("train", "names.txt", *SMALL, "--steps", "3", "--set", "data.format=lines", "-o", "runs/accents", "-q")
    (tmp_path / "tags.conll").write_text("Café NOUN\n— PUNCT\n日本 NOUN\n\n", "utf-8")
    tagging = ["--task", "tagging", "--set", "data.tokenizer.min_count=1", "-o", "runs/tags", "-q"]
    trained("train", "tags.conll", *SMALL, "--steps", "3", *tagging)
    (tmp_path / "pairs.tsv").write_text("Café — 日本\tCafé — 日本\n" * 9, "utf-8")
    trained("train", "pairs.tsv", *SMALL, "--steps", "60", "--task", "translation", "-o", "runs/pairs", "-q")
    (tmp_path / "captions.csv").write_text("u,v,target\n" + "1,2,Café — 日本\n3,4,日本\n" * 9, "utf-8")
    of_vectors = ["--task", "captioning", "--set", "data.columns=[u,v]", "-o", "runs/captions", "-q"]
    trained("train", "captions.csv", *SMALL, "--steps", "60", *of_vectors)
    return trained


class TestHelp:
    def test_no_arguments_show_it(self, rnncli):
        status, out, err = rnncli()
        assert (status, err) == (0, "")
        assert out.startswith("Usage: rnncli [OPTIONS] COMMAND")
        assert rnncli("-h") == rnncli("--help") == (0, out, "")

    def test_python_m_is_the_same(self, rnncli, rnncli_process):
        assert rnncli_process(env={"COLUMNS": "80"}) == rnncli_process("-h", env={"COLUMNS": "80"})
        assert rnncli_process(env={"COLUMNS": "80"}).out == rnncli().out
        scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
        assert scripts == {"rnncli": f"{main.__name__}:{main.main.__name__}"}

    def test_version(self, rnncli):
        assert rnncli("--version") == (0, f"rnncli {package.__version__}\n", "")

    @pytest.mark.parametrize("name", COMMANDS)
    def test_every_command_documents_itself(self, rnncli, name):
        command = GROUP.commands[name]
        summary, *_ = COMMANDS[name].__doc__.splitlines()
        assert re.fullmatch(r"[A-Z].{15,59}\.", summary)
        assert re.search(rf"^  {name} +{re.escape(summary)}$", rnncli("--help").out, re.MULTILINE)
        for parameter in command.params:
            assert len(parameter.help or "") > 10, parameter.name
        status, out, err = rnncli(name, "-h")
        assert (status, err) == (0, "")
        assert out.startswith(f"Usage: rnncli {name} [OPTIONS]")
        assert summary in out
        assert all(option in out for parameter in command.params for option in parameter.opts if option[0] == "-")

    @pytest.mark.parametrize("name", COMMANDS)
    def test_examples_are_valid(self, name):
        examples = " ".join(COMMANDS[name].__doc__.split("Examples: ")[1].split()).split("; ")
        assert len(examples) > 1
        for example in examples:
            program, command, *arguments = shlex.split(example.split("| ")[-1])
            assert (program, command) == ("rnncli", name)
            assert GROUP.commands[name].make_context(name, arguments).params

    @pytest.mark.parametrize("name", ["", *COMMANDS])
    def test_fast_because_numpy_is_not_needed(self, name):
        code = f"""
import sys
from rnncli.cli.main import run
run({[name, "--help"]!r}[{0 if name else 1}:])
sys.exit(not sys.modules.keys().isdisjoint({{"numpy", "rich", "yaml", "rnncli.experiments"}}))
"""
        done = subprocess.run([sys.executable, "-c", code], env=environment(), stdout=subprocess.PIPE, check=False)
        assert done.returncode == 0
        assert b"Usage: rnncli" in done.stdout

    def test_time(self):
        def seconds(*arguments):
            """Of the processor, which others that are busy at the same time cost least."""
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([sys.executable, *arguments], env=environment(), check=True, stdout=subprocess.DEVNULL)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

        ours, theirs = zip(
            *((seconds("-m", "rnncli", "--help"), seconds("-c", "import typer")) for _ in range(5)), strict=True
        )
        assert median(ours) <= 1.5 * median(theirs) + 0.03

    def test_completion(self, rnncli_process):
        asked = {"_RNNCLI_COMPLETE": "complete_bash", "COMP_WORDS": "rnncli ge", "COMP_CWORD": "1"}
        assert rnncli_process(env=asked) == (0, "generate\n", "")
        asked |= {"COMP_WORDS": "rnncli train --hid", "COMP_CWORD": "2"}
        assert rnncli_process(env=asked).out.strip() == "--hidden-size"
        for shell in ("bash", "zsh", "fish", "powershell"):
            env = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
            assert "rnncli" in rnncli_process("--show-completion", shell, env=env).out


class TestStreams:
    @pytest.mark.parametrize("arguments", EACH_COMMAND, ids=" ".join)
    def test_quiet_and_json(self, with_seed, arguments):
        loud, quiet = (with_seed(*arguments, *extra) for extra in ((), ("--quiet",)))
        assert (quiet.status, quiet.err) == (0, "")
        assert quiet.out.splitlines() == loud.out.splitlines() or "train" in arguments
        status, out, _ = with_seed(*arguments, *(() if "--json" in arguments else ("--json",)))
        assert status == 0
        documents = [strict_json(line) for line in out.splitlines()]
        assert len(documents) == 1 or arguments[0] == "train"

    def test_the_same_bytes_in_every_locale(self, with_seed, tmp_path):
        words = [word for command in EACH_COMMAND for word in (*command, SEPARATOR)]
        kept = {name: value for name, value in environment().items() if not name.startswith(("LC_", "LANG", "PYTHON"))}
        outputs = []
        for locale in ({"LC_ALL": "C.UTF-8"}, *LOCALES):
            command = [sys.executable, "-W", "error", "-c", SEVERAL, *words[:-1]]
            env = kept | {"PYTHONPATH": str(ROOT)} | locale
            done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, check=False)
            assert (done.returncode, b"Traceback" in done.stderr) == (0, False), (locale, done.stderr)
            outputs.append(re.sub(rb"poem-\d+", b"poem", done.stdout))
        first, *others = outputs
        assert others == [first] * len(LOCALES)
        assert "Café — 日本".encode() in first


class TestColour:
    SHOWN = (["train", "poem.txt", *SMALL, "--steps", "20", "-o", "out"], ["score", "--highlight", "The sun is low"])

    @pytest.mark.parametrize("arguments", SHOWN, ids=["train", "score"])
    @pytest.mark.parametrize(("option", "env"), [((), {"NO_COLOR": "1"}), ((), {"TERM": "dumb"}), (["--no-color"], {})])
    def test_none_on_a_terminal_when_asked(self, trained, on_terminal, arguments, option, env):
        status, shown = on_terminal(*arguments, *option, **env)
        assert (status, "\x1b" in shown) == (0, False)

    @pytest.mark.parametrize("arguments", SHOWN, ids=["train", "score"])
    def test_on_a_terminal_and_never_in_a_pipe(self, trained, on_terminal, rnncli_process, arguments):
        status, shown = on_terminal(*arguments)
        assert (status, "\x1b[" in shown) == (0, True)
        arguments = [word.replace("out", "out2") for word in arguments]
        piped = rnncli_process(*arguments, env={"FORCE_COLOR": "1", "TERM": "xterm-256color"})
        assert (piped.status, "\x1b" in piped.out + piped.err) == (0, False)

    def test_errors(self, rnncli, on_terminal):
        assert on_terminal("frobnicate") == (2, "\x1b[31mNo such command 'frobnicate' (see rnncli --help)\x1b[0m\n")
        assert on_terminal("frobnicate", NO_COLOR="1")[1] == "No such command 'frobnicate' (see rnncli --help)\n"
