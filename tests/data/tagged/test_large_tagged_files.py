import json
import tracemalloc

import pytest

from rnncli.data.files import find_sources
from rnncli.data.tagged import TagColumns, format_of, read_tagged, written
from tests.data.tagged.test_conllu import word

SENTENCES = {
    "a.conll": lambda i: "The O\nchicken B-BIRD\ncrossed O\n\n",
    "a.conllu": lambda i: f"# sent_id = {i}\n{word(1, 'The')}\n{word(2, 'chicken')}\n{word(3, 'crossed')}\n\n",
    "a.csv": lambda i: "".join(f"{i},{token},X\n" for token in ("The", "chicken", "crossed")),
    "a.jsonl": lambda i: json.dumps({"id": i, "tokens": ["The", "chicken", "crossed"], "labels": ["X"] * 3}) + "\n",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SENTENCES)
def test_memory_does_not_grow_with_the_file(tmp_path, name):
    def peak(count):
        path = tmp_path / name
        with path.open("w", encoding="utf-8") as file:
            file.write("id,token,label\n" if name == "a.csv" else "")
            file.writelines(map(SENTENCES[name], range(count)))
        sources = find_sources([str(path)])
        columns = TagColumns(sequence="id") if name == "a.csv" else TagColumns()
        tracemalloc.start()
        steps = size = 0
        for example in read_tagged(sources, format_of(sources), columns):
            steps += len(example.steps)
            size += len(written(example, example.labels))
        assert steps == 3 * count
        assert size >= path.stat().st_size
        memory = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return memory

    peak(1000)  # what is made once
    small, large = peak(5_000), peak(50_000)
    assert large < small + 2**20 + (2**24 if name == "a.csv" else 0)  # the names of its sequences
    assert large < (24 if name == "a.csv" else 8) * 2**20
