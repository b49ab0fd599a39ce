"""Agreement: he or she, by a name that many other words ago was the subject."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from rnncli.data.synthetic.synthetic_set import LONGEST, Split, SyntheticSet, balanced, text_table

NAMES = {"she": ("Isha", "Mary", "Anna", "Lena", "Nora", "Ruth"), "he": ("Ravi", "Tom", "Paul", "Emil", "Omar", "Hugo")}
OPENINGS = ("Yesterday", "Today", "Once", "Then")
VERBS = ("met", "saw", "called", "thanked", "visited", "helped")
LINKS = ("and", "then", "later", "again")
MANNERS = ("often", "gladly", "briefly")


@dataclass(frozen=True)
class Agreement(SyntheticSet):
    """Sentences about someone who meets others, by whose name the next word is he or she: the label.

    "Once Isha met Tom and saw Ravi then called Mary" → she. From the name to the label are 6 to `distance` words, in
    the test from there to twice as many. The other names are drawn without regard to the label, and are of both kinds
    in every sentence, so that they tell nothing; nor does any other word. Source: the subject-verb agreement of Linzen
    et al. (2016), as synthetic sentences with names and pronouns.
    """

    distance: int = 30

    name: ClassVar[str] = "agreement"
    title: ClassVar[str] = "sentences: he or she, by the name at the beginning?"
    task: ClassVar[str] = "classification"
    chance: ClassVar[str] = "accuracy 50 %"
    source: ClassVar[str] = "after Linzen et al. 2016"
    bounds: ClassVar[dict[str, tuple[int, int]]] = {"distance": (6, LONGEST)}

    def longest(self, split: Split) -> int:
        """An opening, the name, and the words up to the label."""
        return self.distance * (2 if split == "test" else 1) + 1

    def content(self, split: Split, rng: np.random.Generator) -> bytes:
        """Draw a subject and what it does, for each pronoun as often."""
        rows = []
        for number in balanced(2, getattr(self, split), rng):
            pronoun = list(NAMES)[number]
            shortest, most = (self.distance, 2 * self.distance) if split == "test" else (6, self.distance)
            distance = int(rng.integers(shortest, most + 1))
            words = [pick(OPENINGS, rng), pick(NAMES[pronoun], rng), *deeds(distance - 1, rng)]
            rows.append((" ".join(words), pronoun))
        return text_table(rows)


def deeds(size: int, rng: np.random.Generator) -> list[str]:
    """Draw what someone does, in so many words: a verb and a name, from 5 words on those of he and of she."""
    objects = (size + 1) // 3
    kinds = rng.integers(0, 2, objects)
    kinds[rng.choice(objects, 2, replace=False)] = (0, 1)
    words: list[str] = []
    for kind in kinds.tolist():
        words += [pick(LINKS, rng)] if words else []
        words += [pick(VERBS, rng), pick(NAMES[list(NAMES)[kind]], rng)]
    for _ in range(size - len(words)):
        verbs = [place for place, word in enumerate(words) if word in VERBS]
        words.insert(verbs[int(rng.integers(len(verbs)))], pick(MANNERS, rng))
    return words


def pick(words: tuple[str, ...], rng: np.random.Generator) -> str:
    """Draw one."""
    return words[int(rng.integers(len(words)))]
