"""BLEU, the precision of the n-grams of translations (Papineni et al. 2002), as sacrebleu computes it (Post 2018).

    pₙ = Σ matched n-grams / Σ n-grams of the hypotheses      n = 1 … 4
    b = min(1, exp(1 - r / h))
    BLEU = 100 · b · (p₁ p₂ p₃ p₄)^¼

An n-gram of a hypothesis is matched as often as it occurs in that reference which has the most of it. h is the number
of the words of all hypotheses, and r that of the references: of several of one hypothesis the nearest in length, of two
as near the shorter. Where no n-gram is matched, 1/2, 1/4, … of one is, each such n in turn with half of the one before
(Chen & Cherry 2014, method 3). Where no hypothesis has 4 words it is 0, be they right or wrong.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence

LONGEST = 4

_ENTITIES = (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))  # each once, in this order
_APART = re.compile(r"[!-&(-+/:-@\[-`{-~]")  # ASCII punctuation but for ' , - .
_AFTER_NO_DIGIT = re.compile(r"([^0-9])([.,])")
_BEFORE_NO_DIGIT = re.compile(r"([.,])([^0-9])")
_AFTER_DIGIT = re.compile(r"([0-9])-")


def bleu_words(text: str) -> list[str]:
    """Return the words and marks that BLEU counts: those of mteval-v13a, the tokenizer "13a" of sacrebleu.

    Marks of ASCII stand alone; but ' belongs to its word, points and commas do so between digits, and - where no digit
    stands before it. Upper case stays.
    """
    text = text.rstrip().replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    for entity, character in _ENTITIES:
        text = text.replace(entity, character)
    text = _APART.sub(r" \g<0> ", f" {text} ")
    text = _AFTER_NO_DIGIT.sub(r"\1 \2 ", text)
    text = _BEFORE_NO_DIGIT.sub(r" \1 \2", text)
    return _AFTER_DIGIT.sub(r"\1 - ", text).split()


def bleu(hypotheses: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Return the BLEU, 0 … 100, of hypotheses that have one reference or several each; NaN of none.

    Raises ValueError for another number of references than hypotheses, and for a hypothesis without any.
    """
    matched, total = [0] * LONGEST, [0] * LONGEST
    h = r = 0
    for hypothesis, texts in zip(hypotheses, references, strict=True):
        if not texts:
            raise ValueError("a hypothesis has one reference at least")
        own, others = bleu_words(hypothesis), [bleu_words(text) for text in texts]
        h += len(own)
        r += min(map(len, others), key=lambda length: (abs(length - len(own)), length))
        for n, (claimed, *known) in enumerate(zip(*map(_ngrams, (own, *others)), strict=True)):
            total[n] += claimed.total()
            most = known[0]
            for counts in known[1:]:
                most |= counts
            matched[n] += (claimed & most).total()
    if not len(hypotheses):
        return math.nan
    if not matched[0] or not total[-1]:  # without words in common, or any of 4 in a row
        return 0.0
    smoothing, logarithms = 1.0, 0.0
    for right, claims in zip(matched, total, strict=True):
        smoothing *= 1 if right else 2
        logarithms += math.log((right or 1 / smoothing) / claims)
    return 100 * min(1.0, math.exp(1 - r / h)) * math.exp(logarithms / LONGEST)


def _ngrams(words: list[str]) -> Iterator[Counter[tuple[str, ...]]]:
    """Yield the counts of the n-grams of each length."""
    return (Counter(zip(*(words[first:] for first in range(n)), strict=False)) for n in range(1, LONGEST + 1))
