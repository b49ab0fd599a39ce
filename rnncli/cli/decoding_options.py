"""Options of commands that find a sentence for what they are given: by a search, or by sampling."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rnncli.tasks.pair_decoding import Decoding
    from rnncli.tasks.pair_spec import DecodingSpec

BeamSize = Annotated[
    int | None,
    typer.Option(
        "--beam-size",
        "-b",
        metavar="N",
        min=1,
        max=1000,
        help="Search with N beams; 1 is greedy; else as the spec says.",
    ),
]
LengthPenalty = Annotated[
    float | None,
    typer.Option(
        "--length-penalty",
        metavar="X",
        min=0,
        max=10,
        help="How much scores, and so a search, make up for length; 0: not at all.",
    ),
]
NBest = Annotated[
    int | None,
    typer.Option(
        "--n-best",
        "-n",
        metavar="N",
        min=1,
        max=1000,
        help="N answers to each: number, score and text. Of a search the best N, best first; of --sample N draws, one "
        "independent of the other, in the order drawn.",
    ),
]
MaxLength = Annotated[
    int | None, typer.Option("--max-length", metavar="N", min=1, max=1 << 20, help="Tokens of an answer at the most.")
]
Sample = Annotated[bool, typer.Option("--sample", help="Draw answers at random instead of searching.")]
Temperature = Annotated[
    float | None,
    typer.Option(
        "--temperature", "-t", metavar="X", help="Of --sample: below 1 the likely tokens count more, above 1 less."
    ),
]
TopK = Annotated[int | None, typer.Option("--top-k", metavar="K", help="Of --sample: only the K most probable tokens.")]
TopP = Annotated[
    float | None,
    typer.Option("--top-p", metavar="P", help="Of --sample: only the most probable that make up P together."),
]


def decoding_of(
    spec: "DecodingSpec",
    *,
    scored: bool,
    beam_size: int | None,
    length_penalty: float | None,
    n_best: int | None,
    max_length: int | None,
    sample: bool,
    temperature: float | None,
    top_k: int | None,
    top_p: float | None,
    random_seed: int | None,
    replace_unknown: bool = False,
) -> "Decoding":
    """Return how answers are found: as the options say, else the spec; `scored` where their scores are shown.

    UsageError for options that do not go together, have no effect, or are out of range.
    """
    import numpy as np

    from rnncli.decoding import Sampling
    from rnncli.errors import UsageError
    from rnncli.tasks.pair_decoding import Decoding

    shaping = {
        "--temperature": temperature,
        "--top-k": top_k,
        "--top-p": top_p,
        "--random-seed": random_seed,
    }
    given = [option for option, value in shaping.items() if value is not None]
    if given and not sample:
        raise UsageError(f"{given[0]} is for sampling", hint="add --sample, or leave it out")
    if sample and beam_size is not None:
        raise UsageError("--sample and --beam-size exclude each other")
    if beam_size is not None and (n_best or 1) > beam_size:
        raise UsageError(f"--n-best {n_best} needs a beam as large, and --beam-size is {beam_size}")
    size = beam_size or max(n_best or 1, spec.beam_size)
    if length_penalty is not None and not scored:
        if sample:
            hint = "add --n-best or --json, which show them, or leave it out"
            raise UsageError("--length-penalty changes only the scores of samples", hint=hint)
        check_length_penalty(size)
    sampling = None
    if sample:
        try:
            sampling = Sampling(1.0 if temperature is None else temperature, top_k=top_k, top_p=top_p)
        except ValueError as error:
            raise UsageError(f"--{str(error).replace('_', '-', 1)}") from None
        if random_seed is None:
            random_seed = int(np.random.SeedSequence().generate_state(1)[0])
    return Decoding(
        beam_size=size,
        length_penalty=spec.length_penalty if length_penalty is None else length_penalty,
        max_length=max_length or spec.max_length,
        n_best=n_best or 1,
        sampling=sampling,
        random_seed=random_seed or 0,
        replace_unknown=replace_unknown,
    )


def check_length_penalty(beam_size: int) -> None:
    """Raise UsageError for --length-penalty where a beam of this size has nothing to choose among."""
    from rnncli.errors import UsageError

    if beam_size == 1:
        hint = "set --beam-size to 2 or more, or leave it out"
        raise UsageError("--length-penalty is for a search of more than one beam", hint=hint)
