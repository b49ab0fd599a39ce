import json

from rnncli.spec import json_schema
from tests.spec.spec_schemas import Spec


def test_json_schema():
    schema = json_schema(Spec)
    assert json.loads(json.dumps(schema)) == schema
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["required"] == ["data"]
    assert schema["additionalProperties"] is False
    definitions = schema["$defs"]
    assert definitions["Model"]["additionalProperties"] is False
    assert definitions["Model"]["properties"]["hidden_size"]["exclusiveMinimum"] == 0
    assert definitions["Model"]["properties"]["cell"]["anyOf"] == [{"$ref": "#/$defs/RNN"}, {"$ref": "#/$defs/LSTM"}]
    name, mapping = definitions["RNN"]["anyOf"]
    assert name == {"enum": ["rnn"]}
    assert mapping["properties"]["activation"]["enum"] == ["tanh", "relu"]
    assert mapping["additionalProperties"] is False
