"""Preset files: what is read, what is written, and what each broken file is told."""

import base64
import io
import json
import time
from functools import cache

import numpy as np
import pytest
import soundfile

import forestage
from forestage import _core
from make_preset import SAMPLE_RATES, fir_text, impulse_text, make_preset

MIB = 1 << 20


def flac_text(samples, *, scale: int = 0, subtype: str = "PCM_24") -> str:
    """Samples within +-1 as text of a preset, by another writer than its own."""
    stream = io.BytesIO()
    soundfile.write(stream, samples, 48_000, format="FLAC", subtype=subtype)
    return f"flac{scale}:" + base64.b64encode(stream.getvalue()).decode()


def changed(path: str, value=None, *, remove: bool = False) -> str:
    """Text of the small preset with the value at a JSON pointer replaced, added or removed."""
    preset = make_preset()
    *parents, last = [int(token) if token.isdigit() else token for token in path.split("/")[1:]]
    node = preset
    for token in parents:
        node = node[token]
    if remove:
        del node[last]
    else:
        node[last] = value
    return json.dumps(preset)


def nested(levels: int):
    node: dict = {}
    for _ in range(levels):
        node = {"deeper": node}
    return node


def test_preset_is_read():
    preset = _core.parse_preset(json.dumps(make_preset()))
    assert (preset.name, preset.device) == ("Tiny", "tiny-speaker")
    assert preset.text == "A speaker for tests: größer klingt 5 Ω."
    assert preset.drivers == ["driver 0", "driver 1", "driver 2"]
    assert preset.sample_rates == list(SAMPLE_RATES)
    assert preset.parameters == {"stage_width_deg": 25, "center_level_db": -1.5, "level_match": 1}


def test_bytes_are_read_as_text_is():
    text = json.dumps(make_preset(), ensure_ascii=False)
    assert _core.parse_preset(text.encode()).to_json() == _core.parse_preset(text).to_json()


def test_written_preset_has_the_values_that_were_read():
    """Numbers are stored as float32, so they are compared as such."""

    def as_float32(node):
        if isinstance(node, dict):
            return {key: as_float32(value) for key, value in node.items()}
        if isinstance(node, list):
            return [as_float32(value) for value in node]
        return float(np.float32(node)) if isinstance(node, (int, float)) else node

    preset = make_preset()
    taps = np.random.default_rng(5).standard_normal(64)
    preset["filters"][3]["cancel"][1][0] = fir_text(taps)
    written = json.loads(_core.parse_preset(json.dumps(preset)).to_json())
    assert as_float32(written) == as_float32(preset)


def test_float16_taps_that_are_no_fixed_point_are_read_and_written_to_the_bit():
    """All finite numbers of the format: normal, subnormal, zeros and both signs, as far as taps may go."""
    every = np.arange(65_536, dtype="<u2").view("<f2").astype(np.float64)
    taps = every[np.abs(every) <= 1000.0]
    preset = make_preset()
    preset["room"]["ears"]["device"][1][0] = fir_text(taps, half=True)
    written = json.loads(_core.parse_preset(json.dumps(preset)).to_json())
    assert written["room"]["ears"]["device"][1][0] == preset["room"]["ears"]["device"][1][0]


def test_float16_with_low_and_high_bytes_in_turn_is_still_read():
    """As presets of 0.1.0 have it."""
    taps = np.random.default_rng(6).standard_normal(6000).astype("<f2")
    old, new = make_preset(), make_preset()
    old["room"]["ears"]["device"][1][0] = "f16:" + base64.b64encode(taps.tobytes()).decode()
    new["room"]["ears"]["device"][1][0] = fir_text(taps, half=True)
    assert _core.parse_preset(json.dumps(old)) == _core.parse_preset(json.dumps(new))
    np.testing.assert_array_equal(_core.decode_fir(fir_text(taps, half=True)), taps.astype(np.float32))


def fixed_point_taps(*, frames=5000, scale=0):
    """Every bit of 24 in use, and both ends of the scale."""
    samples = np.random.default_rng(7).integers(-(2**23) + 1, 2**23, frames)
    samples[:2] = 2**23 - 1, -(2**23) + 1
    return (samples * 2.0 ** (scale - 23)).astype(np.float32)


@pytest.mark.parametrize("scale", [-100, -3, 0, 9])
def test_long_filters_in_fixed_point_are_flac_to_the_bit(scale):
    taps = fixed_point_taps(scale=scale)
    text = _core.encode_fir(taps)
    assert text.startswith(f"flac{scale}:")
    np.testing.assert_array_equal(_core.decode_fir(text).view(np.uint32), taps.view(np.uint32))
    preset = make_preset()
    preset["room"]["ears"]["device"][1][0] = text
    assert json.loads(_core.parse_preset(json.dumps(preset)).to_json()) == preset


def test_anyone_reads_flac_of_a_preset():
    taps = fixed_point_taps(scale=2)
    stream = io.BytesIO(base64.b64decode(_core.encode_fir(taps).removeprefix("flac2:")))
    with soundfile.SoundFile(stream) as file:
        assert (file.samplerate, file.subtype) == (48_000, "PCM_24")
        np.testing.assert_array_equal(4.0 * file.read(dtype="float64"), taps)


def test_short_filters_in_fixed_point_stay_float32():
    taps = fixed_point_taps(frames=_core.LONG_TAPS)
    assert _core.encode_fir(taps) == fir_text(taps)


@pytest.mark.parametrize("beyond", [-0.0, 2**-24, 1.0 + 2**-23, 1e-38, np.nan, np.inf])
def test_long_filters_that_neither_flac_nor_float16_holds_stay_float32(beyond):
    taps = fixed_point_taps()
    taps[:3] = 0.75, 0.1, beyond
    assert _core.encode_fir(taps) == fir_text(taps)


def test_flac_of_another_encoder_is_written_as_it_was_read():
    """Another libFLAC finds other predictors, and has other texts for the same taps."""
    samples = np.round(np.random.default_rng(1).uniform(-0.9, 0.9, 5000) * 2**23) / 2**23
    text = flac_text(samples)
    assert text != _core.encode_fir(samples.astype(np.float32))
    assert _core.encode_fir(_core.decode_fir(text)) == text


def test_damaged_flac_is_refused():
    """Every cut, and a bit in a thousand: frames have checksums, and the header says how much there is."""
    text = _core.encode_fir(fixed_point_taps())
    stream = base64.b64decode(text.removeprefix("flac0:"))
    random = np.random.default_rng(8)

    def refused(damaged):
        with pytest.raises(_core.PresetError, match="is no FLAC of one channel"):
            _core.decode_fir("flac0:" + base64.b64encode(damaged).decode())

    for size in range(0, len(stream), 97):
        refused(stream[:size])
    for at in random.integers(42, len(stream), 100):
        refused(stream[:at] + bytes([stream[at] ^ 1 << random.integers(8)]) + stream[at + 1 :])


def test_written_preset_is_stable():
    text = _core.parse_preset(json.dumps(make_preset())).to_json()
    assert _core.parse_preset(text).to_json() == text


def test_optional_keys_may_be_absent():
    preset = make_preset()
    for key in ("text", "room", "analysis", "maps", "directions", "design"):
        del preset[key]
    for filters in preset["filters"]:
        del filters["beam"]
        del filters["phantom"]
        filters["driver_eq"] = []
    text = _core.parse_preset(json.dumps(preset)).to_json()
    for key in ("text", "room", "analysis", "maps", "directions", "design", "beam", "phantom", "driver_eq"):
        assert f'"{key}"' not in text


def test_bass_that_drivers_leave_to_others_or_out_is_kept():
    preset = make_preset()
    preset["drivers"][0]["high_pass_hz"] = 120.5
    for filters in preset["filters"]:
        filters["bass"] = [["", "", ""], ["", "", ""], ["", impulse_text(at=1), ""]]
    read = _core.parse_preset(json.dumps(preset))
    written = json.loads(read.to_json())
    assert written["filters"][3]["bass"] == preset["filters"][3]["bass"]
    assert written["drivers"] == preset["drivers"]
    assert [len(fir) for row in read.filters(48_000).bass for fir in row] == [0] * 7 + [8, 0]
    for filters in preset["filters"]:
        filters["driver_eq"] = []
    assert "/filters/0/bass: is there without driver_eq; drivers that leave their bass" in message_of(
        json.dumps(preset)
    )


def test_design_is_kept_whatever_it_holds():
    design = {"list": [1, 2.5, [True, None]], "nested": nested(20), "schema": 99, "text": 'quote " and \\ and ü'}
    text = _core.parse_preset(changed("/design", design)).to_json()
    assert json.loads(text)["design"] == design


STRUCTURE = [
    ("/filters/0/delay_ms", 3, '/filters/0: unknown key "delay_ms"; did you mean "delay_frames"? (keys: sample_rate, '),
    ("/Name", "x", 'top level: unknown key "Name"; did you mean "name"?'),
    ("/schema", 3, "/schema: is 3; this version reads up to 2: update Forestage"),
    ("/schema", "1", '/schema: is "1"; must be a whole number'),
    ("/name", "", "/name: is empty"),
    ("/name", 5, "/name: is 5; must be text"),
    ("/name", "ü" * 101, "/name: has 101 characters; at most 100"),
    ("/device", "two\nlines", '/device: is "two\\nlines"; must be one line'),
    ("/drivers", [], "/drivers: has 0 items; must have from 2 to 16"),
    ("/drivers/1/name", "driver 0", '/drivers/1/name: is "driver 0", which an earlier one has'),
    ("/drivers/2/plain_left_gain", "1", '/drivers/2/plain_left_gain: is "1"; must be a number'),
    ("/filters/2/sample_rate", 50_000, "/filters/2/sample_rate: is 50000; must be one of 44100, 48000"),
    ("/filters/2/sample_rate", 48_000, "/filters/2/sample_rate: is 48000, which an earlier set has"),
    ("/filters/2/delay_frames", 4.5, "/filters/2/delay_frames: is 4.5; must be a whole number"),
    ("/filters/2/delay_frames", -1, "/filters/2/delay_frames: is -1; must be a whole number from 0"),
    ("/filters/2/delay_frames", True, "/filters/2/delay_frames: is true; must be a whole number"),
    ("/filters/2/delay_frames", 8, "/filters/2/cancel/0/0: has 8 taps; must have more than its delay_frames of 8"),
    ("/filters/4/cancel", [["", ""]] * 2, "/filters/4/cancel: has 2 rows; must have one for each of the 3 drivers"),
    ("/filters/4/beam", [""] * 4, "/filters/4/beam: has 4 rows"),
    ("/filters/4/driver_eq", [""], "/filters/4/driver_eq: has 1 rows"),
    ("/filters/4/bass", [[""] * 3] * 2, "/filters/4/bass: has 2 rows; must have one for each of the 3 drivers"),
    ("/filters/4/bass", [[""] * 3, [""] * 2, [""] * 3], "/filters/4/bass/1: has 2 rows; must have one for each of the"),
    ("/filters/4/bass", [""] * 3, '/filters/4/bass/0: is ""; must be an array'),
    ("/drivers/2/high_pass_hz", 0, "/drivers/2/high_pass_hz: is 0; must be a number from 1 to 96000 Hz"),
    ("/filters/1/cancel_align_frames", 47_000, "/filters/1: delays add up to 47007 frames; at most a quarter"),
    ("/ears/delay_frames", 6001, "/ears/delay_frames: is 6001; at most an eighth of a second, 6000"),
    ("/filters/4/crosstalk", [""], "/filters/4/crosstalk: has 1 filters; must have 2"),
    ("/filters/4/crosstalk", [], "/filters/4/crosstalk_delay_frames: is 3 without crosstalk filters; must be 0"),
    ("/filters/4/cancel/1", [""], "/filters/4/cancel/1: is an array of 1; must be an array of 2"),
    ("/ears/device/1", ["", ""], "/ears/device/1: has 2 rows"),
    ("/ears/reference", [["", ""]], "/ears/reference: is an array of 1; must be an array of 2"),
    (
        "/ears/device/1/0",
        impulse_text(at=2, frames=96_001),
        "/ears/device/1/0: has 96001 taps; at most 2 seconds, 96000, would be right",
    ),
    ("/ears/delay_frames", 100, "/ears/device/0/0: has 8 taps; must have more"),
    ("/room/ears/delay_frames", 3, "/room/ears/delay_frames: is 3; must be as in the ears of the free field, 2"),
    ("/room/ears/sample_rate", 44_100, "/room/ears/sample_rate: is 44100; must be as in the ears of the free field"),
    ("/room/ears/device/0", [""], "/room/ears/device/0: has 1 items; must have from 2 to 16"),
    ("/room/name", "", "/room/name: is empty; it needs 1 character"),
    ("/loudness", None, "/loudness: is null; must be an object"),
    ("/loudness/processed_db", 1e39, "/loudness/processed_db: is 1e+39; must be a number from -60 to 60 dB"),
    ("/analysis/0/values", [1], "/analysis/0/values: has 1 items; must have one for each of the 3 frequencies"),
    ("/analysis/0/frequency_hz/1", 50, "/analysis/0/frequency_hz/1: is 50 after 100; frequencies must rise"),
    (
        "/maps/0/values",
        [1] * 5,
        "/maps/0/values: has 5 items; must have one for each of the 6 seats (2 distances times 3",
    ),
    ("/maps/0/values/4", "9", '/maps/0/values/4: is "9"; must be a number from -1e+09'),
    (
        "/directions/drivers",
        [fir_text(np.zeros(12))] * 2,
        "/directions/drivers: has 2 items; must have one for each of the 3",
    ),
    (
        "/directions/drivers/1",
        fir_text(np.ones(10)),
        "/directions/drivers/1: has 10 values; must have 12, two for each direction and frequency",
    ),
    ("/directions/azimuth_deg/1", -90, "/directions/azimuth_deg/1: is -90 after -90; directions must rise"),
    ("/maps/0/lateral_m/2", -0.5, "/maps/0/lateral_m/2: is -0.5 after 0; places must rise"),
    ("/maps/0/distance_m/1", 1, "/maps/0/distance_m/1: is 1 after 1; places must rise"),
    ("/maps/0/distance_m/0", -1, "/maps/0/distance_m/0: is -1; must be a number from 0 to 1000 m"),
    ("/maps/0/lateral_m", [], "/maps/0/lateral_m: has 0 items; must have from 1 to 1024"),
    ("/maps/0/frequency_hz", [1], '/maps/0: unknown key "frequency_hz"'),
    ("/maps", 2 * make_preset()["maps"], '/maps/1/name: is "separation", which an earlier one has'),
    ("/maps", [{"name": "separation"}], '/maps/0: no key "unit"; it is required'),
    ("/design", "text", '/design: is "text"; must be an object'),
    ("/design/deep", nested(40), "more than 32 levels of nesting"),
]

PARAMETERS = [
    ("/parameters/stage_width", 30, '/parameters: unknown key "stage_width"; did you mean "stage_width_deg"?'),
    ("/parameters/bypass", 1, "/parameters/bypass: belongs to the session, not to a preset"),
    ("/parameters/amount", 101, "/parameters/amount: is 101; must be a number from 0 to 100"),
    ("/parameters/stage_width_deg", "30", '/parameters/stage_width_deg: is "30"; must be a number from 0 to 90 deg'),
    ("/parameters/level_match", 0.5, "/parameters/level_match: is 0.5; must be a whole number from 0 to 2"),
    ("/parameters/level_match", True, "/parameters/level_match: is true; must be a whole number"),
]

TAPS = [
    (fir_text([0.0] * 17 + [np.nan]), "tap 17 is NaN; taps must be finite"),
    (fir_text([np.inf]), "tap 0 is infinite; taps must be finite"),
    (fir_text([0.0, -1e9]), "tap 1 is -1e+09; taps must be within +-1000"),
    (fir_text(np.zeros(140_000)), "has 746668 characters; a filter has at most 131072 taps"),
    ("AAAAAA", "has 6 characters; base64 has a multiple of 4 (truncated?)"),
    ("AAAA*AA=", 'character 4 is "*"; base64 has'),
    ("AAAA=AA=", 'character 4 is "="; base64 has'),
    ("AAAAAAA\n", 'character 7 is "\\n"; base64 has'),
    ("AAAAAB==", "ends in bits that belong to no byte"),
    ("AAAAAAA=", "holds 5 bytes; float32 taps take a multiple of 4"),
    ("f16:AAAA", "holds 3 bytes; float16 taps take a multiple of 2"),
    ("f16p:AAAA", "holds 3 bytes; float16 taps take a multiple of 2"),
    ("f16:AHw=", "tap 0 is infinite; taps must be finite"),
    ("f16:AH4=", "tap 0 is NaN; taps must be finite"),
    ("flac:AAAA", 'begins with "flac"; "flac", a whole number from -100 to 10 and a colon would be right'),
    ("flac11:AAAA", 'begins with "flac11"'),
    ("flac1.5:AAAA", 'begins with "flac1.5"'),
    ("flac0:AAAA", "is no FLAC of one channel with 24 bits and at most 131072 taps, or it is damaged"),
    ("flac0:", "is no FLAC of one channel"),
    ("flac0:****", 'character 0 is "*"; base64 has'),
    (flac_text(np.zeros((5000, 2))), "is no FLAC of one channel"),
    (flac_text(np.zeros(5000), subtype="PCM_16"), "is no FLAC of one channel"),
    (flac_text(np.zeros(131_073)), "is no FLAC of one channel"),
    (flac_text(np.ones(5000), scale=10), "tap 0 is 1023.9999; taps must be within +-1000"),
    ("f64:AAAA", 'character 3 is ":"; base64 has'),
    ([0.0, 1.0], "is an array of 2; must be the base64 text of float32 taps, FLAC or float16 taps"),
]

VALID = json.dumps(make_preset())

TEXTS = [
    ("", "not JSON at byte 0, line 1, the end of the text (truncated?)"),
    ("hello", "not JSON at byte 1, line 1: invalid literal"),
    ("42", "top level: is 42; must be an object"),
    (VALID[:300], "not JSON at byte 300, line 1, the end of the text (truncated?), inside /drivers/1/name: "),
    (VALID[:-1], "the end of the text (truncated?), inside /design"),
    (VALID + "}", f"not JSON at byte {len(VALID) + 1}, line 1"),
    (VALID.replace('"device"', '\n\n"device" = ', 1), ", line 3, inside /device: "),
    ('{"schema": 1, "name": "x", "name": "y"}', "/name: key appears twice"),
    ('{"schema": 1, "loudness": {"processed_db": NaN}}', "inside /loudness/processed_db: invalid literal"),
    ('{"schema": 1, "loudness": {"processed_db": 1e999}}', "inside /loudness/processed_db: number overflow"),
    (VALID.encode().replace(b"Tiny", b"Ti\xff"), "inside /name: invalid string: ill-formed UTF-8 byte"),
    ("[" * 1000, "more than 32 levels of nesting"),
    ('{"a":' * 1000, "/a/a: more than 32 levels of nesting"),
]


def message_of(text: str | bytes) -> str:
    with pytest.raises(_core.PresetError) as caught:
        _core.parse_preset(text)
    return str(caught.value)


@pytest.mark.parametrize(("path", "value", "message"), STRUCTURE + PARAMETERS)
def test_wrong_value_is_named_with_its_place(path, value, message):
    assert message in message_of(changed(path, value))


@pytest.mark.parametrize(("taps", "message"), TAPS)
def test_wrong_taps_are_named_with_their_place(taps, message):
    assert "/filters/1/cancel/0/1: " + message in message_of(changed("/filters/1/cancel/0/1", taps))


@pytest.mark.parametrize(("text", "message"), TEXTS)
def test_wrong_text_is_named_with_its_place(text, message):
    assert message in message_of(text)


@pytest.mark.parametrize(
    "key", sorted(set(make_preset()) - {"text", "room", "analysis", "maps", "directions", "design"})
)
def test_missing_key_is_named(key):
    assert f'top level: no key "{key}"; it is required' in message_of(changed(f"/{key}", remove=True))


@pytest.mark.parametrize("index", range(6))
def test_missing_sample_rate_is_named(index):
    message = message_of(changed(f"/filters/{index}", remove=True))
    assert f"/filters: no filters for {SAMPLE_RATES[index]} Hz; all of 44100" in message


def test_schema_from_the_future_is_blamed_before_its_new_keys():
    preset = make_preset() | {"schema": 3, "new_key": 1}
    assert "/schema: is 3; this version reads up to 2: update Forestage" in message_of(json.dumps(preset))


def test_preset_error_is_a_value_error():
    assert issubclass(_core.PresetError, ValueError)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"[" * (65 * MIB), "has 68157440 bytes; at most 67108864 are read"),
        (b"[" * (32 * MIB), "more than 32 levels of nesting"),
        (b'{"a":' * (6 * MIB), "more than 32 levels of nesting"),
        (b"[" + b"0," * (16 * MIB) + b"0]", "more than 1048576 values in one file"),
        (b'{"' + b"x" * (32 * MIB) + b'":0}', 'top level: no key "schema"'),
    ],
    ids=["too long", "arrays", "objects", "values", "key"],
)
def test_hostile_text_fails_fast(text, message):
    """Read whole, each would take seconds or gigabytes."""
    start = time.process_time()
    assert message in message_of(text)
    assert time.process_time() - start < 2.0


@pytest.mark.slow
def test_damaged_text_is_an_error_or_a_preset_and_nothing_else():
    rng = np.random.default_rng(11)
    text = VALID.encode()
    for _ in range(2000):
        damaged = bytearray(text)
        for position in rng.integers(len(text), size=3):
            damaged[position] = rng.integers(256)
        try:
            preset = _core.parse_preset(bytes(damaged))
        except _core.PresetError:
            continue
        assert _core.parse_preset(preset.to_json()).name == preset.name


@cache
def schema_validator():
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - half a second, for the worker that needs it

    schema = json.loads(_core.preset_schema())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_valid_preset_passes_the_schema():
    schema_validator().validate(make_preset())
    schema_validator().validate(json.loads(_core.parse_preset(VALID).to_json()))


# The parser alone knows what spans fields, and what taps hold.
BEYOND_THE_SCHEMA = (
    "of a second",
    "delays add up",
    " rows",
    "/crosstalk",
    " taps; ",
    "as in the ears of the free field",
    "which an earlier",
    "one for each",
    "two for each",
    "must rise",
    "levels of nesting",
)


WITHIN_THE_SCHEMA = [row for row in STRUCTURE + PARAMETERS if not any(part in row[2] for part in BEYOND_THE_SCHEMA)]


@pytest.mark.parametrize(("path", "value"), [row[:2] for row in WITHIN_THE_SCHEMA])
def test_schema_rejects_what_the_parser_rejects(path, value):
    assert not schema_validator().is_valid(json.loads(changed(path, value)))


def test_whole_number_may_be_written_with_a_point():
    """As JSON Schema has it, 48000.0 is a whole number."""
    preset = make_preset()
    preset["filters"][1]["sample_rate"] = 48000.0
    schema_validator().validate(preset)
    assert _core.parse_preset(json.dumps(preset)).sample_rates == list(SAMPLE_RATES)


@pytest.mark.parametrize(
    ("load", "message"),
    [
        (forestage.load_preset, "preset is 42, of type int; a name, a path, a dict or a Preset would be right"),
        (forestage.load_headphone_eq, "headphone_eq is 42, of type int; a path, or a HeadphoneEq would be right"),
        (forestage.load_device, "path is 42, of type int; a name, or that of a device file would be right"),
        (forestage.load_chain, r"path is 42, of type int; that of a chain \(\.toml\) would be right"),
    ],
)
def test_an_argument_of_another_type_is_named(load, message):
    with pytest.raises(TypeError, match=message):
        load(42)
