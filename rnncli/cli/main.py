"""The entry point: the one place where an error becomes a line on stderr and an exit status."""

import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from rnncli.cli.interruption import die_by
from rnncli.errors import RnncliError

THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
INTERRUPTED, CLOSED_PIPE = 130, 141  # as a shell shows a program that SIGINT or SIGPIPE ended


def main() -> NoReturn:
    """Run the command line and exit: 0 done, 1 failed, 2 usage or spec, 3 unreadable input, 4 diverged."""
    status = run(sys.argv[1:])
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        status = status or (CLOSED_PIPE if isinstance(error, BrokenPipeError) else failed(error))
        abandon_stdout()
    sys.exit(status)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status."""
    limit_threads(arguments)
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # looking for some takes longer than checking a spec
    if "_RNNCLI_COMPLETE" in os.environ:  # Typer imports these to complete a word, but does without them
        sys.modules.update(dict.fromkeys(("pydantic", "rich")))  # type: ignore[arg-type]
    try:
        from rnncli.cli.app import app

        status = int(app(list(arguments) or ["--help"], prog_name="rnncli", standalone_mode=False) or 0)
    except RnncliError as error:
        complain(*error.lines())
        status = error.exit_status
    except KeyboardInterrupt:
        status = INTERRUPTED
    except SystemExit as error:
        if not isinstance(error.__context__, BrokenPipeError):  # to which Typer answers so
            raise
        abandon_stdout()
        status = CLOSED_PIPE
    except OSError as error:
        abandon_stdout()
        status = failed(error)
    except Exception as error:  # noqa: BLE001 - the place where nothing escapes
        status = unexpected(error)
    if status == INTERRUPTED:  # Typer, too, makes this of KeyboardInterrupt
        die_by(signal.SIGINT)
    return status


def limit_threads(arguments: Sequence[str]) -> None:
    """Give BLAS the threads of --threads, else one, unless the environment says otherwise; before NumPy is imported.

    More than one thread pays on an idle machine only, and on a busy one costs many times the run.
    """
    words = [word for argument in arguments for word in argument.split("=", 1)]
    try:
        asked = str(int(words[words.index("--threads") + 1]))  # 01 is 1 to whoever compares the variables
    except (ValueError, IndexError):  # not given, or nothing that Typer will accept
        asked = None
    for name in THREAD_VARIABLES:
        os.environ[name] = asked or os.environ.get(name, "1")


def unexpected(error: Exception) -> int:
    """Report what no command has foreseen."""
    if hasattr(error, "format_message"):  # how Typer reports usage, whatever it calls the class
        return misused(error)
    if os.environ.get("RNNCLI_DEBUG"):
        raise error
    if isinstance(error, MemoryError):
        complain(f"out of memory: {error or 'nothing left'}; choose smaller sizes")
    else:
        complain(f"unexpected {type(error).__name__}: {error}; RNNCLI_DEBUG=1 shows where")
    return 1


def misused(error: Exception) -> int:
    """Report what Typer found wrong with the command line."""
    message = str(error.format_message()).rstrip(".")  # type: ignore[attr-defined]
    if possibilities := getattr(error, "possibilities", None):
        message = f"{error.message}; did you mean {possibilities[0]}?"  # type: ignore[attr-defined]
    context = getattr(error, "ctx", None)
    complain(f"{message} (see {context.command_path if context else 'rnncli'} --help)")
    return 2


def failed(error: OSError) -> int:
    """Report a failure of the system."""
    complain(
        f"{error.filename}: {error.strerror}" if error.filename else f"cannot write output: {error.strerror or error}"
    )
    return 1


def complain(*lines: str) -> None:
    """Put lines on stderr, safe for a terminal."""
    from rnncli.cli.console import Talk

    talk = Talk(quiet=False, color=None)
    for line in lines:
        talk.error(line)


def abandon_stdout() -> None:
    """Point stdout at nothing, so that the interpreter's last flush does not fail again."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
