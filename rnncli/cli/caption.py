"""`rnncli caption`."""

from pathlib import Path
from typing import Annotated

import typer

from rnncli.cli.decoding_options import (
    BeamSize,
    LengthPenalty,
    MaxLength,
    NBest,
    Sample,
    Temperature,
    TopK,
    TopP,
    decoding_of,
)
from rnncli.cli.options import Encoding, Json, Model, NoColor, Quiet, RandomSeed, Runs, Threads


def caption(
    vectors: Annotated[
        list[str] | None,
        typer.Argument(metavar="VECTOR", help="Vectors of features, such as 0.1,2 (-- -1,2); without any, stdin."),
    ] = None,
    file: Annotated[
        str | None,
        typer.Option("--file", "-f", metavar="FILE", help="A vector a line; or .npy, .npz, .csv, .tsv, .jsonl."),
    ] = None,
    beam_size: BeamSize = None,
    length_penalty: LengthPenalty = None,
    n_best: NBest = None,
    max_length: MaxLength = None,
    sample: Sample = False,
    temperature: Temperature = None,
    top_k: TopK = None,
    top_p: TopP = None,
    random_seed: RandomSeed = None,
    encoding: Encoding = None,
    model: Model = None,
    runs: Runs = Path("runs"),
    threads: Threads = None,  # noqa: ARG001 - read before NumPy is imported
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Describe vectors of features, a line for each.

    Lines are answered as they come, some together, in their order; blank ones stay blank. What cannot be read gets an
    empty line and a message, and the exit status is 3. With --n-best every answer is a line of its own: the number of
    the vector, a tab, the score, a tab, the text. --json prints an object a vector, with its number and its place; a
    blank line has the caption null.

    Examples: rnncli caption 0.1,2,-0.5; rnncli caption --file features.npz --beam-size 3 > captions.txt
    """
    from rnncli.cli.console import Talk
    from rnncli.cli.drawings import Style
    from rnncli.cli.sources import given_sources
    from rnncli.cli.translated_answers import Answers, write_answers
    from rnncli.errors import DataError
    from rnncli.experiments import find
    from rnncli.tasks import CaptioningTask

    talk = Talk(quiet=quiet, color=False if no_color else None)
    reader = find(model, runs, CaptioningTask).captioner
    decoding = decoding_of(
        reader.task.decoding,
        scored=as_json or n_best is not None,
        beam_size=beam_size,
        length_penalty=length_penalty,
        n_best=n_best,
        max_length=max_length,
        sample=sample,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        random_seed=random_seed,
    )
    answers = Answers(reader, decoding, Style.of_stdout(talk), "caption", several=n_best is not None, as_json=as_json)
    if not write_answers(answers, given_sources(reader, vectors or [], file, encoding, talk), talk):
        raise typer.Exit(DataError.exit_status)
