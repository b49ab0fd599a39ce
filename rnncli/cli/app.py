"""The commands by name, put together."""

from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from rnncli import __version__
from rnncli.cli.bench import bench
from rnncli.cli.caption import caption
from rnncli.cli.classify import classify
from rnncli.cli.compare import compare
from rnncli.cli.data import data
from rnncli.cli.encode import encode
from rnncli.cli.evaluate import evaluate
from rnncli.cli.generate import generate
from rnncli.cli.gradcheck import gradcheck
from rnncli.cli.init import init
from rnncli.cli.score import score
from rnncli.cli.tag import tag
from rnncli.cli.train import train
from rnncli.cli.translate import translate

COMMANDS: dict[str, Callable[..., None]] = {
    "train": train,
    "generate": generate,
    "classify": classify,
    "tag": tag,
    "translate": translate,
    "caption": caption,
    "encode": encode,
    "evaluate": evaluate,
    "compare": compare,
    "score": score,
    "gradcheck": gradcheck,
    "init": init,
    "data": data,
    "bench": bench,
}


class Group(TyperGroup):
    """All commands; Typer would import pydantic to convert a flag of its own that is not given, even for --help."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the options before the command's name."""
        for parameter in self.get_params(ctx):
            if getattr(parameter, "is_flag", False):
                parameter.default = False  # which needs no conversion, as None does
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=Group,
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
