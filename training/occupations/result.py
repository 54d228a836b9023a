"""Checks a finished run, and with --into takes its adapter over into a model's folder.

python -m occupations.result DIR [--into models/NAME [--replace]]

Prints the files as models/manifest.json pins them. Needs nothing but Python.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import shutil
import struct
import sys
from pathlib import Path

SETTINGS = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
LOG = "training.jsonl"
CARD = "README.md"
BASE = "all-MiniLM-L6-v2"
# What a repository should carry for ever.
LIMIT_BYTES = 3_000_000
PREFIX = "base_model.model."
ENDS = (".lora_A.weight", ".lora_B.weight")


class ResultError(Exception):
    """What came out of a run is not what the service reads, or not the end of the run."""


def check(folder: Path) -> dict[str, object]:
    """Figures of the result in `folder`; raises `ResultError` where it should not be taken over."""
    settings = _json(folder / SETTINGS)
    rank = settings.get("r")
    for field, value in (("peft_type", "LORA"), ("bias", "none"), ("use_dora", False), ("fan_in_fan_out", False)):
        if settings.get(field) != value:
            raise ResultError(f"{folder / SETTINGS}: {field} is {settings.get(field)!r} instead of {value!r}")
    if not isinstance(rank, int) or rank < 1:
        raise ResultError(f"{folder / SETTINGS}: r is {rank!r}, no rank")
    base = str(settings.get("base_model_name_or_path"))
    if base.split("/")[-1] != BASE:
        raise ResultError(f"{folder / SETTINGS}: it is made for {base!r}, not {BASE}")
    size, layers = _check_weights(folder / WEIGHTS, rank)
    measured = _last_measures(folder / LOG)
    return {"bytes": size, "layers": layers, "rank": rank, "measured": measured}


def adopt(folder: Path, target: Path, replace: bool) -> None:
    """Copies settings and weights into `target`. Other ones that are there are only replaced where `replace` says so:
    their sums are pinned, and vectors in use come from them."""
    names = (SETTINGS, WEIGHTS)
    changed = [name for name in names if (target / name).is_file() and _sum(target / name) != _sum(folder / name)]
    if changed and not replace:
        raise ResultError(
            f"{target} has another adapter ({', '.join(changed)}); its sums are pinned in models/manifest.json.\n"
            "To replace it: make adopt-encoder OUT=DIR REPLACE=1"
        )
    target.mkdir(parents=True, exist_ok=True)
    for name in names:
        # Beside its place and renamed: a reader sees the old file or the new one.
        fresh = target / f".{name}.new"
        shutil.copyfile(folder / name, fresh)
        fresh.replace(target / name)


def pins(folder: Path) -> list[dict[str, object]]:
    """The files of a model's folder as the manifest names them."""
    return [
        {"path": name, "sha256": _sum(folder / name), "bytes": (folder / name).stat().st_size}
        for name in sorted((CARD, SETTINGS, WEIGHTS))
        if (folder / name).is_file()
    ]


def _json(path: Path) -> dict[str, object]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ResultError(f"{path} is missing: the run has not come to its first measure") from None
    except ValueError as error:
        raise ResultError(f"{path} is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise ResultError(f"{path} is no JSON object")
    return value


def _check_weights(path: Path, rank: int) -> tuple[int, int]:
    """Size in bytes and number of changed layers."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ResultError(f"{path} is missing: the run has not come to its first measure") from None
    if len(content) > LIMIT_BYTES:
        raise ResultError(f"{path} has {len(content):,} bytes, more than {LIMIT_BYTES:,}: take a lower rank")
    try:
        (length,) = struct.unpack_from("<Q", content)
        header = json.loads(content[8 : 8 + length])
        header.pop("__metadata__", None)
        tensors = {name: (entry["dtype"], entry["shape"], entry["data_offsets"]) for name, entry in header.items()}
    except (struct.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResultError(f"{path} is no safetensors file: {error}") from error
    data = content[8 + length :]
    layers: dict[str, set[str]] = {}
    for name, (kind, shape, (start, end)) in tensors.items():
        tail = next((tail for tail in ENDS if name.endswith(tail)), None)
        if tail is None or not name.startswith(PREFIX):
            raise ResultError(f"{path}: the tensor {name} is no part of a low-rank adapter")
        if kind != "F16":
            raise ResultError(f"{path}: the tensor {name} is {kind}, not F16")
        if len(shape) != 2 or shape[0 if tail == ENDS[0] else 1] != rank or end - start != 2 * shape[0] * shape[1]:
            raise ResultError(f"{path}: the tensor {name} has the shape {shape}, which does not go with rank {rank}")
        if end > len(data):
            raise ResultError(f"{path} is cut off at {len(content):,} bytes")
        values = struct.unpack(f"<{(end - start) // 2}e", data[start:end])
        if not all(map(math.isfinite, values)):
            raise ResultError(f"{path}: the tensor {name} has numbers that are not finite")
        if not any(values):
            raise ResultError(f"{path}: the tensor {name} is all zero, so the layer is as it was")
        layers.setdefault(name[: -len(tail)], set()).add(tail)
    lone = sorted(layer for layer, tails in layers.items() if len(tails) != len(ENDS))
    if lone or not layers:
        raise ResultError(f"{path}: " + (f"{lone[0]} has one matrix of two" if lone else "it changes no layer"))
    return len(content), len(layers)


def _last_measures(path: Path) -> dict[str, object]:
    """Measures after the last step; an adapter that was written before it is not the recipe's."""
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        steps = lines[0]["recipe"]["steps"]
        last = lines[-1]
    except FileNotFoundError:
        raise ResultError(f"{path} is missing: nothing tells how the adapter was made") from None
    except (ValueError, IndexError, KeyError, TypeError) as error:
        raise ResultError(f"{path} is no log of a run: {error!r}") from error
    if "measured" not in last or last.get("step") != steps - 1:
        raise ResultError(f"{path} ends at step {last.get('step')} of {steps}: the run did not come to its end")
    return last["measured"]


def _sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="what occupations.train wrote")
    parser.add_argument("--into", type=Path, help="the model's folder to take the adapter over into")
    parser.add_argument("--replace", action="store_true", help="also where another adapter is there")
    options = parser.parse_args()
    try:
        figures = check(options.folder)
        place = options.folder
        if options.into is not None:
            adopt(options.folder, options.into, options.replace)
            place = options.into
    except ResultError as error:
        sys.exit(f"error: {error}")
    print(json.dumps({**figures, "files": pins(place)}, indent=2))


if __name__ == "__main__":
    main()
