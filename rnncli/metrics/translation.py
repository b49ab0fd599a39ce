"""Scores of texts that were written for others: translations, captions. N examples."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnncli.metrics.bleu import LONGEST, bleu, bleu_words
from rnncli.metrics.classification import mean
from rnncli.metrics.edits import character_error_rate
from rnncli.metrics.lengths import Array, LengthBin, by_length


@dataclass(frozen=True)
class TranslationReport:
    """Scores of the answers on one split.

    An answer is exact where it is one of its references, character for character. `bleu` is 0 … 100, of all answers
    together, and None where every example has a reference without the 4 words that it asks for: there exact answers may
    have 0. The character error rate is the edits for each character of the references. Means of no example are NaN.
    """

    examples: int
    references: int
    exact_match: float
    bleu: float | None
    character_error_rate: float
    by_length: tuple[LengthBin, ...]  # exact match by the length of the source; none where sources have no length

    @property
    def means(self) -> dict[str, float]:
        """The scores over all examples, by name."""
        scores = {
            "exact_match": self.exact_match,
            "bleu": self.bleu,
            "character_error_rate": self.character_error_rate,
        }
        return {name: value for name, value in scores.items() if value is not None}


def translation_report(
    answers: Sequence[str], references: Sequence[Sequence[str]], lengths: Array | None = None
) -> TranslationReport:
    """Compare N answers with their references, one or several each, given the steps (N,) of their sources.

    White space at either end of a text counts for nothing. Raises ValueError for what does not belong together, and for
    an answer without any reference.
    """
    answers = [text.strip() for text in answers]
    references = [[text.strip() for text in texts] for texts in references]
    error_rate = character_error_rate(answers, references)
    exact = np.fromiter((text in texts for text, texts in zip(answers, references, strict=True)), bool, len(answers))
    long_enough = any(all(len(bleu_words(text)) >= LONGEST for text in texts) for texts in references)
    return TranslationReport(
        examples=len(answers),
        references=sum(map(len, references)),
        exact_match=mean(exact),
        bleu=bleu(answers, references) if long_enough else None,
        character_error_rate=error_rate,
        by_length=() if lengths is None else by_length(lengths, exact),
    )
