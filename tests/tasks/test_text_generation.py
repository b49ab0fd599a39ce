import numpy as np
import pytest

from rnncli.decoding import log_softmax
from rnncli.errors import DataError
from rnncli.nn.cells import CELLS
from tests.tasks.tiny_writers import GREEDY, LINES, STREAM, repeating, texts, writer

both = pytest.mark.parametrize("vocabulary", [STREAM, LINES], ids=["stream", "lines"])


@both
@pytest.mark.parametrize("cell", [*CELLS, "conv1d", "none"])
def test_a_sample_is_the_same_alone_and_among_others(vocabulary, cell):
    generator = writer(vocabulary, cell, seed=3)
    many = texts(generator, "ab", samples=5, random_seed=4)
    assert len({text.text for text in many}) > 2
    for samples in (1, 3):
        few = texts(generator, "ab", samples=samples, random_seed=4)
        assert len(few) == samples
        for one, other in zip(few, many, strict=False):
            assert (one.text, one.tokens, one.ended) == (other.text, other.tokens, other.ended)
            assert one.log_probabilities == pytest.approx(other.log_probabilities, abs=1e-5)
    assert texts(generator, "ab", random_seed=5)[0].text != many[0].text


def test_log_probabilities_only_where_asked_for():
    (plain,), (scored,) = (texts(writer(), "ab", length=9, scored=scored) for scored in (False, True))
    assert (plain.text, plain.tokens) == (scored.text, scored.tokens)
    assert (len(plain.log_probabilities), len(scored.log_probabilities)) == (0, 9)


def test_a_seed_of_a_line_follows_its_begin():
    generator = writer(LINES)
    ids = np.array([LINES.begin_id, *LINES.encode("ca")])
    expected = log_softmax(generator.model.logits(ids[:, None])[0])[:, -1]
    (text,) = texts(generator, "ca", length=1)
    assert text.log_probabilities[0] == pytest.approx(expected[LINES.tokens.index(text.tokens[0])], abs=1e-6)


def test_what_no_text_holds_never_comes_up():
    generator = writer(LINES, **{"<unk>": 90, "<bos>": 90})
    for text in [*texts(generator, samples=8), *generator.search("", length=5, beam_size=4, results=4)]:
        assert not {"<unk>", "<bos>"} & set(text.tokens)


def test_a_line_ends_with_its_end_symbol():
    for text in texts(writer(LINES, **{"<eos>": 3}), samples=6, length=50, random_seed=3):
        assert text.ended == "eos"
        assert text.tokens.index("<eos>") == len(text.tokens) - 1
        assert text.text == "".join(text.tokens[:-1])
        assert len(text.log_probabilities) == len(text.tokens)


@pytest.mark.parametrize("samples", [1, 3])
def test_a_text_has_the_length_asked_for(samples):
    for text in texts(writer(), "ab", samples=samples, length=7):
        assert (len(text.tokens), len(text.text), text.ended, text.seed) == (7, 7, "length", "ab")


@pytest.mark.parametrize(
    ("stop", "text", "ended"),
    [
        (["d"], "bc", "stop"),
        (["cd"], "b", "stop"),
        (["xx", "da"], "bc", "stop"),
        (["abc"], "bcd", "stop"),
        (["bcb"], "bcdabcda", "length"),
        (["dax"], "bcdabcda", "length"),
        (["ab", "dabc"], "bcd", "stop"),  # complete first
        ([], "bcdabcda", "length"),
    ],
)
def test_a_text_ends_before_a_stop_text(stop, text, ended):
    (found,) = texts(repeating("abcd"), "a", length=8, stop=stop)
    assert (found.text, found.ended) == (text, ended)


def test_one_text_that_stops_leaves_the_others_going():
    generator = writer()
    free = texts(generator, samples=9, length=12)
    stopped = texts(generator, samples=9, length=12, stop=["ef"])
    assert {text.ended for text in stopped} == {"stop", "length"}
    for one, other in zip(stopped, free, strict=True):
        assert one.text == other.text.split("ef")[0]


def test_characters_of_many_bytes_come_out_whole():
    generator = repeating("a😀é", "byte")
    pieces = [piece for _, piece, _ in generator.generate("a", length=7, sampling=GREEDY)]
    assert pieces == ["", "", "", "😀", "", "é", "a", ""]
    assert texts(generator, "a", length=7)[0].text == "😀éa"
    (cut,) = texts(generator, "a", length=3)  # of four bytes
    assert cut.text == "�"
    assert len(cut.tokens) == 3
    assert texts(generator, "a", length=20, stop=["é"])[0].text == "😀"
    assert texts(generator, "a😀"[:1], length=4, sampling=GREEDY)[0].text == "😀"


def test_a_seed_that_the_model_cannot_know_is_refused_before_anything_is_drawn():
    generator = writer()
    with pytest.raises(DataError, match="character 'ß'"):
        generator.generate("aß", length=5, sampling=GREEDY)
    with pytest.raises(DataError, match="character 'ß'"):
        generator.search("aß", length=5, beam_size=2)


def test_samples_come_up_as_often_as_the_model_says():
    generator = writer()
    drawn = [text.text for text in texts(generator, "a", samples=2000, length=1)]
    _, logits, _ = generator._read("a")
    logits = np.delete(logits[:, 0], STREAM.unknown_id)
    expected = np.exp(logits - np.logaddexp.reduce(logits))
    found = np.array([drawn.count(token) for token in STREAM.tokens[1:]]) / 2000
    np.testing.assert_allclose(found, expected, atol=4 * 0.5 / 2000**0.5)


def test_a_generator_reads_its_model_and_changes_nothing():
    generator = writer()
    before = [parameter.value.tobytes() for parameter in generator.model.parameters().values()]
    texts(generator, "abc")
    generator.search("abc", length=3, beam_size=2)
    assert [parameter.value.tobytes() for parameter in generator.model.parameters().values()] == before
