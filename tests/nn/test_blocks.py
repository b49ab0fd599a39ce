import gc
import threading
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnncli.nn import blocks
from rnncli.nn.blocks import CACHE_LINE, SAME_SET, empty, empty_like, empty_sequence, flat


@pytest.fixture(autouse=True)
def pool(monkeypatch):
    """A pool without buffers."""
    monkeypatch.setattr(blocks, "_POOL", blocks._Pool())
    return blocks._POOL


def number_of_buffers(pool):
    return sum(len(buffers) for buffers in pool.buffers.values())


def address(a):
    return a.__array_interface__["data"][0]


def in_a_cycle(a):
    cycle = [a]
    cycle.append(cycle)
    return cycle


WAYS_TO_KEEP_AN_ARRAY = {
    "itself": lambda a: a,
    "view": lambda a: a[1:],
    "view of a view": lambda a: a[1:][:, 2:],
    "one number": lambda a: a[1:2, 2:3],
    "every other": lambda a: a[::-2, ::3],
    "reshaped": lambda a: a.reshape(-1),
    "transposed": lambda a: a.T,
    "reshaped, transposed, cut": lambda a: a.reshape(4, 2, 3, 2).transpose(3, 1, 0, 2)[1:, :, 1:],
    "swapped axes": lambda a: a.swapaxes(0, 1)[2],
    "other dtype": lambda a: a.view(np.uint32)[1],
    "without dimensions": lambda a: a[1, 2, ...],
    "broadcast": lambda a: np.broadcast_to(a, (5, *a.shape)),
    "masked": lambda a: np.ma.masked_array(a, mask=np.zeros(a.shape, bool)),
    "record": lambda a: a.reshape(-1).view([("one", np.float32), ("other", np.float32)])["other"],
    "memoryview": memoryview,
    "from a buffer": lambda a: np.frombuffer(memoryview(a), np.float32),
    "iterator": lambda a: a.flat,
    "in a closure": lambda a: lambda: a,
    "in a cycle": in_a_cycle,
}


@pytest.mark.parametrize("way", WAYS_TO_KEEP_AN_ARRAY)
def test_what_anyone_still_looks_at_is_not_handed_out(way):
    a = empty((8, 6), np.float32)
    first, last = address(a), address(a) + a.nbytes
    kept = WAYS_TO_KEEP_AN_ARRAY[way](a)
    del a
    others = [empty((8, 6), np.float32) for _ in range(3)]
    assert all(not first <= address(other) < last for other in others)
    assert len({address(other) for other in others}) == 3
    del kept
    gc.collect()
    assert address(empty((8, 6), np.float32)) == first  # nobody does: the same memory


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["take", "take", "take", "view", "drop"]),
        st.lists(st.integers(0, 5), min_size=1, max_size=3).map(tuple),
        st.sampled_from([np.float32, np.float64, np.uint8, np.int64]),
        st.integers(0, 10**6),
    ),
    max_size=60,
)


@settings(max_examples=80, deadline=None)
@given(steps=STEPS)
def test_no_array_that_is_held_ever_changes(steps):
    """Whatever is taken, looked at through views and given back, in any order."""
    held = []
    for number, (action, shape, dtype, choice) in enumerate(steps):
        if action == "take":
            a = empty(shape, dtype)
            assert (a.shape, a.dtype) == (shape, dtype)
            a[...] = number
            held.append((a, a.copy()))
            del a
        elif held:
            array, copy = held.pop(choice % len(held))
            if action == "view":
                held.append((array.T[:2], copy.T[:2]))
            del array
        for array, copy in held:
            np.testing.assert_array_equal(array, copy)


def test_what_is_given_back_is_used_again(pool):
    addresses = set()
    for _ in range(20):
        a, b = empty((100, 7), np.float32), empty((3, 200), np.float32)
        addresses |= {address(a), address(b)}
        del a, b
    assert len(addresses) == number_of_buffers(pool) == 2


def test_lengths_that_differ_share_a_buffer(pool):
    """Batches of ragged lines come in all lengths: a buffer serves those from half its size on."""
    for length in range(65, 129):
        empty((length, 16), np.float32)
    assert number_of_buffers(pool) == 1


def test_a_thread_has_buffers_of_its_own(pool):
    """Or one thread might take what another is just about to."""
    a = empty((64,), np.float64)
    here, there = address(a), []
    del a

    def take():
        mine = empty((64,), np.float64)
        mine[:] = 7
        there.append(mine)

    for _ in range(2):
        thread = threading.Thread(target=take)
        thread.start()
        thread.join()
    assert len({here, *map(address, there)}) == 3
    assert address(empty((64,), np.float64)) == here
    for array in there:  # whose thread has ended
        np.testing.assert_array_equal(array, np.full(64, 7.0))


def test_what_another_thread_still_looks_at_is_not_handed_out():
    taken, done = threading.Event(), threading.Event()
    found = []

    def keep(boxes):
        view = boxes.pop()[1:]
        taken.set()
        done.wait()
        found.append(view.copy())

    a = empty((64,), np.float64)
    a[:], first, boxes = 7, address(a), [a]
    thread = threading.Thread(target=keep, args=(boxes,))
    thread.start()
    taken.wait()
    del a
    other = empty((64,), np.float64)
    other[:] = 8
    assert address(other) != first
    done.set()
    thread.join()
    np.testing.assert_array_equal(found[0], np.full(63, 7.0))
    assert address(empty((64,), np.float64)) == first


def test_threads_at_once_never_meet():
    wrong = []

    def work(number):
        rng = np.random.default_rng(number)
        held = []
        for turn in range(300):
            a = empty((int(rng.integers(1, 200)),), np.int64)
            a[:] = 1000 * number + turn
            held.append((a, 1000 * number + turn))
            del a
            if len(held) > 4:
                held.pop(int(rng.integers(4)))
            wrong.extend(array for array, value in held if not (array == value).all())

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_blocks_begin_on_a_cache_line_and_not_all_in_the_same_set(dtype):
    held = [empty((size,), dtype) for size in (1, 3, 63, 64, 65, 1000, 1024, 1025, 4096, 5000) for _ in range(3)]
    assert all(address(a) % CACHE_LINE == 0 for a in held)
    assert len({address(a) % SAME_SET for a in held}) == len(held)
    spans = sorted((address(a), address(a) + a.nbytes) for a in held)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (3, 0, 2), (1,), (2, 3, 4)])
@pytest.mark.parametrize("dtype", [bool, np.uint16, np.float32, np.float64, "int64", complex])
def test_any_shape_of_any_dtype(shape, dtype):
    a = empty(shape, dtype)
    like = empty_like(a)
    for array in (a, like):
        assert (array.shape, array.dtype) == (shape, np.dtype(dtype))
        assert array.flags.c_contiguous
        assert array.flags.writeable
        assert not array.size or address(array) % CACHE_LINE == 0
    a[...], like[...] = 1, 0
    assert a.all()
    assert not like.any()


@pytest.mark.parametrize(
    ("features", "steps", "batch", "dtype"),
    [
        (3, 16, 64, np.float32),  # rows of 4096 bytes
        (3, 8, 64, np.float64),
        (5, 32, 64, np.float64),  # of 4 times as many
        (2, 1, 1024, np.float32),
        (1, 4, 512, np.float64),
        (3, 5, 7, np.float32),
        (1, 1, 1, np.float64),
        (3, 0, 4, np.float32),
        (3, 4, 0, np.float32),
        (0, 4, 3, np.float32),
    ],
)
def test_a_sequence_has_its_flat_form_as_a_view(features, steps, batch, dtype):
    a = empty_sequence(features, steps, batch, dtype)
    assert (a.shape, a.dtype) == ((features, steps, batch), dtype)
    a[...] = numbers = np.arange(a.size).reshape(a.shape)
    if features:
        np.testing.assert_array_equal(flat(a), numbers.reshape(features, -1))
        flat(a)[...] += 1
        np.testing.assert_array_equal(a, numbers + 1)
        if steps > 1:  # also of all steps but the first, or the last
            for part in (a[:, 1:], a[:, :-1]):
                assert not part.size or np.shares_memory(flat(part), a)
    row = steps * batch * np.dtype(dtype).itemsize
    if features > 1 and row:
        assert a.strides[0] % SAME_SET or row % SAME_SET
        assert (a.strides[0] != row) == (row % SAME_SET == 0)  # padded only where they need it
        assert a.strides[0] - row in (0, CACHE_LINE)
