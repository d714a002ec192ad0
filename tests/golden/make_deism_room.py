"""Transfer function of a room by deism (JASA 155:343, 2024), for tests/acoustics/test_room.py.

deism 2.3.1 requires numpy 1.26.0 exactly, so it cannot be installed beside Forestage; in an environment of its own:

    python -m venv deism && deism/bin/pip install deism==2.3.1.1 && deism/bin/python tests/golden/make_deism_room.py
"""

import json
from pathlib import Path

import numpy as np
from deism.core_deism import DEISM

ROOM = {
    "dimensions_m": [4.0, 3.0, 2.5],
    "source_m": [1.1, 1.1, 1.3],
    "receiver_m": [2.9, 1.9, 1.3],
    "impedance": [18.0, 30.0, 12.0, 25.0, 40.0, 20.0],
    "max_order": 8,
}
FREQUENCY_HZ = np.arange(50.0, 4001.0, 50.0)

deism = DEISM("RTF", "shoebox", silent=True)
deism.update_room(roomDimensions=np.array(ROOM["dimensions_m"]))
deism.params |= {
    "angDepFlag": 0,
    "DEISM_method": "ORG",
    "maxReflOrder": ROOM["max_order"],
    "sourceOrder": 0,
    "receiverOrder": 0,
    "startFreq": FREQUENCY_HZ[0],
    "endFreq": FREQUENCY_HZ[-1],
    "freqStep": 50.0,
}
deism.update_wall_materials(np.array(ROOM["impedance"])[:, None], np.array([1000.0]), "impedance")
deism.update_freqs()
deism.update_source_receiver(np.array(ROOM["source_m"]), np.array(ROOM["receiver_m"]))
deism.update_directivities()
deism.run_DEISM()
assert np.allclose(deism.params["freqs"], FREQUENCY_HZ)
# exp(-jkr) / (4 pi r) becomes 1 / r: relative to 1 m
response = 4 * np.pi * np.asarray(deism.params["RTF"]).ravel()
table = {
    **ROOM,
    "frequency_hz": FREQUENCY_HZ.tolist(),
    "real": response.real.round(6).tolist(),
    "imag": response.imag.round(6).tolist(),
}
Path(__file__).with_name("deism_room.json").write_text(json.dumps(table) + "\n")
