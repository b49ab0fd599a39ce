import json
import tracemalloc

import pytest

from rnncli.data.examples import Columns, format_of, read_examples
from rnncli.data.files import find_sources

TEXT = "The food was really good, and the plot neat."
LONG = Columns(vector=("x", "y"), sequence="id", time="t")


def lines(name):
    line = {
        "a.csv": lambda i: f'{i},"{TEXT}",{i % 2}\n',
        "a.tsv": lambda i: f"{i}\t{TEXT}\t{i % 2}\n",
        "a.jsonl": lambda i: json.dumps({"text": TEXT, "label": i % 2}) + "\n",
        "a.txt": lambda i: f"__label__{i % 2} {TEXT}\n",
        "long.csv": lambda i: f"{i // 100},{i % 100},{i},{i}.{i},{i // 100 % 2}\n",
    }[name]
    header = {"a.csv": "n,text,label\n", "a.tsv": "n\ttext\tlabel\n", "long.csv": "id,t,x,y,label\n"}.get(name, "")
    return header, line


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.txt", "long.csv"])
def test_memory_does_not_grow_with_the_file(tmp_path, name):
    def peak(count):
        header, line = lines(name)
        path = tmp_path / name
        with path.open("w", encoding="utf-8") as file:
            file.write(header)
            file.writelines(map(line, range(count)))
        sources = find_sources([str(path)])
        tracemalloc.start()
        read = sum(1 for _ in read_examples(sources, format_of(sources), LONG if name == "long.csv" else Columns()))
        assert read == count // (100 if name == "long.csv" else 1)
        memory = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return memory

    peak(1000)  # what is made once
    small, large = peak(10_000), peak(100_000)
    assert large < small + 2**20 + (2**19 if name == "long.csv" else 0)  # the names of its sequences
    assert large < 8 * 2**20
