"""`rnncli encode`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rnncli.cli.options import Encoding, GivenFile, GivenTexts, Json, Model, NoColor, Quiet, Runs, Threads

if TYPE_CHECKING:
    from rnncli.errors import DataError
    from rnncli.nn.parameter import Array


def encode(
    texts: GivenTexts = None,
    file: GivenFile = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the vectors (N, R) as .npy here.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file of --output if there is one.")] = False,
    encoding: Encoding = None,
    model: Model = None,
    runs: Runs = Path("runs"),
    threads: Threads = None,  # noqa: ARG001 - read before NumPy is imported
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Write the vector in which a classifier sums each sequence up.

    It has the same size for every sequence, and is what the last layer decides by: for searching, grouping, or another
    classifier. Prints a JSON list a line, --json an object, or writes all vectors to a .npy file. What cannot be read
    gets null, in a .npy file NaN, and a message, and the exit status is 3.

    Examples: rnncli encode "Neat plot."; rnncli encode --file reviews.csv --output reviews.npy
    """
    import json

    import numpy as np

    from rnncli.cli.console import Talk, write_data
    from rnncli.cli.sequences import answers, given_sequences
    from rnncli.errors import DataError
    from rnncli.experiments import find
    from rnncli.storage import atomic_write
    from rnncli.tasks import LabelledTask

    talk = Talk(quiet=quiet, color=False if no_color else None)
    if output:
        check_output(output, force=force, as_json=as_json)
    reader = find(model, runs, LabelledTask).sequences
    failed, kept = False, [np.empty((0, reader.vector_size), np.float32)]
    for batch in given_sequences(reader, texts or [], file, encoding, talk):
        found = list(answers(batch, reader.vectors))
        for error in found:
            if isinstance(error, DataError):
                failed = True
                talk.error(str(error))
        if output:
            nothing = np.full(reader.vector_size, np.nan, np.float32)
            kept.append(np.stack([nothing if isinstance(each, DataError) else each for each in found]))
        else:
            write_data("".join(json.dumps(plain(each, as_json=as_json)) + "\n" for each in found))
    if output:
        whole = np.concatenate(kept)
        atomic_write(output, lambda file: np.save(file, whole))
        talk.say(f"{len(whole):,} vectors of {reader.vector_size} → {output}")
    if failed:
        raise typer.Exit(DataError.exit_status)


def plain(found: "Array | DataError", *, as_json: bool) -> Any:
    """Return a vector, or what is wrong with a sequence, JSON-able."""
    from rnncli.errors import DataError

    if isinstance(found, DataError):
        return {"error": str(found)} if as_json else None
    return {"vector": found.tolist()} if as_json else found.tolist()


def check_output(output: Path, *, force: bool, as_json: bool) -> None:
    """Raise UsageError for a file that the vectors should not be written to, RnncliError where they cannot be."""
    from rnncli.errors import UsageError
    from rnncli.storage import check_writable

    if as_json:
        raise UsageError("--json and --output exclude each other")
    if output.suffix != ".npy":
        raise UsageError(f"--output must name a .npy file, not {output}")
    if output.exists() and not force:
        raise UsageError(f"{output} exists", hint="name another file, or --force to replace it")
    if not output.parent.is_dir():
        raise UsageError(f"there is no folder {output.parent}", hint="make it, or name another file")
    check_writable(output.parent)
