"""The entry point: the one place where an error becomes a line on stderr and an exit status."""

import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from rnncli.errors import RnncliError

THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
CLOSED_PIPE = 141  # as a shell shows a program that SIGPIPE ended


def main() -> NoReturn:
    """Run the command line and exit: 0 done, 1 failed, 2 usage or spec, 3 unreadable input, 4 diverged."""
    status = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except OSError as error:
        status = status or (CLOSED_PIPE if isinstance(error, BrokenPipeError) else failed(error))
        abandon_stdout()
    sys.exit(status)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit status."""
    limit_threads(arguments)
    from rnncli.cli.app import app

    try:
        return int(app(list(arguments) or ["--help"], prog_name="rnncli", standalone_mode=False) or 0)
    except RnncliError as error:
        complain(*error.lines())
        return error.exit_status
    except KeyboardInterrupt:
        die_by(signal.SIGINT)
    except BrokenPipeError:
        abandon_stdout()
        return CLOSED_PIPE
    except OSError as error:
        abandon_stdout()
        return failed(error)
    except Exception as error:
        if hasattr(error, "format_message"):  # how Typer reports usage, whatever it calls the class
            return misused(error)
        if os.environ.get("RNNCLI_DEBUG"):
            raise
        complain(f"unexpected {type(error).__name__}: {error}; RNNCLI_DEBUG=1 shows where")
        return 1


def limit_threads(arguments: Sequence[str]) -> None:
    """Give BLAS the threads of --threads, else one, unless the environment says otherwise; before NumPy is imported.

    More than one thread pays on an idle machine only, and on a busy one costs many times the run.
    """
    words = [word for argument in arguments for word in argument.split("=", 1)]
    asked = words[words.index("--threads") + 1 :][:1] if "--threads" in words else []
    for name in THREAD_VARIABLES:
        if asked and asked[0].isdecimal():
            os.environ[name] = asked[0]
        else:
            os.environ.setdefault(name, "1")


def misused(error: Exception) -> int:
    """Report what Typer found wrong with the command line."""
    message = str(error.format_message()).rstrip(".")  # type: ignore[attr-defined]
    possibilities = getattr(error, "possibilities", None)
    if possibilities and "did you mean" not in message.lower():
        message += f"; did you mean {possibilities[0]}?"
    context = getattr(error, "ctx", None)
    complain(f"{message}; see {context.command_path if context else 'rnncli'} --help")
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
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def die_by(number: int) -> NoReturn:
    """End this process by a signal, as whoever waits for it expects: a shell shows 128 + its number."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    sys.exit(128 + number)
