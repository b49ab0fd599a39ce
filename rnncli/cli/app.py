"""The commands by name, put together."""

from collections.abc import Callable
from typing import Annotated

import typer

from rnncli import __version__
from rnncli.cli.evaluate import evaluate
from rnncli.cli.generate import generate
from rnncli.cli.gradcheck import gradcheck
from rnncli.cli.score import score
from rnncli.cli.train import train

COMMANDS: dict[str, Callable[..., None]] = {
    "train": train,
    "generate": generate,
    "evaluate": evaluate,
    "score": score,
    "gradcheck": gradcheck,
}

app = typer.Typer(
    epilog="Begin with: rnncli train corpus.txt, then: rnncli generate --seed 'Once'",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
for name, function in COMMANDS.items():
    app.command(name)(function)


def show_version(wanted: bool) -> None:
    """Print the version and leave."""
    if wanted:
        typer.echo(f"rnncli {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Train recurrent networks from the shell, generate with them, and see how they work."""
