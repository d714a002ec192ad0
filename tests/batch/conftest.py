"""Songs, and a cluster in this process that tests share."""

import numpy as np
import pytest
import soundfile

from songs import write_song

pytest.importorskip("distributed", reason="forestage[scale] is not installed")


@pytest.fixture(scope="session")
def client():
    """Threads, so that a file system in memory is one for all."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address="127.0.0.1:0") as cluster,
        Client(cluster, set_as_default=False) as own,
    ):
        yield own


@pytest.fixture
def songs(tmp_path):
    """Three songs, one in a folder of its own."""
    folder = tmp_path / "songs"
    for seed, name in enumerate(["one.flac", "two.wav", "album/three.flac"]):
        write_song(folder / name, seed=seed)
    return folder


@pytest.fixture
def silence(tmp_path):
    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros((30_000, 2)), 48_000)
    return path
