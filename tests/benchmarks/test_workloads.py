from dataclasses import replace

import pytest

from rnncli.benchmarks import WORKLOADS, Workload
from rnncli.benchmarks.ours import build


def test_operations_of_char_rnns_default_by_hand():
    # two layers of four gates on 128 + 128 inputs, and the output: 2 operations a weight and token, 3 times over
    assert WORKLOADS["a"].flops == 3 * 2 * 50 * 50 * (2 * 4 * 128 * 256 + 65 * 128)
    assert WORKLOADS["i"].flops == 2 * (4 * 512 * (128 + 512) + 4 * 512 * 1024 + 65 * 512)
    assert WORKLOADS["h"].flops == 64 * WORKLOADS["g"].flops


@pytest.mark.parametrize("name", WORKLOADS)
def test_operations_are_two_a_weight_that_is_no_bias_and_not_looked_up(name):
    work = WORKLOADS[name]
    weights = build(work, work.vocabulary_size).parameters()
    looked_up = {"embedding.weight"} | ({"recurrent.0.weight_ih"} if work.embedding_size is None else set())
    size = sum(p.value.size for key, p in weights.items() if "weight" in key and key not in looked_up)
    assert work.flops == 2 * size * work.tokens * (3 if work.kind == "train" else 1)


def test_titles_tell_the_workloads_apart():
    titles = [work.title for work in WORKLOADS.values()]
    assert len(set(titles)) == len(titles)
    assert titles[0] == "train lstm 2x128 B50 T50 V65 E128"
    assert titles[-1] == "train rnn 1x100 B32 T25 V65 one-hot"
    assert WORKLOADS["h"].title == "generate lstm 2x128 B64 V65 E128"


def test_tokens_of_a_step():
    assert WORKLOADS["a"].tokens == 2500
    assert replace(WORKLOADS["a"], batch_size=1).tokens == 50
    assert Workload("generate", "gru", 1, 8, batch_size=3).tokens == 3
