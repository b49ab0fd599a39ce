"""`rnncli generate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rnncli.cli.options import Conditions, Json, Model, NoColor, Quiet, RandomSeed, Runs, Threads

if TYPE_CHECKING:
    from rnncli.cli.console import Talk
    from rnncli.tasks.text_generation import GeneratedText, TextGenerator

DEFAULT_TEMPERATURE = 0.8


def generate(
    seed: Annotated[
        str, typer.Option("--seed", "-s", metavar="TEXT", help="The text to continue; @FILE reads it, @- from stdin.")
    ] = "",
    length: Annotated[
        int, typer.Option("--length", "-l", metavar="N", min=0, help="Generate so many tokens at the most.")
    ] = 500,
    samples: Annotated[int, typer.Option("--samples", "-n", metavar="N", min=1, help="So many texts.")] = 1,
    temperature: Annotated[
        float,
        typer.Option(
            "--temperature", "-t", metavar="X", help="Below 1 the likely tokens count more, above 1 less; 0 is greedy."
        ),
    ] = DEFAULT_TEMPERATURE,
    greedy: Annotated[bool, typer.Option("--greedy", help="Always the most probable token.")] = False,
    top_k: Annotated[int | None, typer.Option("--top-k", metavar="K", help="Only the K most probable.")] = None,
    top_p: Annotated[
        float | None, typer.Option("--top-p", metavar="P", help="Only the most probable that make up P together.")
    ] = None,
    min_p: Annotated[
        float | None, typer.Option("--min-p", metavar="P", help="Only those with P times the best one's probability.")
    ] = None,
    repetition_penalty: Annotated[
        float, typer.Option("--repetition-penalty", metavar="X", help="Above 1, recent tokens come up less.")
    ] = 1.0,
    stop: Annotated[
        list[str] | None,
        typer.Option("--stop", metavar="TEXT", help=r"End before this text (\n is a new line); repeatable."),
    ] = None,
    beam_size: Annotated[
        int | None, typer.Option("--beam-size", metavar="N", help="Search for the most probable text with N beams.")
    ] = None,
    free_run: Annotated[
        bool,
        typer.Option(
            "--free-run", help="After the seed read nothing, not even what is drawn: the state goes on by itself."
        ),
    ] = False,
    condition: Conditions = None,
    random_seed: RandomSeed = None,
    model: Model = None,
    runs: Runs = Path("runs"),
    stream: Annotated[bool, typer.Option("--stream/--no-stream", help="Write each token as it is drawn.")] = True,
    threads: Threads = None,  # noqa: ARG001 - read before NumPy is imported
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    r"""Continue a text, by default with the newest model.

    Examples: rnncli generate --seed "Roses"; rnncli generate --seed "Roses" -t 0.5 --stop "\n\n" --samples 3;
    rnncli generate --condition author=cook; rnncli generate --free-run --greedy --seed "Roses"
    """
    import numpy as np

    from rnncli.cli.console import Talk
    from rnncli.decoding import Sampling
    from rnncli.errors import UsageError
    from rnncli.experiments import find
    from rnncli.tasks import LanguageModelTask

    talk = Talk(quiet=quiet, color=False if no_color else None)
    try:
        sampling = Sampling(temperature, greedy, top_k, top_p, min_p, repetition_penalty)
    except ValueError as error:
        raise UsageError(f"--{str(error).replace('_', '-', 1)}") from None
    if "" in (stop or ()):
        raise UsageError("--stop must not be empty")
    if beam_size is not None:
        shaped = bool(stop) or sampling != Sampling(DEFAULT_TEMPERATURE)
        check_beam_size(beam_size, samples, shaped=shaped, free_run=free_run)
    writer = find(model, runs, LanguageModelTask).writer_given(condition or ())
    prime = prime_text(seed, talk)
    if prime.isdecimal() and not quiet:
        talk.warn(f"--seed is the text to continue ({prime!r} here); the random generator's seed is --random-seed")
    if unknown := int((writer.vocabulary.encode_prime(prime) == writer.vocabulary.unknown_id).sum()):
        talk.warn(f"tokens of the seed that are not in the vocabulary, read as <unk>: {unknown}")
    if random_seed is None:
        random_seed = int(np.random.SeedSequence().generate_state(1)[0])
    stops = [text.replace("\\n", "\n").replace("\\t", "\t") for text in stop or ()]
    if beam_size is not None:
        texts = writer.search(prime, length=length, beam_size=beam_size, results=samples)
        write_texts(texts, writer, as_json=as_json)
        return
    settings: dict[str, Any] = {"length": length, "sampling": sampling, "random_seed": random_seed, "stop": stops}
    settings["free_run"] = free_run
    if samples == 1 and stream and not as_json:
        stream_text(writer, prime, settings)
    else:
        pieces = writer.generate(prime, samples=samples, scored=as_json, **settings)
        drawn = {number: text for number, _, text in pieces}
        texts = [drawn[number] for number in sorted(drawn)]
        moved = list(writer.movement(prime, max(len(text.tokens) for text in texts))) if free_run and as_json else None
        write_texts(texts, writer, as_json=as_json, random_seed=random_seed, moved=moved)


def check_beam_size(beam_size: int, samples: int, *, shaped: bool, free_run: bool) -> None:
    """Raise UsageError for beams that are too few, and with what a search does not go with."""
    from rnncli.errors import UsageError

    if samples > beam_size or beam_size < 1:
        raise UsageError("--beam-size must be at least 1, and no less than --samples")
    if free_run:
        raise UsageError(
            "--beam-size has nothing to search in a --free-run: no token depends on those before it",
            hint="--greedy takes the most probable one of every step",
        )
    if shaped:
        raise UsageError("--beam-size finds the most probable text", hint="leave out --stop and what shapes sampling")


def prime_text(seed: str, talk: "Talk") -> str:
    """Return the prime text itself, or that of @FILE without its last newline."""
    if not seed.startswith("@"):
        return seed
    from rnncli.cli.sequences import say_what_is_typed
    from rnncli.data import read_text

    say_what_is_typed(talk, seed[1:], "the text to continue")
    return read_text(seed[1:]).removesuffix("\n")


def stream_text(writer: "TextGenerator", prime: str, settings: dict[str, Any]) -> None:
    """Write one text, each piece as it is drawn."""
    from rnncli.cli.console import write_data

    pieces = writer.generate(prime, **settings)
    write_data(prime)
    last = prime
    for _, piece, _ in pieces:
        if piece:
            write_data(piece)
            last = piece
    if not last.endswith("\n"):
        write_data("\n")


def write_texts(
    texts: "list[GeneratedText]",
    writer: "TextGenerator",
    *,
    as_json: bool,
    random_seed: int | None = None,
    moved: list[tuple[float, float]] | None = None,
) -> None:
    """Write whole texts: one a line where the model's texts are lines, else with an empty line between them.

    `moved` are the norm of a free run's state at each token, and how far off the next state is.
    """
    import json

    from rnncli.cli.console import write_data
    from rnncli.cli.scores import finite

    if as_json:
        described = [
            {
                "seed": text.seed,
                "text": text.text,
                "tokens": text.tokens,
                "log_probabilities": text.log_probabilities,
                "log_probability": sum(text.log_probabilities),
                "ended": text.ended,
            }
            for text in texts
        ]
        given: dict[str, Any] = {"condition": dict(writer.condition)} if writer.condition else {}
        if moved is not None:
            steps = [finite({"norm": norm, "change": change}) for norm, change in moved]
            given["state"] = {name: [step[name] for step in steps] for name in ("norm", "change")}
        write_data(json.dumps({"random_seed": random_seed, **given, "samples": described}) + "\n")
        return
    between = "" if writer.vocabulary.items else "\n"
    write_data(between.join(f"{text.seed}{text.text}".removesuffix("\n") + "\n" for text in texts))
