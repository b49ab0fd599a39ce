import json
import random
import resource
import time

import numpy as np
import pytest

from rnncli.errors import CheckpointError, DivergedError, RnncliError
from rnncli.storage import pack_json, read_checkpoint_file, write_arrays, write_checkpoint_file
from rnncli.storage.checkpoint_file import _sha256
from tests.storage.refusals import assert_clear, assert_refused

CONTENT = {"spec": {"model": {"cell": "lstm", "hidden_size": 3}}, "vocabulary": ["<unk>", "a", "é"], "step": 7}


def weights(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "recurrent.0.weight_ih": rng.standard_normal((3, 4)).astype("f4"),
        "recurrent.0.bias": rng.standard_normal(3),
        "step": np.array(7),
    }


def bits(arrays):
    return {name: (array.dtype.str, array.shape, array.tobytes()) for name, array in arrays.items()}


def rewrite(path, data):
    path.unlink()  # a file that is cut to nothing and filled again, ext4 writes to the disk at once
    path.write_bytes(data)


def forge(path, arrays, *, sums=None, remove=(), **changes):
    """Write a checkpoint that nothing checked, with a manifest that lies as told."""
    sums = {name: _sha256(array) for name, array in arrays.items()} if sums is None else sums
    manifest = {"format": "rnncli", "version": 1, "sha256": sums, "content": CONTENT} | changes
    for key in remove:
        del manifest[key]
    with path.open("wb") as file:
        write_arrays(file, {"manifest": pack_json(manifest), **arrays})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "last.npz"


def test_round_trip(path):
    write_checkpoint_file(path, weights(), CONTENT)
    arrays, content = read_checkpoint_file(path)
    assert bits(arrays) == bits(weights())
    assert list(arrays) == list(weights())
    assert content == CONTENT
    assert arrays["step"].flags.writeable
    first = path.read_bytes()
    write_checkpoint_file(path, weights(), dict(reversed(CONTENT.items())))
    assert path.read_bytes() == first


def test_forged_checkpoint_without_a_lie_is_read(path):
    forge(path, weights())
    forged = path.read_bytes()
    write_checkpoint_file(path, weights(), CONTENT)
    assert forged == path.read_bytes()


@pytest.mark.parametrize("version", [-1, 0, 2, "1", 1.5, 1.0, True, None, 10**30, [1], "\x1b[31m" * 9])
def test_other_version_is_refused_and_both_are_named(path, version):
    forge(path, weights(), version=version)
    error = assert_refused(read_checkpoint_file, path)
    assert f"has format version {json.dumps(version)[:5]}" in str(error)
    assert "not 1;" in str(error)


def test_missing_version_is_refused(path):
    forge(path, weights(), remove=["version"])
    assert "has format version null, not 1;" in str(assert_refused(read_checkpoint_file, path))


SUMS = {name: _sha256(array) for name, array in weights().items()}
LIES = {
    "another format": ({"format": "safetensors"}, "is not an rnncli checkpoint"),
    "no format": ({"remove": ["format"]}, "is not an rnncli checkpoint"),
    "no content": ({"remove": ["content"]}, "incomplete manifest"),
    "no sums": ({"remove": ["sha256"]}, "incomplete manifest"),
    "one key more": ({"module": "os"}, "incomplete manifest"),
    "content is a list": ({"content": []}, "incomplete manifest"),
    "sums are a list": ({"sums": list(SUMS)}, "other arrays"),
    "sums are null": ({"sums": dict.fromkeys(SUMS)}, "other arrays"),
    "no sum": ({"sums": {}}, "other arrays"),
    "array missing": ({"sums": SUMS | {"recurrent.1.bias": SUMS["step"]}}, "other arrays"),
    "array too many": ({"sums": {name: SUMS[name] for name in list(SUMS)[:2]}}, "other arrays"),
    "array renamed": ({"sums": {f"{name}_": value for name, value in SUMS.items()}}, "other arrays"),
    "arrays swapped": ({"sums": dict(zip(SUMS, reversed(SUMS.values()), strict=True))}, "other arrays"),
}


@pytest.mark.parametrize("lie", LIES)
def test_manifest_that_lies_is_refused(path, lie):
    changes, reason = LIES[lie]
    forge(path, weights(), **changes)
    assert reason in str(assert_refused(read_checkpoint_file, path))


@pytest.mark.parametrize(
    "change",
    [
        lambda array: array.reshape(4, 3),
        lambda array: array.reshape(12),
        lambda array: array.view("i4"),
        lambda array: array.astype("f8"),
        lambda array: np.where(array == array[0, 0], np.nextafter(array, np.float32(9)), array),
    ],
    ids=["shape", "dimensions", "dtype, same bytes", "dtype", "one unit in the last place"],
)
def test_array_changed_with_its_crc_is_refused(path, change):
    arrays = weights()
    arrays["recurrent.0.weight_ih"] = change(arrays["recurrent.0.weight_ih"])
    forge(path, arrays, sums=SUMS)
    assert "other arrays" in str(assert_refused(read_checkpoint_file, path))


def test_arrays_without_a_manifest_are_refused(path):
    np.savez(path, **weights())
    assert "is not an rnncli checkpoint" in str(assert_refused(read_checkpoint_file, path))
    np.savez(path, manifest=np.zeros(3), **weights())
    assert "damaged manifest" in str(assert_refused(read_checkpoint_file, path))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ["recurrent.0.weight_ih", "recurrent.0.bias"])
def test_nonfinite_value_is_refused_and_never_saved(path, name, value):
    arrays = weights()
    arrays[name].flat[-1] = value
    with pytest.raises(DivergedError, match=f"cannot save NaN or infinity in {name}"):
        write_checkpoint_file(path, arrays, CONTENT)
    assert not path.exists()
    forge(path, arrays)
    assert f"holds NaN or infinity in {name}" in str(assert_refused(read_checkpoint_file, path))
    read, content = read_checkpoint_file(path, allow_nonfinite=True)
    assert bits(read) == bits(arrays)
    assert content == CONTENT


def test_what_cannot_be_stored_leaves_the_old_file(path):
    write_checkpoint_file(path, weights(), CONTENT)
    before = path.read_bytes()
    for arrays, content, error in [
        ({"manifest": np.zeros(2)}, CONTENT, RnncliError),
        ({"W": np.zeros(2, object)}, CONTENT, RnncliError),
        ({"W": np.zeros(2, "f2")}, CONTENT, RnncliError),
        ({"../W": np.zeros(2)}, CONTENT, RnncliError),
        (weights(), {"loss": float("nan")}, ValueError),
        (weights(), {"loss": np.float32(1)}, TypeError),
    ]:
        with pytest.raises(error):
            write_checkpoint_file(path, arrays, content)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["last.npz"]


def test_limit(path):
    write_checkpoint_file(path, weights(), CONTENT)
    assert_refused(lambda path: read_checkpoint_file(path, limit=100), path)


def test_truncated_at_every_length_is_refused(path):
    write_checkpoint_file(path, weights(), CONTENT)
    whole = path.read_bytes()
    for length in reversed(range(len(whole))):
        with path.open("r+b") as file:
            file.truncate(length)
        with pytest.raises(CheckpointError) as caught:
            read_checkpoint_file(path)
        assert_clear(caught.value, path)


def tensor_bytes(whole, arrays):
    """Offsets in the file of the bytes of the arrays."""
    for array in arrays.values():
        start = whole.index(array.tobytes())
        yield from range(start, start + array.nbytes)


def test_every_flipped_bit_of_the_tensors_is_refused(path):
    write_checkpoint_file(path, weights(), CONTENT)
    whole = path.read_bytes()
    offsets = list(tensor_bytes(whole, weights()))
    assert len(offsets) == 48 + 24 + 8
    for offset in offsets:
        for bit in range(8):
            flipped = bytearray(whole)
            flipped[offset] ^= 1 << bit
            rewrite(path, flipped)
            with pytest.raises(CheckpointError, match="wrong checksum"):
                read_checkpoint_file(path)


@pytest.mark.parametrize("count", [2_000, pytest.param(200_000, marks=pytest.mark.slow)])
def test_mutated_checkpoint_is_identical_or_refused(path, count):
    write_checkpoint_file(path, weights(), CONTENT)
    whole = path.read_bytes()
    tensors = set(tensor_bytes(whole, weights()))
    headers = [offset for offset in range(len(whole)) if offset not in tensors]
    rng = random.Random(count)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    identical = 0
    for number in range(count):
        mutated = bytearray(whole)
        for _ in range(rng.choice([1, 1, 1, 2, 5])):
            at = rng.choice(headers) if number % 2 else rng.randrange(len(whole))
            kind = rng.choice(["flip", "flip", "byte", "cut", "insert", "delete"])
            if kind == "flip":
                mutated[at % max(1, len(mutated))] ^= 1 << rng.randrange(8)
            elif kind == "byte":
                mutated[at % max(1, len(mutated))] = rng.choice([0, 1, 0x7F, 0x80, 0xFF])
            elif kind == "cut":
                del mutated[max(at, 1) :]
            elif kind == "insert":
                mutated[at:at] = rng.randbytes(rng.choice([1, 4, 64]))
            else:
                del mutated[max(at, 1) : at + rng.choice([1, 4, 64])]
        rewrite(path, mutated)
        start = time.perf_counter()
        try:
            arrays, content = read_checkpoint_file(path)
        except CheckpointError as error:
            assert_clear(error, path)
        else:
            identical += 1
            assert bits(arrays) == bits(weights())
            assert content == CONTENT
        assert time.perf_counter() - start < 1
    assert 0 < identical < count / 5  # bytes that say nothing: times, versions, attributes
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 50 * 1024  # KiB
