"""`rnncli score`."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rnncli.cli.options import Conditions, Encoding, Json, Model, NoColor, Quiet, Runs, Threads

if TYPE_CHECKING:
    from rnncli.data import Vocabulary

GROUNDS = (0, 230, 229, 228, 222, 216, 215, 209, 203, 196)
"""Terminal colours from pale yellow to red, for 0 to 9 bits of surprise; none for 0. They differ in lightness too."""


def score(
    texts: Annotated[list[str] | None, typer.Argument(metavar="TEXT", help="Texts; without any, stdin.")] = None,
    file: Annotated[str | None, typer.Option("--file", "-f", metavar="FILE", help="Score the text of a file.")] = None,
    highlight: Annotated[
        bool, typer.Option("--highlight", help="Show the text itself, the surprising tokens in colour.")
    ] = False,
    condition: Conditions = None,
    encoding: Encoding = None,
    model: Model = None,
    runs: Runs = Path("runs"),
    threads: Threads = None,  # noqa: ARG001 - read before NumPy is imported
    as_json: Json = False,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Log-probability of each token of a text.

    Prints a line a token: its log-probability in nats, given all before it, and the token as a JSON string.
    --highlight prints the text instead.

    Examples: rnncli score "Roses are red"; rnncli score --file poem.txt --highlight
    """
    import json

    from rnncli.cli.console import Talk, write_data
    from rnncli.cli.reports import report_json
    from rnncli.cli.sequences import say_what_is_typed
    from rnncli.data import lines, read_text
    from rnncli.errors import UsageError
    from rnncli.experiments import find
    from rnncli.metrics import perplexity
    from rnncli.tasks import LanguageModelTask

    talk = Talk(quiet=quiet, color=False if no_color else None)
    if texts and file:
        raise UsageError("TEXT and --file exclude each other")
    loaded = find(model, runs, LanguageModelTask)
    writer = loaded.writer_given(condition or ())
    vocabulary = writer.vocabulary
    if not texts:
        binary = vocabulary.spec.level == "byte"
        say_what_is_typed(talk, file, "a text")
        text = read_text(file or "-", encoding or loaded.task.data.encoding, binary=binary)
        texts = lines(text) if vocabulary.items else [text]
    results: list[dict[str, Any]] = []
    for text in texts:
        if unknown := vocabulary.unknown_positions(vocabulary.as_typed(text)):
            talk.warn(f"tokens that are not in the vocabulary, scored as <unk>: {len(unknown)}")
        tokens, scores = writer.score(text)
        total = float(scores.sum())
        results.append(
            {
                "text": text,
                "tokens": tokens,
                "log_probabilities": scores.tolist(),
                "log_probability": total,
                "perplexity": perplexity(-total / max(1, len(tokens))),
            }
        )
        if highlight and not as_json:
            write_data(
                highlighted(tokens, scores.tolist(), writer.vocabulary, color=talk.colors_stdout) + "\n", escape=False
            )
        elif not as_json:
            rows = zip(scores.tolist(), tokens, strict=True)
            write_data("".join(f"{each:.4f}\t{json.dumps(token, ensure_ascii=False)}\n" for each, token in rows))
            write_data(f"{total:.4f}\ttotal of {len(tokens)} tokens\n")
    if as_json:
        write_data(json.dumps(report_json(results)) + "\n")


def highlighted(tokens: list[str], scores: list[float], vocabulary: "Vocabulary", *, color: bool) -> str:
    """Return the text, each token on a ground that is the redder the more it surprised.

    Without colour the surprise stands under each token, in bits (9 for more).
    """
    from rnncli.cli.console import printable

    lines, marks = [""], [""]
    shown = vocabulary.tokenizer.decoder()
    if vocabulary.items:  # each text ends with <eos>, which has no place in it
        tokens, scores = tokens[:-1], scores[:-1]
    for token, nats in zip(tokens, scores, strict=True):
        bits = min(9, round(-nats / math.log(2)))
        text = shown.feed(token)
        for number, part in enumerate(text.split("\n")):
            if number:
                lines.append("")
                marks.append("")
            safe = printable(part)
            lines[-1] += f"\x1b[38;5;16;48;5;{GROUNDS[bits]}m{safe}\x1b[0m" if color and bits else safe
            marks[-1] += str(bits) * len(safe)
    rest = printable(shown.close())  # of a character that the text cuts off
    lines[-1] += rest
    marks[-1] += "?" * len(rest)
    if color:
        return "\n".join(lines)
    return "\n".join(f"{line}\n{mark}" for line, mark in zip(lines, marks, strict=True) if line)
