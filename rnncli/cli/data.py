"""`rnncli data`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rnncli.cli.options import Json, NoColor, Quiet, RandomSeed

if TYPE_CHECKING:
    from rnncli.cli.console import Talk
    from rnncli.data.synthetic import Legality, SyntheticSet


def data(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="A set; without a name, a list of them.")] = None,
    show_list: Annotated[bool, typer.Option("--list", help="List the sets.")] = False,
    check: Annotated[
        str | None,
        typer.Option("--check", metavar="FILE", help="Count the legal symbols of its lines, - for stdin."),
    ] = None,
    train: Annotated[int | None, typer.Option("--train", metavar="N", help="Sequences to train on.")] = None,
    validation: Annotated[
        int | None, typer.Option("--validation", metavar="N", help="Sequences to validate on.")
    ] = None,
    test: Annotated[int | None, typer.Option("--test", metavar="N", help="Sequences to test on.")] = None,
    max_length: Annotated[
        int | None,
        typer.Option("--max-length", metavar="N", help="Steps of the longest training sequence; of spelling, words."),
    ] = None,
    length: Annotated[
        int | None,
        typer.Option(
            "--length", metavar="N", help="Steps of a sequence; of copy, symbols to copy; of addition, digits."
        ),
    ] = None,
    distance: Annotated[
        int | None, typer.Option("--distance", metavar="N", help="Steps between what belongs together.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="The folder; by default ./NAME.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the files of such a set in the folder.")] = False,
    random_seed: RandomSeed = None,
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Make a synthetic set with a known answer.

    Writes files to train, validate and test on, and the spec that learns them, NAME.yaml; prints their paths. Of the
    test, sequences are longer than those to train on, and pairs of a source and a target are others. --check tells how
    much of what a language model writes is legal.

    Examples: rnncli data --list; rnncli data parity; rnncli generate --samples 1000 | rnncli data reber --check -
    """
    import json
    import shlex

    from rnncli.cli.console import Talk, table, write_data
    from rnncli.data.synthetic import SETS, Language
    from rnncli.errors import UsageError

    talk = Talk(quiet=quiet, color=False if no_color else None)
    sizes = {"train": train, "validation": validation, "test": test}
    sizes |= {"max_length": max_length, "length": length, "distance": distance}
    given = {option: value for option, value in sizes.items() if value is not None}
    if show_list or (name is None and not given and check is None and output is None):
        listed = [described(each) for each in SETS.values()]
        rows = [[each["name"], each["title"], each["task"]] for each in listed]
        lines = table(["name", "what it is", "task"], rows)
        write_data(json.dumps(listed) + "\n" if as_json else "".join(line + "\n" for line in lines))
        return
    if name is None:
        raise UsageError("these options need the NAME of a set", hint="rnncli data --list shows the names")
    chosen = named(name)
    if check is not None:
        if given or output or force or random_seed is not None:
            raise UsageError("--check reads a file and makes none", hint=f"rnncli data {name} --check FILE")
        counts = checked(chosen, check, talk)
        write_data(
            json.dumps(shares(counts)) + "\n" if as_json else "".join(f"{line}\n" for line in share_table(counts))
        )
        return
    folder = output or Path(name)
    paths = write_set(made(chosen, given), folder, random_seed=1 if random_seed is None else random_seed, force=force)
    if as_json:
        write_data(json.dumps({**described(chosen), "files": [str(path) for path in paths]}) + "\n")
    else:
        write_data("".join(f"{path}\n" for path in paths))
    then = f"generate --samples 1000 --temperature 1 | rnncli data {name} --check -"
    talk.say(f"by chance: {chosen.chance}")
    talk.say(f"next: rnncli train --spec {shlex.quote(str(paths[-1]))}")
    talk.say(f"then: rnncli {then if issubclass(chosen, Language) else 'evaluate'}")


def named(name: str) -> "type[SyntheticSet]":
    """Return the set of this name; UsageError where there is none."""
    from difflib import get_close_matches

    from rnncli.data.synthetic import SETS
    from rnncli.errors import UsageError

    if name not in SETS:
        near = get_close_matches(name.lower(), SETS, 1)
        hint = f"did you mean {near[0]}?" if near else ""
        raise UsageError(f"NAME must be one of {', '.join(SETS)}, not {name!r}", hint=hint)
    return SETS[name]


def made(chosen: "type[SyntheticSet]", given: dict[str, int]) -> "SyntheticSet":
    """Return the set with these options; UsageError for options that it does not have or cannot follow."""
    from rnncli.errors import UsageError

    for option in given:
        if option not in chosen.options():
            own = ", ".join(flag(each) for each in chosen.options())
            raise UsageError(f"{chosen.name} has no {flag(option)}", hint=f"it has {own}")
    try:
        return chosen(**given)
    except ValueError as error:
        option, rest = str(error).split(" ", 1)
        raise UsageError(f"{flag(option)} {rest}") from None


def flag(option: str) -> str:
    """Return an option as it is typed."""
    return f"--{option.replace('_', '-')}"


def write_set(chosen: "SyntheticSet", folder: Path, *, random_seed: int, force: bool) -> list[Path]:
    """Write the files of a set, the spec last, and return their paths; UsageError where there are some already."""
    from rnncli.errors import UsageError
    from rnncli.storage import check_writable

    if not force and (kept := [name for name in chosen.file_names() if (folder / name).exists()]):
        raise UsageError(f"{folder} already holds {kept[0]}", hint="give another --output, or --force to replace it")
    check_writable(folder)
    paths = []
    for name, content in chosen.files(random_seed):
        write_file(folder / name, content)
        paths.append(folder / name)
    return paths


def write_file(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all."""
    from rnncli.storage import atomic_write

    atomic_write(path, lambda file: file.write(content))


def described(chosen: "type[SyntheticSet]") -> dict[str, Any]:
    """Return what there is to know of a set, JSON-able."""
    return {
        "name": chosen.name,
        "title": chosen.title,
        "task": chosen.task,
        "chance": chosen.chance,
        "source": chosen.source,
        "options": [flag(option) for option in chosen.options()],
    }


def checked(chosen: "type[SyntheticSet]", path: str, talk: "Talk") -> "Legality":
    """Count what is legal in a file; UsageError for a set that is no language."""
    from rnncli.cli.sequences import say_what_is_typed
    from rnncli.data import read_text
    from rnncli.data.synthetic import SETS, Language
    from rnncli.errors import UsageError

    if not issubclass(chosen, Language):
        languages = ", ".join(each.name for each in SETS.values() if issubclass(each, Language))
        raise UsageError(f"{chosen.name} has no grammar to check", hint=f"these have one: {languages}")
    say_what_is_typed(talk, path, "a line for each sequence")
    return chosen.check(read_text(path).removesuffix("\n").split("\n"))


def shares(counts: "Legality") -> dict[str, dict[str, float]]:
    """Return what is legal of the symbols and of the lines, of how many, and the share."""
    symbols = {"legal": counts.legal_symbols, "of": counts.symbols, "share": counts.legal_symbols / counts.symbols}
    lines = {"legal": counts.legal_lines, "of": counts.lines, "share": counts.legal_lines / counts.lines}
    return {"symbols": symbols, "lines": lines}


def share_table(counts: "Legality") -> list[str]:
    """Return the same as a table."""
    from rnncli.cli.console import table

    rows = [(name, each["legal"], each["of"], f"{each['share']:.2%}") for name, each in shares(counts).items()]
    return table(["", "legal", "of", "share"], rows)
