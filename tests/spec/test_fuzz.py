import random
import time

import pytest

from rnncli.errors import SpecError
from rnncli.spec import parse_spec, validate
from tests.spec.spec_schemas import GOOD, Spec

# R14


def mutated(rng):
    data = bytearray(GOOD.encode())
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(5):
            case 0:
                data[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                del data[at : at + rng.randint(1, 20)]
            case 2:
                data[at:at] = rng.choice(b"\t\n\r\0:-[]{}&*!|>'\"%@`#?,. ~<=\x1b\xff").to_bytes() * rng.randint(1, 3)
            case 3:
                words = [
                    "1e999",
                    "yes",
                    "null",
                    "0x10",
                    "<<: *a",
                    "!!int",
                    "- ",
                    ": ",
                    "\n  ",
                    "{name: x}",
                    "\\ud800",
                    "✓",
                ]
                data[at:at] = rng.choice(words).encode()
            case _:
                start = rng.randrange(len(data) + 1)
                data[at:at] = data[start : start + rng.randint(1, 40)]
    return bytes(data)


@pytest.mark.parametrize("count", [2_000, pytest.param(20_000, marks=pytest.mark.slow)])
def test_mutated_specs_raise_nothing_but_spec_errors(count):
    rng, read, slowest = random.Random(count), 0, 0.0
    for _ in range(count):
        data = mutated(rng)
        started = time.process_time()
        try:
            validate(parse_spec(data, "spec.yaml"), Spec)
            read += 1
        except SpecError as error:
            for line in str(error).split("\n"):
                assert line.startswith("spec.yaml:"), data
                assert line.isprintable(), data
                assert len(line) <= 200, data
        slowest = max(slowest, time.process_time() - started)
    assert slowest < 0.5
    assert count / 100 < read < count / 2
