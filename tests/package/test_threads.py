"""One object in several threads and processes: calls take turns, copies start fresh."""

import copy
import itertools
import multiprocessing
import os
import pickle
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

from forestage import PARAMS, HeadphoneEq, Renderer, _core, load_preset
from headphone_eqs import parametric
from kinds import first_fast
from pool_work import describe, play
from signals import noise

FRAMES = 2048


@pytest.fixture(autouse=True)
def _threads_change_often():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def in_threads(calls):
    """Run each call in a thread of its own, all from one moment on, and return what they return."""
    start = threading.Barrier(len(calls))

    def run(call):
        start.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


PROCESSORS = {
    "engine": lambda: Renderer("smart-speaker", monitor="Speakers")._engine,
    "upmix": lambda: _core.Upmix(48_000.0),
    "virtual-stereo": lambda: _core.VirtualStereo(48_000.0, 30.0),
    "fir-matrix": lambda: _core.FirMatrix(noise(frames=6 * 700).reshape(3, 2, -1)[:, :, :1400]),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", PROCESSORS)
def test_blocks_of_two_threads_are_those_of_one_order(kind):
    """Every block differs, so that only the right order gives the right sound."""
    blocks = [np.ascontiguousarray(noise(frames=FRAMES, seed=seed)) for seed in range(2)]
    rounds = 2
    for _ in range(5):
        shared = PROCESSORS[kind]()
        calls = [lambda x=x, p=shared: [p.process(x) for _ in range(rounds)] for x in blocks]
        found = in_threads(calls)
        assert any(
            all(np.array_equal(a, b) for a, b in zip(itertools.chain(*found), itertools.chain(*alone), strict=True))
            for alone in orders(PROCESSORS[kind], blocks, rounds)
        )


def orders(make, blocks, rounds):
    """What every interleaving of the threads' calls plays."""
    for turns in set(itertools.permutations([0] * rounds + [1] * rounds)):
        processor = make()
        played = [[], []]
        for thread in turns:
            played[thread].append(processor.process(blocks[thread]))
        yield played


def lets_others_run(work, tries=100):
    """Whether another thread, which waits for its turn, gets it while this one is inside of ``work``."""
    sys.setswitchinterval(1000.0)  # nobody is made to give up the GIL
    for _ in range(tries):  # on a busy machine the other one may wake up late
        gate, ran = threading.Lock(), []
        gate.acquire()
        other = threading.Thread(target=lambda gate=gate, ran=ran: (gate.acquire(), ran.append(True)))
        other.start()
        gate.release()
        work()
        has_run = bool(ran)
        other.join()
        if has_run:
            return True
    return False


def test_loading_parsing_and_playing_let_other_threads_run():
    preset, engine = load_preset("smart-speaker"), Renderer("laptop")._engine
    text, x = preset.to_json(), noise(frames=48_000)
    assert lets_others_run(lambda: _core.parse_preset(text))
    assert lets_others_run(lambda: engine.load("B", preset))
    assert lets_others_run(lambda: preset.to_json())
    assert lets_others_run(lambda: engine.process(x))
    assert not lets_others_run(lambda: sum(range(30_000)), tries=5)  # else it would tell nothing


@pytest.mark.slow
@pytest.mark.parametrize("call", ["process", "reset", "load", "eq", "set", "read"])
def test_a_renderer_plays_on_whatever_other_threads_call(call):
    x = noise(frames=FRAMES)
    renderer = Renderer("smart-speaker", monitor="Headphones")
    presets, eq = [load_preset("laptop"), load_preset("smart-speaker")], parametric()
    others = {
        "process": lambda k: renderer.process(x),
        "reset": lambda k: renderer.reset(),
        "load": lambda k: renderer.load(presets[k % 2], slot="AB"[k // 2 % 2]),
        "eq": lambda k: renderer.set_headphone_eq(eq if k % 2 else None),
        "set": lambda k: renderer.set(amount=k % 100, slot="AB"[k % 2], room=k % 2),
        "read": lambda k: (renderer.status, renderer.params, repr(renderer), renderer.tail_frames),
    }
    end = time.monotonic() + 0.5

    def repeat(call):
        count = 0
        while time.monotonic() < end:
            call(count)
            count += 1
        return count

    def is_whole(_k):
        y = renderer.process(x)
        assert y.shape == (2, FRAMES)
        assert np.isfinite(y).all()
        assert np.abs(y).max() < 4.0

    counts = in_threads([lambda: repeat(is_whole), lambda: repeat(is_whole), lambda: repeat(others[call])])
    assert min(counts) > 0
    settled = Renderer("smart-speaker")
    renderer.load("smart-speaker")
    renderer.set_headphone_eq(None)
    renderer.set(
        **{row.id: row.default_value for row in PARAMS if not row.is_read_only}
        | load_preset("smart-speaker").parameters
    )
    renderer.process(np.zeros((2, 96_000), np.float32))
    for each in (renderer, settled):
        each.reset()
    np.testing.assert_allclose(renderer.process(x), settled.process(x), atol=1e-6)


def settings():
    return {"b": "tablet", "sample_rate": 44_100, "amount": 70, "slot": "B", "headphone_eq": parametric()}


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda r: pickle.loads(pickle.dumps(r))])
def test_a_copy_of_a_renderer_has_its_settings_and_starts_from_silence(copied):
    x = noise(frames=FRAMES)
    renderer = Renderer("laptop", **settings())
    renderer.process(x)
    twin = copied(renderer)
    chosen = [row.id for row in PARAMS if not row.is_read_only]
    assert [twin.params[each] for each in chosen] == [renderer.params[each] for each in chosen]
    assert twin.params["peak_db"] == "-60 dB"
    assert repr(twin) == repr(renderer)
    np.testing.assert_array_equal(twin.process(x), Renderer("laptop", **settings()).process(x))
    assert not np.array_equal(renderer.process(x), Renderer("laptop", **settings()).process(x))


@pytest.mark.parametrize("value", [load_preset("laptop"), parametric(), *PARAMS[:4]], ids=repr)
def test_values_survive_pickles_and_copies(value):
    def facts(value):
        return value if not isinstance(value, _core.ParamSpec) else (value.id, value.choices, value.default_value)

    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert facts(pickle.loads(pickle.dumps(value, protocol))) == facts(value)
    assert facts(copy.deepcopy(value)) == facts(copy.copy(value)) == facts(value)
    assert "object at 0x" not in repr(value)
    assert "\n" not in repr(value)


@pytest.mark.parametrize("method", first_fast(["fork", "spawn"]))
def test_pools_play_the_same(method):
    x = noise(frames=FRAMES)
    renderer = Renderer("laptop", **settings())
    renderer.process(x)  # transforms and tables are in use before the fork
    expected = Renderer("laptop", **settings()).process(x)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as pool:
        np.testing.assert_array_equal(pool.submit(play, renderer, x).result(), expected)
        preset, eq = pool.submit(describe, load_preset("laptop"), parametric()).result()
    assert preset == load_preset("laptop")
    assert isinstance(eq, HeadphoneEq)
    assert eq == parametric()


@pytest.mark.slow
def test_a_fork_in_the_middle_of_a_block_is_an_error_and_no_deadlock():
    renderer = Renderer("smart-speaker", monitor="Speakers")
    player = threading.Thread(target=renderer.process, args=(noise(frames=48_000 * 120),))
    player.start()
    time.sleep(0.1)
    child = os.fork()
    if child == 0:
        try:
            renderer.reset()
        except RuntimeError as error:
            os._exit(0 if "forked" in str(error) else 2)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    player.join()
