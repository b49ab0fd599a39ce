"""`rnncli translate`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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

if TYPE_CHECKING:
    from rnncli.data import Vocabulary


def translate(
    texts: Annotated[
        list[str] | None,
        typer.Argument(metavar="TEXT", help="Sentences, or vectors such as [[1, 2], [3, 4]]; without any, stdin."),
    ] = None,
    file: Annotated[
        str | None,
        typer.Option("--file", "-f", metavar="FILE", help="A source a line; or in one of the formats of training."),
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
    replace_unknown: Annotated[
        bool,
        typer.Option("--replace-unknown", help="Copy the source's token that was looked at where a word is unknown."),
    ] = False,
    attention: Annotated[
        bool, typer.Option("--attention", help="Draw which tokens of the source each token looked at.")
    ] = False,
    encoding: Encoding = None,
    model: Model = None,
    runs: Runs = Path("runs"),
    threads: Threads = None,  # noqa: ARG001 - read before NumPy is imported
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Translate sentences, a line for each.

    Lines are answered as they come, some together, in their order; blank ones stay blank. What cannot be read gets an
    empty line and a message, and the exit status is 3. With --n-best every answer is a line of its own: the number of
    the source, a tab, the score, a tab, the text. --json prints an object a source, with its number and its place.

    Examples: rnncli translate "Do you have a pet?"; rnncli translate --file test.en --beam-size 5 > test.es;
    rnncli translate "a cat" --attention
    """
    from rnncli.cli.console import Talk
    from rnncli.cli.drawings import Style
    from rnncli.cli.sources import given_sources
    from rnncli.cli.translated_answers import Answers, write_answers
    from rnncli.errors import DataError, UsageError
    from rnncli.experiments import find
    from rnncli.tasks import TranslationTask

    talk = Talk(quiet=quiet, color=False if no_color else None)
    reader = find(model, runs, TranslationTask).translator
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
        replace_unknown=replace_unknown,
    )
    for option, given in (("--attention", attention), ("--replace-unknown", replace_unknown)):
        if given and not reader.has_attention:
            raise UsageError(f"{option} is for models with attention, and this one has none")
    if replace_unknown and reader.source_vocabulary is None:
        raise UsageError("--replace-unknown is for texts, and this model reads vectors")
    if replace_unknown and not learnt_unknown(reader.vocabulary):
        text = "text" if reader.task.data.is_shared else "target"
        talk.warn(
            f"--replace-unknown has no effect: no {text} of training had an unknown word, so none is ever written"
        )
    answers = Answers(
        reader,
        decoding,
        Style.of_stdout(talk),
        "translation",
        several=n_best is not None,
        attention=attention,
        as_json=as_json,
    )
    if not write_answers(answers, given_sources(reader, texts or [], file, encoding, talk), talk):
        raise typer.Exit(DataError.exit_status)


def learnt_unknown(vocabulary: "Vocabulary") -> bool:
    """Tell whether a model could learn when to write `<unk>`: whether any stood in the texts of its vocabulary.

    Those are the targets it was trained on; where sources share the vocabulary, they count too.
    """
    unknown = vocabulary.unknown_id
    return unknown is not None and vocabulary.counts[unknown] > 0
