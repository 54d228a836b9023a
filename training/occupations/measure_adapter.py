"""Measures the base model, and an adapter on it, on development collections; prints one JSON document.

python -m occupations.measure_adapter --base models/all-MiniLM-L6-v2 --retrieval DIR [--adapter DIR]
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import torch

from .encoder import SentenceEncoder
from .release import ReleaseError, read_collection
from .train import measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", type=Path, required=True, help="folder of all-MiniLM-L6-v2")
    parser.add_argument("--retrieval", type=Path, required=True, help="folder with the development collections")
    parser.add_argument("--adapter", type=Path, help="folder of an adapter; the base model alone where left out")
    parser.add_argument("--collections", nargs="+", default=["onet_titles_dev", "onet_related"], metavar="NAME")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    try:
        collections = {name: read_collection(options.retrieval / name) for name in options.collections}
    except ReleaseError as error:
        sys.exit(str(error))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    result = {}
    for name, adapter in (("base", None), ("adapter", options.adapter)):
        if name == "adapter" and adapter is None:
            continue
        encoder = SentenceEncoder(options.base)
        if adapter is not None:
            encoder.load_adapter(adapter)
        encoder.model.to(device)
        result[name] = measured(encoder, collections)
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
