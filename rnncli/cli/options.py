"""Options that several commands share, so that each is one word with one meaning everywhere."""

from pathlib import Path
from typing import Annotated

import typer

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Nothing on stderr but errors.")]
NoColor = Annotated[bool, typer.Option("--no-color", help="No colour; the same as setting NO_COLOR.")]
Json = Annotated[bool, typer.Option("--json", help="Results as JSON on stdout.")]
Runs = Annotated[
    Path, typer.Option("--runs", envvar="RNNCLI_RUNS", metavar="DIR", help="The folder that holds the runs.")
]
Model = Annotated[
    Path | None,
    typer.Option(
        "--model",
        "-m",
        envvar="RNNCLI_MODEL",
        metavar="PATH",
        help="A model file, or the folder of a run; by default the newest run's best.",
    ),
]
RandomSeed = Annotated[
    int | None,
    typer.Option("--random-seed", metavar="N", min=0, help="The random generator's seed: the same gives the same."),
]
Assignments = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a key of the spec: --set model.dropout=0.2"),
]
Epochs = Annotated[int | None, typer.Option("--epochs", metavar="N", help="Passes over the training data.")]
Steps = Annotated[int | None, typer.Option("--steps", metavar="N", help="Stop after so many updates.")]
Encoding = Annotated[
    str | None, typer.Option("--encoding", metavar="NAME", help="The text's encoding, such as latin-1.")
]
Conditions = Annotated[
    list[str] | None,
    typer.Option(
        "--condition",
        metavar="[NAME=]VALUE",
        help="What the text depends on, where the model learned that, as author=cook; repeatable. Where it is but one "
        "thing its name can be left out: --condition cook.",
    ),
]
GivenTexts = Annotated[
    list[str] | None,
    typer.Argument(metavar="TEXT", help="Texts, or vectors such as 1.5,2 (-- -1,2); without any, stdin."),
]
GivenFile = Annotated[
    str | None,
    typer.Option("--file", "-f", metavar="FILE", help="A text a line; or .csv, .tsv, .jsonl, .npz as in training."),
]
Threads = Annotated[
    int | None,
    typer.Option("--threads", metavar="N", min=1, help="BLAS threads; more than 1 pay on idle machines only."),
]
Workers = Annotated[
    int | None,
    typer.Option("--workers", metavar="N", help="Processes that share out each batch, one idle core for each."),
]


def refuse_threads(threads: int | None, workers: int) -> None:
    """Raise UsageError where --threads asks for several BLAS threads and there are several workers."""
    from rnncli.errors import UsageError

    if (threads or 1) > 1 and workers > 1:
        raise UsageError("each of several workers has one BLAS thread", hint="leave out --threads or --workers")
