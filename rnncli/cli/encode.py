"""`rnncli encode`."""

from pathlib import Path
from typing import Annotated

import typer

from rnncli.cli.options import Encoding, Model, NoColor, Quiet, Runs, Threads


def encode(
    texts: Annotated[
        list[str] | None, typer.Argument(metavar="TEXT", help="Texts, or vectors such as 1.5,2; without any, stdin.")
    ] = None,
    file: Annotated[
        str | None,
        typer.Option("--file", "-f", metavar="FILE", help="A text a line; or .csv, .tsv, .jsonl, .npz as in training."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the vectors (N, R) as .npy here.")
    ] = None,
    encoding: Encoding = None,
    model: Model = None,
    runs: Runs = Path("runs"),
    threads: Threads = None,  # noqa: ARG001 - read before NumPy is imported
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Write the vector in which a classifier sums each sequence up.

    It has the same size for every sequence, and is what the last layer decides by: for searching, grouping, or another
    classifier. Prints a JSON list a line, or writes all vectors to a .npy file. What cannot be read gets null, in a
    .npy file NaN, and a message, and the exit status is 3.

    Examples: rnncli encode "Neat plot."; rnncli encode --file reviews.csv --output reviews.npy
    """
    import json

    import numpy as np

    from rnncli.cli.console import Talk, write_data
    from rnncli.cli.sequences import given_sequences
    from rnncli.errors import DataError, UsageError
    from rnncli.experiments import find
    from rnncli.storage import atomic_write
    from rnncli.tasks import LabelledTask

    talk = Talk(quiet=quiet, color=False if no_color else None)
    if output and output.suffix != ".npy":
        raise UsageError(f"--output must name a .npy file, not {output}")
    reader = find(model, runs, LabelledTask).sequences
    failed, kept = 0, []
    for batch in given_sequences(reader, texts or [], file, encoding):
        known = np.array([given.error is None for given in batch])
        vectors = np.full((len(batch), reader.vector_size), np.nan, np.float32)
        vectors[known] = reader.vectors([given.sequence for given in batch if given.sequence is not None]).T
        for given in batch:
            if given.error:
                failed += 1
                talk.error(next(given.error.lines()))
        if output:
            kept.append(vectors)
        else:
            rows = zip(vectors.tolist(), known.tolist(), strict=True)
            write_data("".join(json.dumps(row if is_known else None) + "\n" for row, is_known in rows))
    if output:
        whole = np.concatenate([np.empty((0, reader.vector_size), np.float32), *kept])
        atomic_write(output, lambda file: np.save(file, whole))
        talk.say(f"{len(whole):,} vectors of {reader.vector_size} → {output}")
    if failed:
        raise DataError(f"sequences that could not be read: {failed}")
