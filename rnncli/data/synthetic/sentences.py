"""Plain English sentences out of some 440 words, about people who did something."""

import numpy as np


def _listed(text: str) -> list[str]:
    return [each.replace("_", " ") for each in text.split()]


SHORTEST, LONGEST_SENTENCE = 4, 14
"""Words: she painted the bridge; my old uncle quickly painted the red bridge near the small station last summer."""

PRONOUNS = _listed("we you they she he nobody everybody somebody")
OWNERS = _listed("the a my your our their his her this that every another")
PEOPLE = _listed("""
actor artist aunt baker boy brother captain carpenter child clerk cousin dancer daughter dentist doctor driver
engineer farmer father fisherman friend gardener girl grandmother guest guide hunter judge king lawyer librarian man
manager mayor mechanic mother musician neighbour nurse officer painter photographer pilot poet prince professor queen
sailor scientist secretary singer sister soldier student tailor teacher thief tourist uncle visitor waiter widow woman
writer
""")
QUALITIES = _listed("""
beautiful big black blue brave bright brown busy careful cheap clean clever cold dangerous dark different empty
expensive famous foreign friendly funny gentle golden good green happy heavy hungry important large lonely lucky
modern narrow new old ordinary perfect pleasant polite poor proud quiet red rich serious short silent simple small
special strange strong tall terrible thin tired ugly warm white wild wonderful yellow young
""")
MANNERS = _listed(
    "almost always carefully certainly finally gladly immediately never often probably quickly quietly rarely"
)

DEEDS = _listed("""
admired bought borrowed broke brought built carried caught changed chose cleaned collected copied counted covered
described destroyed discovered drew dropped examined expected explained finished followed forgot found gave hated held
imagined improved invented kept left liked lost loved mentioned moved needed noticed offered opened ordered painted
planned praised prepared protected pulled pushed received recognized refused remembered repaired returned saved saw
sent showed sold stole studied surprised took touched understood used wanted washed watched
""")
THINGS = _listed("""
apple bag basket bed bell bicycle bird boat book bottle bowl box breakfast brush bucket button cake camera candle car
carpet carriage chair cheese clock coat cow cup curtain dinner dog door dress drum engine flag flower garden gift
glass guitar hammer hat horse house jacket jewel key kitchen knife ladder lamp letter machine map medicine message
mirror mountain needle newspaper orange paper parcel pencil piano picture pillow plate pocket potato present problem
programme puzzle question radio ribbon river rope sandwich secret sheep shirt shoe soup spoon story suitcase table
telephone ticket tomato tree umbrella vegetable violin wallet watch wheel window
""")
WHERE = _listed("above across against around behind beside beyond inside near outside through towards under")
PLACES = _listed("""
airport bakery bank beach bridge building castle cathedral cellar church cinema college corner desert factory farm
field forest fountain gate hall harbour hill hospital hotel island lake library market meadow museum office palace
park prison restaurant road school shop square stadium station street theatre tower town tunnel valley village wall
""")
WHEN = _listed("""
again alone once today together twice yesterday at_midnight at_noon every_afternoon every_evening every_morning
for_money for_nothing in_april in_autumn in_december in_february in_january in_spring last_night last_summer last_week
last_winter on_friday on_monday on_saturday on_sunday on_thursday on_tuesday on_wednesday with_pleasure without_reason
""")

WORDS = frozenset(
    word
    for words in (PRONOUNS, OWNERS, PEOPLE, QUALITIES, MANNERS, DEEDS, THINGS, WHERE, PLACES, WHEN)
    for each in words
    for word in each.split(" ")
) | {"an"}


def sentence(longest: int, rng: np.random.Generator) -> list[str]:
    """Draw the words of a sentence; of one that has too many, parts are made short, whichever come first."""
    deed = [pick(DEEDS, rng)]
    long = [subject(rng), maybe(MANNERS, rng), deed, noun(THINGS, rng, maybe(QUALITIES, rng)), place(rng), when(rng)]
    short = [[pick(PRONOUNS, rng)], [], deed, noun(THINGS, rng), [], []]
    for part in rng.permutation(len(long)).tolist():
        if sum(map(len, long)) > longest:
            long[part] = short[part]
    return [word for part in long for word in part]


def subject(rng: np.random.Generator) -> list[str]:
    """Draw who did it."""
    return noun(PEOPLE, rng, maybe(QUALITIES, rng)) if rng.random() < 1 / 2 else [pick(PRONOUNS, rng)]


def place(rng: np.random.Generator) -> list[str]:
    """Draw where it was done, or nothing."""
    return [pick(WHERE, rng), *noun(PLACES, rng, maybe(QUALITIES, rng))] if rng.random() < 1 / 2 else []


def when(rng: np.random.Generator) -> list[str]:
    """Draw when, how often or what for it was done, or nothing."""
    return pick(WHEN, rng).split(" ") if rng.random() < 1 / 2 else []


def noun(nouns: list[str], rng: np.random.Generator, qualities: list[str] | None = None) -> list[str]:
    """Draw a noun, and what stands before it."""
    words = [*(qualities or []), pick(nouns, rng)]
    owner = pick(OWNERS, rng)
    return ["an" if owner == "a" and words[0][0] in "aeiou" else owner, *words]


def maybe(words: list[str], rng: np.random.Generator) -> list[str]:
    """Draw a word, or none."""
    return [pick(words, rng)] if rng.random() < 1 / 2 else []


def pick(words: list[str], rng: np.random.Generator) -> str:
    """Draw one."""
    return words[int(rng.integers(len(words)))]
