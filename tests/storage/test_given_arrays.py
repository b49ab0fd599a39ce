import io
import time
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rnncli.errors import DataError
from rnncli.storage import inflated, npz_layout, read_given_arrays
from rnncli.storage import npz as npz_module
from tests.storage.hostile_files import BOMBS, HONEST, TABLE, pickles
from tests.storage.zip_builder import Member, npy, npz

SAVED = [np.savez, np.savez_compressed]
DTYPES = ["<f2", "<f4", "<f8", "|i1", "<i2", "<i4", "<i8", "|u1", "<u2", "<u4", "<u8", "|b1", "<U3", "<U300"]
OTHER = {  # what a user's file may be and a checkpoint may not, or is told otherwise
    "holds W compressed or encrypted": {"deflated", "deflated in the directory"},
    "has a damaged entry for W": {"local method"},
    "holds W in a form that is not supported": {"object", "float16", "Fortran"},
}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("given") / "given.npz"


def read(path, wanted=("W",), **options):
    with path.open("rb", buffering=0) as file:
        return read_given_arrays(file, "given.npz", wanted, **options)


def refusal(path, *, memory=2**20, **options):
    tracemalloc.start()
    start = time.perf_counter()
    try:
        with pytest.raises(DataError) as caught:
            read(path, **options)
        assert time.perf_counter() - start < 1
        assert tracemalloc.get_traced_memory()[1] < memory
    finally:
        tracemalloc.stop()
    line = str(caught.value)
    assert line.isprintable()
    assert len(line) <= 200
    assert caught.value.hint
    assert line.startswith("given.npz: ")
    return line.removeprefix("given.npz: ")


def deflated(payload, *, spare=b"", **lies):
    raw = zlib.compress(payload, 9, -zlib.MAX_WBITS) + spare
    fields = {"method": 8, "crc": zlib.crc32(payload), "stored": len(raw), "size": len(payload)}
    return npz(Member(raw, both=fields | lies))


# Texts without U+0000 at their end, which NumPy takes for padding
arrays = st.sampled_from(DTYPES).flatmap(lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, min_side=0)))


@settings(max_examples=80, deadline=None)
@given(arrays, arrays, st.sampled_from(SAVED), st.booleans())
def test_round_trip(path, first, second, save, fortran):
    first = np.asfortranarray(first) if fortran else first
    save(path, W=first, other=second, x=first.T)
    for wanted in (("W", "x", "missing"), ("other",)):
        found = read(path, wanted)
        assert list(found) == [name for name in wanted if name != "missing"]
        for name, expected in {"W": first, "x": first.T, "other": second}.items():
            if name in wanted:
                assert (found[name].dtype, found[name].shape) == (expected.dtype, expected.shape)
                assert found[name].tobytes() == expected.tobytes()
                assert found[name].flags.writeable


def test_a_file_much_larger_than_a_piece(path):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(300_000, 3)).astype("f4"), np.repeat(np.arange(100_000), 3)
    np.savez_compressed(path, x=x, y=y)
    found = read(path, ("x", "y"))
    np.testing.assert_array_equal(found["x"], x)
    np.testing.assert_array_equal(found["y"], y)


@pytest.mark.parametrize(
    ("reason", "case"),
    [(reason, case) for reason, files in TABLE.items() for case in files if case not in OTHER.get(reason, ())],
)
def test_hostile_file_is_refused(path, reason, case):
    path.write_bytes(TABLE[reason][case])
    assert refusal(path).startswith(f"{reason}; ")


@pytest.mark.parametrize("case", BOMBS)
def test_bomb_of_a_checkpoint(path, case):
    path.write_bytes(BOMBS[case]())
    if case.startswith("deflate"):
        assert not read(path)["W"].any()  # of up to 256 MiB it is none
    else:
        refusal(path)


def test_bomb_is_refused_without_inflating(path, monkeypatch):
    archive = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
    with archive, archive.open("W.npy", "w") as member:
        member.write(npy(shape="(33554433, 2)", data=b""))
        for _ in range(256):
            member.write(bytes(2**20))
        member.write(bytes(8))
    size = path.stat().st_size
    assert size * 100 < 2**28
    assert refusal(path) == (
        "inflates to 268,435,464 bytes, more than 268,435,456; save it with numpy.savez, or in several files"
    )
    monkeypatch.setattr(npz_module, "_EXPANSION", -(-(2**28 + 8) // size))
    assert read(path, ()) == {}
    assert "more than 268,435,463; " in refusal(path, limit=2**28 + 7)


def test_larger_files_may_inflate_more(path, monkeypatch):
    monkeypatch.setattr(npz_module, "_FREE", 2**10)
    noise = np.random.default_rng(1).bytes(2**10)
    np.savez_compressed(path, W=np.frombuffer(noise * 64, np.uint8))
    assert path.stat().st_size * 60 > 2**16
    assert read(path)["W"].tobytes() == noise * 64
    np.savez_compressed(path, W=np.zeros(2**18, np.uint8))
    assert refusal(path).startswith("inflates to 262,144 bytes, more than ")


def test_limit_counts_the_bytes_of_the_file(path):
    path.write_bytes(HONEST)
    assert list(read(path, limit=len(HONEST))) == ["W"]
    assert refusal(path, limit=len(HONEST) - 1).startswith(f"has {len(HONEST)} bytes, more than {len(HONEST) - 1}; ")


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (deflated(npy())[:-1], "is cut short or damaged at its end"),
        (deflated(npy(), crc=1), "is damaged in W (wrong checksum)"),
        (deflated(npy(), spare=b"secret"), "is damaged in W (wrong checksum)"),
        (deflated(npy(data=bytes(9)), size=len(npy())), "is damaged in W (wrong checksum)"),
        (deflated(npy(data=bytes(7)), size=len(npy())), "is damaged in W (wrong checksum)"),
        (deflated(npy(data=bytes(7))), "holds W with a size unlike its shape"),
        (deflated(npy(shape="(1000000000000,)")), "holds W with a size unlike its shape"),
        (deflated(npy(descr="'|O'")), "holds W as pickled Python objects"),
        (deflated(npy(descr="'<c8'", shape="(1,)")), "holds W in a form that is not supported"),
        (deflated(b""), "holds W in a form that is not supported"),
        (npz(Member(b"\xff" * 100, both={"method": 8})), "is damaged"),
        (npz(Member(npy(), local={"method": 8})), "has a damaged entry for W"),
        (npz(Member(npy(descr="'<U0'", shape="(10000000000,)", data=b""))), "holds W in a form that is not supported"),
        (npz(Member(npy(descr="'>i4'", data=bytes(8)))), "holds W in a form that is not supported"),
        (npz(Member(npy(descr="'<U1'", data=b"\0\0\x11\0" * 2))), "holds what is no character in W"),
        (npz(Member(npy(descr="'|b1'", data=b"\1\2"))), "holds a value that is not 0 or 1 in W"),
    ],
)
def test_deflated_or_of_other_dtypes_it_is_trusted_no_more(path, file, reason):
    path.write_bytes(file)
    assert refusal(path).split("; ")[0] == reason


def test_a_stream_without_its_end(path):
    squeezer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    raw = squeezer.compress(npy()) + squeezer.flush(zlib.Z_SYNC_FLUSH)
    fields = {"method": 8, "crc": zlib.crc32(npy()), "stored": len(raw), "size": len(npy())}
    path.write_bytes(npz(Member(raw, both=fields)))
    assert refusal(path).startswith("is damaged in W (wrong checksum); ")


@pytest.mark.parametrize("spare", [-1, 0])
def test_a_stream_that_ends_where_a_piece_does(path, monkeypatch, spare):
    """Or a byte before; what lies behind it is seen all the same."""
    size = len(zlib.compress(npy(), 9, -zlib.MAX_WBITS))
    monkeypatch.setattr(inflated, "_PIECE", size + spare)
    path.write_bytes(deflated(npy()))
    assert read(path)["W"].tolist() == [0, 0]
    path.write_bytes(deflated(npy(), spare=b"secret"))
    assert refusal(path).startswith("is damaged in W (wrong checksum); ")


def test_every_byte_of_a_deflated_array_counts(path):
    honest = deflated(npy(shape="(50,)", data=np.arange(50, dtype="f4").tobytes()))
    path.write_bytes(honest)
    assert read(path)["W"].tolist() == list(range(50))
    start, end = honest.index(b"W.npy") + 5, honest.index(b"PK\1\2")
    for place in range(start, end):
        damaged = bytearray(honest)
        damaged[place] ^= 0x10
        path.write_bytes(damaged)
        try:
            found = read(path)["W"]
        except DataError:
            continue
        assert place == end - 1  # what fills the last byte up means nothing
        assert found.tolist() == list(range(50))


def test_pickled_texts_and_ragged_sequences_are_explained(path):
    for save in SAVED:
        save(path, W=np.array(["a", "b"], dtype=object))
        message = "holds W as pickled Python objects"
        hint = "save texts with astype(str), ragged sequences joined and with their lengths"
        assert refusal(path) == f"{message}; {hint}"


def test_nothing_is_unpickled(path, tmp_path):
    marker = tmp_path / "marker"
    for file in pickles(marker):
        path.write_bytes(file)
        refusal(path)
    assert not marker.exists()


def test_file_beyond_the_memory_is_refused(path, monkeypatch):
    def exhausted(*_):
        raise MemoryError

    np.savez(path, W=np.zeros(2))
    monkeypatch.setattr(npz_layout.np, "empty", exhausted)
    assert refusal(path) == "does not fit in memory; save it in several files"


def test_a_file_that_cannot_be_read(path):
    class Broken(io.FileIO):
        def readinto(self, buffer):
            raise OSError(5, "Input/output error")

    np.savez(path, W=np.zeros(2))
    with Broken(path) as file, pytest.raises(DataError) as caught:
        read_given_arrays(file, "given.npz", ("W",))
    assert str(caught.value) == "given.npz: cannot be read: Input/output error"
