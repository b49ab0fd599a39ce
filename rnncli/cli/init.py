"""`rnncli init`."""

from pathlib import Path
from typing import Annotated

import typer

from rnncli.cli.options import NoColor, Quiet


def init(
    task: Annotated[str, typer.Argument(metavar="TASK", help="What is to be learnt, as named below.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it here, where there is no file yet.")
    ] = None,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Write a spec with every key, its default and what it means.

    language_model: a text, and each next token. classification: a sequence (text or vectors) to a label, or several;
    a plain row of a CSV is a sequence of one step. regression: a sequence to a real value. tagging: every word,
    character or frame of a sequence to a label, or several. translation: a text, or a sequence of vectors, to a text.
    captioning: a vector to a text.

    Examples: rnncli init classification; rnncli init language_model --output poems.yaml
    """
    import shlex
    from importlib.resources import files

    from rnncli.cli.console import Talk, write_data
    from rnncli.errors import UsageError
    from rnncli.spec import nearest
    from rnncli.storage import atomic_write
    from rnncli.tasks import TASKS

    if task not in TASKS:
        raise UsageError(f"no task {task!r}", hint=nearest(task, TASKS) or f"one of {', '.join(TASKS)}")
    spec = files("rnncli.tasks").joinpath("templates", f"{task}.yaml").read_bytes()
    if output is None:
        write_data(spec)
        return
    if output.exists():
        raise UsageError(f"{output} exists already", hint="name another file")
    atomic_write(output, lambda file: file.write(spec))
    Talk(quiet=quiet, color=False if no_color else None).say(f"next: rnncli train --spec {shlex.quote(str(output))}")
