import re
import unicodedata
from collections import Counter
from itertools import pairwise

from tests.data.make_sample_shapes import SAMPLE_DATA
from tests.data.spanish_forms import (
    ADJECTIVES,
    DETERMINERS,
    FEMININE,
    MASCULINE,
    NOUNS,
    OTHER_VERBS,
    QUALITIES,
    TO_BE,
    UNSTRESSED,
    plural,
    quality,
    table,
)

TEXT = (SAMPLE_DATA / "phrases.tsv").read_bytes().decode()
PAIRS = [tuple(line.split("\t")) for line in TEXT.removesuffix("\n").split("\n")]
DEMONSTRATED = {"do you have a red car", "they bought three red hats", "my sister wants a white horse"}
NAMES = {"Ana", "Dios", "España", "Lisboa", "Luis", "Luna", "Madrid", "México", "Navidad", "París", "Perú", "Sevilla"}
CERTAIN = table(
    "monday lunes, wednesday miércoles, friday viernes, saturday sábado, sunday domingo, "
    "two dos, three tres, four cuatro, twenty veinte, forty cuarenta"
)
IDIOMS = {
    "It is raining cats and dogs.",
    "The early bird catches the worm.",
    "Every cloud has a silver lining.",
    "Out of sight, out of mind.",
    "The children go to bed at nine.",
    "I go to bed early.",
}
HOURS = r"\b(la una|las (dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce))\b"
TWICE = "bebe como el esta estas mi que quien se te tu"  # with an accent and without
UNCHANGED = {"no", "muy", "demasiado", "tan"}
SUBJECTS = {  # how a sentence begins, in both languages
    "He ": "(A é|É)l ",
    "She ": "(A e|E)lla ",
    "They ": r"(No )?\w+n |A ellos ",
    "We ": r"(No )?(\w+mos|[Nn]os gustan?) ",
    "Do you ": r"¿(\w+s|Te gustan?) ",
    "Did you ": r"¿\w+ste ",
    "Do they ": r"¿(\w+n|A ellos les gustan?) ",
    "Do (your parents|the children) ": r"¿(\w+n|A (tus padres|los niños) les gustan?) ",
    "Does ": r"¿(Luis )?(\w+[aeoó]|A .+ le gustan?) ",
}
KINDS = {"D": DETERMINERS, "A": ADJECTIVES, "N": NOUNS, "B": TO_BE, "V": OTHER_VERBS}
KINDS |= {"P": {"tú", "mí"}, "Q": {"cuántos", "cuántas"}}
FORMS = DETERMINERS | ADJECTIVES | NOUNS | TO_BE | OTHER_VERBS


def words(text):
    return re.findall(r"[\w'-]+", text.lower())


def test_phrases_are_two_columns_of_about_a_thousand_rows():
    assert re.fullmatch(r"([^\t\n]+\t[^\t\n]+\n)+", TEXT)
    assert len(PAIRS) == TEXT.count("\n") >= 1000


def test_phrases_are_short_and_clean():
    for text in (text for pair in PAIRS for text in pair):
        assert text == " ".join(text.split())
        assert text.isprintable()
        assert unicodedata.is_normalized("NFC", text)
        assert 1 <= len(words(text)) <= 12, text


def test_english_is_plain_and_spanish_has_all_its_letters():
    english, spanish = map("".join, zip(*PAIRS, strict=True))
    assert english.isascii()
    assert {letter for letter in spanish if not letter.isascii()} == set("áéíñóúüÉ¿¡")


def test_no_sentence_stands_there_twice():
    assert len(set(PAIRS)) == len(PAIRS)
    counts = Counter(" ".join(words(english)) for english, _ in PAIRS)
    assert [text for text, times in counts.items() if times > 1] == []


def test_both_sides_end_alike():
    for english, spanish in PAIRS:
        assert english[-1] == spanish[-1], english
        assert english[-1] in ".?!", english


def test_questions_and_exclamations_are_opened_and_closed():
    for english, spanish in PAIRS:
        assert not re.search("[¿¡?!]", re.sub(r"¿[^¿?¡!]+\?|¡[^¿?¡!]+!", "", spanish)), spanish
        assert spanish.count("?") == english.count("?"), spanish
        assert spanish.count("!") == english.count("!"), spanish


def test_what_asks_has_an_accent():
    unstressed = re.compile(r"¿((a|de|por) )?(que|como|donde|cuando|cual|quien|cuant[oa]s?)\b", re.IGNORECASE)
    assert [spanish for _, spanish in PAIRS if unstressed.search(spanish)] == []


def test_few_words_differ_in_an_accent_alone():
    spelt = {}
    for word in {word for _, spanish in PAIRS for word in words(spanish)}:
        spelt.setdefault(word.translate(UNSTRESSED), set()).add(word)
    assert sorted(word for word, found in spelt.items() if len(found) > 1) == sorted(TWICE.split())


def test_sentences_and_names_alone_begin_with_a_capital():
    found = set()
    for pair in PAIRS:
        for text in pair:
            assert re.match("[¿¡]?[A-ZÉ]", text), text
        found |= {word for word in re.findall(r"(?<=[\w,] )[¿¡]?(\w+)", pair[1]) if word[0].isupper()}
    assert found == NAMES


def test_the_first_pair_and_those_that_are_shown_as_unseen():
    assert PAIRS[0] == ("Do you have a pet?", "¿Tienes una mascota?")
    assert not DEMONSTRATED & {" ".join(words(english)) for english, _ in PAIRS}


def test_articles_nouns_and_adjectives_agree():
    """So "una manzana amarilla", not "amarillo"; and neither "el" for "él" nor "tú" for "tu"."""
    found = 0
    for _, spanish in PAIRS:
        said, kinds = classified(spanish)
        assert not re.search("D(?![AN])|P[AN]", kinds), spanish
        for phrase in re.finditer("DA*NA*|DA+|NA+|A+N", kinds):
            found += 1
            assert agree(said[slice(*phrase.span())]), spanish
    assert found > 1000


def test_what_is_said_of_a_noun_agrees_with_it():
    """So "La sopa está fría", "Los coches son caros", "¿Está cansada Ana?"."""
    found = 0
    for _, spanish in PAIRS:
        said, kinds = classified(spanish)
        for phrase in re.finditer(r"(?<!Q)D?A*NA*(V|BA*)|(?<![DN])BA+D?N", kinds):
            found += 1
            assert agree(said[slice(*phrase.span())]), spanish
    assert found > 300


def classified(spanish):
    """Its words but hours, and a letter for each: one of KINDS, or x."""
    said = [word for word in words(re.sub(HOURS, "x", spanish.lower())) if word not in UNCHANGED]
    return said, "".join(next((kind for kind, table in KINDS.items() if word in table), "x") for word in said)


def agree(said):
    return bool(set.intersection(*(FORMS[word] for word in said)))


def test_a_noun_and_its_adjective_mean_the_same_in_both():
    """Red hats are "sombreros rojos", and one is "un sombrero rojo"."""
    found = 0
    for english, spanish in PAIRS:
        for text, meant in translations(english):
            found += 1
            assert english in IDIOMS or re.search(rf"\b{meant}\b", spanish.lower()), (text, spanish)
    assert found > 1000


def translations(english):
    """What is certain to be in its translation."""
    for before, word in pairwise(["", *words(english)]):
        for gender, nouns in (("m", MASCULINE), ("f", FEMININE)):
            for number, noun in ((1, nouns.get(word)), (2, nouns.get(word.removesuffix("s")))):
                if noun and (word in nouns) == (number == 1):
                    form = noun if number == 1 else plural(noun)
                    yield word, f"{form} {quality(QUALITIES[before], gender, number)}" if before in QUALITIES else form
        if word in CERTAIN:
            yield word, CERTAIN[word]


def test_what_is_denied_is_so_in_both():
    for english, spanish in PAIRS:
        said = set(words(spanish))
        denied = re.search(r"n't\b|\b(not|never|no|nobody|cannot|neither)\b", english.lower())
        assert english in IDIOMS or bool(denied) == bool(said & {"no", "nunca", "nadie", "tampoco"}), english


def test_verbs_are_of_the_person_that_does_it():
    counts = Counter()
    for english, spanish in PAIRS:
        for beginning, meant in SUBJECTS.items():
            if re.match(beginning, english):
                counts[beginning] += 1
                assert re.match(meant, spanish), (english, spanish)
    assert min(counts.values()) >= 8
    assert counts.keys() == SUBJECTS.keys()


def test_what_is_liked_is_one_thing_or_more():
    likes = [liked for _, spanish in PAIRS for liked in re.findall(r"gusta(n?) (\w+)", spanish)]
    assert len(likes) > 60
    assert {(ending, word) for ending, word in likes if (ending == "n") != (word in {"los", "las"})} == set()
