import math
from dataclasses import replace
from statistics import mean, median

import pytest

from rnncli.benchmarks import WORKLOADS, Workload
from rnncli.benchmarks.ours import build, build_classifier, build_tagger
from rnncli.benchmarks.workloads import sentences

RAGGED = Workload("classify", "gru", 2, 4, batch_size=3, embedding_size=5, lengths=((1, 4, 2), (4, 4, 3)), labels=7)


def test_operations_of_char_rnns_default_by_hand():
    # two layers of four gates on 128 + 128 inputs, and the output: 2 operations a weight and token, 3 times over
    assert WORKLOADS["a"].flops == 3 * 2 * 50 * 50 * (2 * 4 * 128 * 256 + 65 * 128)
    assert WORKLOADS["i"].flops == 2 * (4 * 512 * (128 + 512) + 4 * 512 * 1024 + 65 * 512)
    assert WORKLOADS["h"].flops == 64 * WORKLOADS["g"].flops


def test_operations_on_ragged_batches_by_hand():
    words = 7 + 11  # in two steps, of which each ends with 7 outputs of 3 sequences
    assert RAGGED.flops == 3 * 2 * (words * 3 * 4 * (5 + 4 + 4 + 4) + 2 * 3 * 7 * 4) / 2
    both = replace(RAGGED, bidirectional=True)
    assert both.flops == 3 * 2 * (words * 2 * 3 * 4 * (5 + 4 + 8 + 4) + 2 * 3 * 7 * 8) / 2
    tags = replace(both, kind="tag")
    assert tags.flops == 2 * (words * 2 * 3 * 4 * (5 + 4 + 8 + 4) + words * 7 * 8) / 2
    assert replace(tags, kind="train tagger").flops == 3 * tags.flops
    # first steps of two times three sequences, second ones of two and three, third ones of one and three, then one, two
    assert RAGGED.products[:3] == [(12, 9, 1, 2), (12, 9, 2, 2), (12, 9, 3, 4)]
    assert both.products[3:] == [(12, 12, 1, 4), (12, 12, 2, 4), (12, 12, 3, 8), (7, 8, 3, 2)]


@pytest.mark.parametrize("name", [name for name, work in WORKLOADS.items() if not work.targets])
def test_operations_are_two_a_weight_that_is_no_bias_and_not_looked_up(name):
    work = WORKLOADS[name]
    classifies = work.kind == "classify"
    builders = {"classify": build_classifier, "tag": build_tagger, "train tagger": build_tagger}
    model = builders[work.kind](work) if work.kind in builders else build(work, work.vocabulary_size)
    weights = model.parameters()
    looked_up = {"embedding.weight"} | ({"recurrent.0.weight_ih"} if work.embedding_size is None else set())
    sizes = {key: p.value.size for key, p in weights.items() if "weight" in key and key not in looked_up}
    output = sizes.pop("output.weight") * (work.batch_size if classifies else work.tokens)
    assert work.flops == pytest.approx(2 * (sum(sizes.values()) * work.tokens + output) * (3 if work.trains else 1))


def test_titles_tell_the_workloads_apart():
    titles = [work.title for work in WORKLOADS.values()]
    assert len(set(titles)) == len(titles)
    assert titles[0] == "train lstm 2x128 B50 T50 V65 E128"
    assert WORKLOADS["j"].title == "train rnn 1x100 B32 T25 V65 one-hot"
    assert WORKLOADS["k"].title == "classify lstm 1x128 last B32 T3-60 V5000 E64"
    assert WORKLOADS["l"].title == "classify bidirectional lstm 1x64 max B32 T3-60 V5000 E64"
    assert WORKLOADS["n"].title == "tag bidirectional lstm 1x128 B64 T3-60 V5000 E64"
    assert WORKLOADS["o"].title == "train tagger bidirectional lstm 1x128 B32 T3-60 V5000 E64"
    assert WORKLOADS["h"].title == "generate lstm 2x128 B64 V65 E128"


def test_tokens_of_a_step():
    assert WORKLOADS["a"].tokens == 2500
    assert replace(WORKLOADS["a"], batch_size=1).tokens == 50
    assert Workload("generate", "gru", 1, 8, batch_size=3).tokens == 3
    assert RAGGED.tokens == 9  # 7 and 11, without padding


def test_batches_come_again_after_a_cycle():
    assert (WORKLOADS["a"].cycle, WORKLOADS["k"].cycle, RAGGED.cycle) == (1, 20, 2)


def test_sentences_are_as_long_as_real_ones():
    words = [length for batch in sentences() for length in batch]
    assert (len(words), words == sorted(words), min(words), max(words)) == (640, True, 3, 60)
    assert median(words) == 17
    assert 20 < mean(words) < 20.3  # 17 exp(0.6² / 2), and a bit less for the cut
    assert sum(length > 17 * math.exp(0.6) for length in words) == pytest.approx(
        0.159 * 640, abs=6
    )  # a deviation above
    assert [len(batch) for batch in sentences(3, 5)] == [5, 5, 5]
