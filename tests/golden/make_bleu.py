"""Write sacrebleu's corpus BLEU of varied small corpora, with its defaults, for the tests to compare with.

The tests need no sacrebleu. To write the file again:

    pip install sacrebleu==2.6.0
    python tests/golden/make_bleu.py
"""

import json
from itertools import zip_longest
from pathlib import Path

import numpy as np
from sacrebleu.metrics import BLEU

HERE = Path(__file__).parent
rng = np.random.default_rng(6)

SENTENCES = [
    "The old boat has a red sail.",
    "Have you seen my keys, by any chance?",
    "It costs 1,299.50 dollars (plus 8% tax), not 1.299,50 euros!",
    "¿Dónde está el niño que perdió su sombrero?",
    "Über die Brücke führt kein Weg – sagt man.",
    "Она читает письмо, а он молчит.",
    "这 是 一 本 好 书 。",
    "昨日は雨でした。",
    "مرحبا، كيف حالك؟",
    'He said: "it\'s over", and "we\'ll see" - at 10-15 o\'clock.',
    "Don't use a & b; write a &amp; b, or &lt;b&gt; &quot;bold&quot; text.",
    "e-mail: anna@example.org; page: http://example.org/a_b?c=d&e=f#g",
    "x = {1, 2}, y = [3; 4], z = a*b + c/d - e^f ~ g | h \\ i `j` $5",
    "1.5.2020, 3-4, 3 -4, a-b, 7-, -7, .5, 5., 1,000,000.",
    "Wait... what?!! No..., never. 4..5 a..5 5..a .,. ,.,",
    "one two three four five six seven eight nine ten",
    "ten nine eight seven six five four three two one",
    "the the the the the the the",
    "a b a b a b a b",
    "cafe\u0301 café naïve nai\u0308ve ﬁne",
    "tabs\tand\u00a0no-break\u3000wide\u2028spaces",
    "a line-\nbroken word and\nanother line\n",
    "before <skipped> after, and<skipped>glued",
    "😀 says 👍🏽 to 👩‍👩‍👧",
    "Yes.",
    "no",
    "",
    "   ",
    ".",
    "trailing white space   \n",
    "&amp;lt; &amp;amp; &amp;quot; &apos; & &;",
    "Straße STRASSE straße",
    "²³¹ ½ ٣٫٥ ३.५ 5٫5",
]
CHARACTERS = "aab c01.,-'&;<>()[]{}/:@!?\"$%#*+=^_`|~\\\n\t é中٣"
MARKS = [*CHARACTERS, "&amp;", "&lt;", "-\n", "<skipped>", ". ", ", ", "5.", ",5"]


def changed(text):
    """The text with some words left out, doubled, exchanged, or one of another text among them."""
    words = text.split(" ")
    for _ in range(rng.integers(0, 4)):
        place = int(rng.integers(0, len(words) + 1))
        kind = rng.integers(0, 4)
        if kind == 0:
            del words[place : place + 1]
        elif kind == 1:
            words[place:place] = words[place : place + 2]
        elif kind == 2:
            words[place : place + 2] = words[place : place + 2][::-1]
        else:
            words.insert(place, str(rng.choice(str(rng.choice(SENTENCES)).split(" "))))
    return " ".join(words)


def random_text():
    return "".join(rng.choice(MARKS, rng.integers(0, 40)).tolist())


def nearly(text):
    """The text with some characters of its own in other places."""
    characters = list(text)
    for _ in range(rng.integers(0, 3)):
        if characters:
            characters[rng.integers(0, len(characters))] = str(rng.choice(MARKS))
    return "".join(characters)


def corpora():
    """Hypotheses, and the references of each."""
    yield SENTENCES, [[text] for text in SENTENCES]
    yield SENTENCES, [[text] for text in SENTENCES[1:] + SENTENCES[:1]]
    yield [changed(text) for text in SENTENCES], [[text] for text in SENTENCES]
    yield SENTENCES, [[changed(text), changed(text), text[::-1]] for text in SENTENCES]
    for text in SENTENCES:
        yield [changed(text)], [[text]]
    yield [""], [["a b c d"]]
    yield ["a b c d", ""], [["a b c d"], [""]]
    yield ["a b c"], [["a b c"]]
    yield ["a b c d"], [["a b c d"]]
    yield ["a b c d e"], [["e d c b a"]]
    yield ["a b c x d e"], [["a b c y d e"]]
    yield ["a b x a b y a b"], [["a b z a b w a"]]
    yield ["a b c d e f"], [["a b c d", "a b c d e f g h"]]
    yield ["the the the the"], [["the cat the dog", "a the is the the bird"]]
    yield ["a b c d e f", "g h i j"], [["a b c d e f g h i j k l"], ["g h i j k l m n o p"]]
    for _ in range(6):
        hypotheses = [changed(str(text)) for text in rng.choice(SENTENCES, 12)]
        yield hypotheses, [[changed(text) for _ in range(rng.integers(1, 4))] for text in hypotheses]
    for _ in range(14):
        hypotheses = [random_text() for _ in range(8)]
        yield hypotheses, [[nearly(text) for _ in range(rng.integers(1, 3))] for text in hypotheses]


def scored(hypotheses, references):
    streams = [list(stream) for stream in zip_longest(*references)]  # None where a hypothesis has fewer of them
    found = BLEU().corpus_score(list(hypotheses), streams)
    return {"hypotheses": list(hypotheses), "references": list(references), "bleu": found.score}


golden = [scored(*corpus) for corpus in corpora()]
lines = ",\n".join(json.dumps(case, separators=(",", ":"), ensure_ascii=False) for case in golden)
(HERE / "bleu.json").write_text(f"[\n{lines}\n]\n", "utf-8")
