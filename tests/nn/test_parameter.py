import numpy as np
import pytest

from rnncli.models.language_model import EmbeddingSpec, LanguageModel, LanguageModelSpec
from rnncli.nn.parameter import Parameter, collect, pack, prefixed, trained


@pytest.fixture
def parameters():
    return {
        "weight": Parameter(np.arange(6, dtype=np.float32).reshape(2, 3)),
        "bias": Parameter(np.array([10, 11], np.float32)),
        "state": Parameter(np.array([[[20]]], np.float32)),
    }


def test_pack_keeps_values_and_order(parameters):
    flat = pack(parameters)
    np.testing.assert_array_equal(flat.values, [0, 1, 2, 3, 4, 5, 10, 11, 20])
    np.testing.assert_array_equal(flat.grads, np.zeros(9))
    assert flat.values.dtype == flat.grads.dtype == np.float32
    assert flat.slices == {"weight": slice(0, 6), "bias": slice(6, 8), "state": slice(8, 9)}


def test_packed_parameters_and_buffers_are_the_same_memory(parameters):
    flat = pack(parameters)
    flat.values[:] = np.arange(9) + 100
    np.testing.assert_array_equal(parameters["weight"].value, [[100, 101, 102], [103, 104, 105]])
    np.testing.assert_array_equal(parameters["state"].value, [[[108]]])
    parameters["bias"].value[1] = -1
    assert flat.values[7] == -1
    parameters["weight"].grad += np.ones((2, 3), np.float32)
    parameters["state"].grad -= 5
    np.testing.assert_array_equal(flat.grads, [1, 1, 1, 1, 1, 1, 0, 0, -5])
    flat.grads[:] = 0
    assert not parameters["weight"].grad.any()


def test_packing_again_moves_the_values_on(parameters):
    first = pack(parameters)
    second = pack(parameters)
    first.values[:] = 0
    np.testing.assert_array_equal(second.values, [0, 1, 2, 3, 4, 5, 10, 11, 20])
    assert np.shares_memory(parameters["bias"].value, second.values)


def test_buffers_of_the_callers_making(parameters):
    made = []

    def zeros(size, dtype):
        made.append(np.zeros(size, dtype))
        return made[-1]

    flat = pack(parameters, zeros)
    assert made[0] is flat.values
    assert made[1] is flat.grads
    assert [(array.size, array.dtype) for array in made] == [(9, np.float32)] * 2


def test_gradients_can_be_collected_elsewhere(parameters):
    flat, other = pack(parameters), np.full(9, 5, np.float32)
    parameters["bias"].grad += 1
    collect(parameters, flat.slices, other)
    parameters["weight"].grad[1] += 2
    np.testing.assert_array_equal(other, [5, 5, 5, 7, 7, 7, 5, 5, 5])
    np.testing.assert_array_equal(flat.grads, [0, 0, 0, 0, 0, 0, 1, 1, 0])
    assert np.shares_memory(parameters["weight"].value, flat.values)


def test_a_column_major_value_is_packed_by_rows():
    parameter = Parameter(np.asfortranarray(np.arange(6.0).reshape(2, 3)))
    flat = pack({"weight": parameter})
    np.testing.assert_array_equal(flat.values, np.arange(6))
    np.testing.assert_array_equal(parameter.value, np.arange(6).reshape(2, 3))


def test_tied_weights_are_packed_once_and_stay_tied():
    spec = LanguageModelSpec(embedding=EmbeddingSpec(size=4), tie_embeddings=True, hidden_size=4)
    model = LanguageModel(spec, 9, rng=np.random.default_rng(1))
    flat = pack(model.parameters())
    assert "output.weight" not in flat.slices
    assert model.output.weight is model.embedding.weight
    flat.values[flat.slices["embedding.weight"]] = 2
    np.testing.assert_array_equal(model.output.weight.value, np.full((9, 4), 2))
    untied = LanguageModel(LanguageModelSpec(embedding=EmbeddingSpec(size=4), hidden_size=4), 9, rng=None)
    assert pack(untied.parameters()).values.size == flat.values.size + 9 * 4


def test_prefixed_keeps_the_parameters_themselves(parameters):
    named = prefixed("layer.0", parameters)
    assert list(named) == ["layer.0.weight", "layer.0.bias", "layer.0.state"]
    assert all(named[f"layer.0.{name}"] is parameter for name, parameter in parameters.items())


def test_a_frozen_parameter_stays_out_of_the_buffers(parameters):
    table = np.arange(6, dtype=np.float64).reshape(3, 2)
    parameters["table"] = Parameter(table, frozen=True)
    flat = pack(parameters)
    np.testing.assert_array_equal(flat.values, [0, 1, 2, 3, 4, 5, 10, 11, 20])
    assert flat.values.dtype == np.float32
    assert "table" not in flat.slices
    assert parameters["table"].value is table
    assert parameters["table"].grad.size == 0
    collect(parameters, flat.slices, np.zeros(9, np.float32))
    assert parameters["table"].grad.size == 0
    assert trained(parameters).keys() == {"weight", "bias", "state"}


def test_a_gradient_of_a_frozen_parameter_is_an_error():
    parameter = Parameter(np.zeros((3, 2)), frozen=True)
    with pytest.raises(ValueError, match="broadcast"):
        parameter.grad += np.ones((3, 2))
