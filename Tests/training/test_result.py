"""Looking at what a run wrote, and taking it over."""

import hashlib
import json
import struct

import pytest
from occupations import result

SETTINGS = {
    "peft_type": "LORA", "base_model_name_or_path": "sentence-transformers/all-MiniLM-L6-v2", "r": 2, "lora_alpha": 4,
    "bias": "none", "fan_in_fan_out": False, "use_dora": False,
}
LAYER = "base_model.model.encoder.layer.0.output.dense"


def tensors(**changed):
    return {f"{LAYER}.lora_A.weight": [2, 3], f"{LAYER}.lora_B.weight": [4, 2], **changed}


def write_run(folder, settings=None, shapes=None, kind="F16", value=0.5, last_step=9, cut=0):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / result.SETTINGS).write_text(json.dumps(settings or SETTINGS), encoding="utf-8")
    header, data = {}, b""
    for name, shape in (shapes or tensors()).items():
        block = struct.pack(f"<{shape[0] * shape[1]}e", *[value] * (shape[0] * shape[1]))
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [len(data), len(data) + len(block)]}
        data += block
    text = json.dumps(header).encode()
    content = struct.pack("<Q", len(text)) + text + data
    (folder / result.WEIGHTS).write_bytes(content[: len(content) - cut])
    log = [{"recipe": {"steps": 10}}, {"step": 9, "loss": 1.0}, {"step": last_step, "measured": {"dev": {"map": 0.5}}}]
    (folder / result.LOG).write_text("".join(json.dumps(line) + "\n" for line in log), encoding="utf-8")
    return folder


def test_a_whole_result_is_told_in_figures(tmp_path):
    folder = write_run(tmp_path / "run")
    size = (folder / result.WEIGHTS).stat().st_size
    assert result.check(folder) == {"bytes": size, "layers": 1, "rank": 2, "measured": {"dev": {"map": 0.5}}}


@pytest.mark.parametrize("changed, message", [
    ({"settings": {**SETTINGS, "use_dora": True}}, "use_dora is True instead of False"),
    ({"settings": {**SETTINGS, "r": 0}}, "r is 0, no rank"),
    ({"settings": {**SETTINGS, "base_model_name_or_path": "x/other"}}, "not all-MiniLM-L6-v2"),
    ({"kind": "F32"}, "is F32, not F16"),
    ({"value": 0}, "is all zero"),
    ({"value": float("nan")}, "not finite"),
    ({"cut": 2}, "is cut off"),
    ({"shapes": tensors(**{"classifier.weight": [2, 2]})}, "no part of a low-rank adapter"),
    ({"shapes": {f"{LAYER}.lora_A.weight": [2, 3]}}, "has one matrix of two"),
    ({"shapes": tensors(**{f"{LAYER}.lora_A.weight": [3, 3]})}, "does not go with rank 2"),
    ({"last_step": 5}, "the run did not come to its end"),
])
def test_what_should_not_be_taken_over_is_refused(tmp_path, changed, message):
    with pytest.raises(result.ResultError, match=message):
        result.check(write_run(tmp_path / "run", **changed))


def test_weights_that_are_too_large_are_refused(tmp_path, monkeypatch):
    folder = write_run(tmp_path / "run")
    monkeypatch.setattr(result, "LIMIT_BYTES", (folder / result.WEIGHTS).stat().st_size - 1)
    with pytest.raises(result.ResultError, match="take a lower rank"):
        result.check(folder)


@pytest.mark.parametrize("name", [result.SETTINGS, result.WEIGHTS, result.LOG])
def test_a_missing_file_is_named(tmp_path, name):
    folder = write_run(tmp_path / "run")
    (folder / name).unlink()
    with pytest.raises(result.ResultError, match=f"{name} is missing"):
        result.check(folder)


def test_another_adapter_is_only_replaced_on_request(tmp_path):
    old, new, target = write_run(tmp_path / "old"), write_run(tmp_path / "new", value=0.25), tmp_path / "model"
    result.adopt(old, target, replace=False)
    result.adopt(old, target, replace=False)
    with pytest.raises(result.ResultError, match="REPLACE=1"):
        result.adopt(new, target, replace=False)
    assert (target / result.WEIGHTS).read_bytes() == (old / result.WEIGHTS).read_bytes()
    result.adopt(new, target, replace=True)
    assert (target / result.WEIGHTS).read_bytes() == (new / result.WEIGHTS).read_bytes()
    assert sorted(path.name for path in target.iterdir()) == [result.SETTINGS, result.WEIGHTS]


def test_pins_are_sizes_and_sums(tmp_path):
    folder = write_run(tmp_path / "run")
    (folder / result.CARD).write_text("card", encoding="utf-8")
    pins = result.pins(folder)
    assert [pin["path"] for pin in pins] == sorted([result.CARD, result.SETTINGS, result.WEIGHTS])
    assert pins[0] == {"path": "README.md", "sha256": hashlib.sha256(b"card").hexdigest(), "bytes": 4}
