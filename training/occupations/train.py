"""Trains the adapter and writes it, with a log of every step.

python -m occupations.train --onet DIR --base models/all-MiniLM-L6-v2 --retrieval DIR --out DIR
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from .batches import BatchMaker, Mix
from .contrast import contrastive_loss
from .encoder import SentenceEncoder
from .export import write_adapter
from .measure import retrieval_measures
from .release import Collection, ReleaseError, folded, read_collection, read_release


@dataclass(frozen=True)
class Recipe:
    """What a run is made of. With the same recipe, release and machine the adapter comes out the same."""

    seed: int = 7
    steps: int = 1200
    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    strength: float = 0.5625
    learning_rate: float = 1e-3
    warm_up: int = 60
    temperature: float = 0.05
    weight_decay: float = 0.01
    clip: float = 1.0
    max_tokens: int = 40
    mine_every: int = 400
    measure_every: int = 200
    threads: int = 2


def learning_rate(recipe: Recipe, step: int) -> float:
    """Linear warm-up, then half a cosine down to a twentieth."""
    if step < recipe.warm_up:
        return recipe.learning_rate * (step + 1) / recipe.warm_up
    done = (step - recipe.warm_up) / max(1, recipe.steps - recipe.warm_up)
    return recipe.learning_rate * (0.05 + 0.95 * (1 + math.cos(math.pi * done)) / 2)


def vectors_by_length(encoder: SentenceEncoder, texts: list[str], max_tokens: int, parts: int = 6) -> torch.Tensor:
    """As `encoder.forward`, in a few parts of like length: half of a mixed batch would be padding."""
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    size = math.ceil(len(order) / parts)
    pieces = [order[start : start + size] for start in range(0, len(order), size)]
    stacked = torch.cat([encoder.forward([texts[index] for index in piece], max_tokens) for piece in pieces])
    back = torch.empty(len(order), dtype=torch.long, device=stacked.device)
    back[torch.tensor([index for piece in pieces for index in piece], device=stacked.device)] = torch.arange(
        len(order), device=stacked.device
    )
    return stacked[back]


def measured(encoder: SentenceEncoder, collections: dict[str, Collection]) -> dict[str, dict[str, float]]:
    """Measures of plain texts, one vector each, on each collection."""
    return {
        name: retrieval_measures(
            encoder.vectors([text for _, text in collection.queries]),
            encoder.vectors([text for _, text in collection.corpus]),
            collection,
        )
        for name, collection in collections.items()
    }


def train(onet: Path, base: Path, retrieval: Path, out: Path, recipe: Recipe, mix: Mix) -> None:
    """Trains and writes `out/adapter_model.safetensors`, `out/adapter_config.json` and `out/training.jsonl`."""
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(recipe.threads)
    torch.use_deterministic_algorithms(True)
    collections = {name: read_collection(retrieval / name) for name in ("onet_titles_dev", "onet_related")}
    held_out = {folded(text) for _, text in collections["onet_titles_dev"].queries}
    release = read_release(onet, held_out)
    encoder = SentenceEncoder(base)
    encoder.adapt(recipe.rank, recipe.alpha, recipe.dropout)
    encoder.model.to("cuda" if torch.cuda.is_available() else "cpu")
    batches = BatchMaker(release, mix, recipe.seed)
    weights = [weight for weight in encoder.model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    out.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with (out / "training.jsonl").open("w", encoding="utf-8") as log:

        def note(**values: object) -> None:
            line = json.dumps({**values, "seconds": round(time.monotonic() - started, 1)})
            log.write(line + "\n")
            log.flush()
            print(line, file=sys.stderr, flush=True)

        note(recipe=asdict(recipe), mix=asdict(mix), titles=len(release.titles), held_out=len(held_out))
        encoder.model.train()
        for step in range(recipe.steps):
            if step % recipe.mine_every == 0:
                batches.mine(encoder.vectors(batches.texts_to_mine()))
                note(step=step, mined=int((batches.hard >= 0).sum()))
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(recipe, step)
            batch = batches.draw()
            vectors = vectors_by_length(encoder, batch.texts, recipe.max_tokens)
            allowed = torch.from_numpy(batch.allowed).to(vectors.device)
            loss = contrastive_loss(vectors, allowed, recipe.temperature)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(weights, recipe.clip)
            if not torch.isfinite(loss):
                raise RuntimeError(f"the loss is {loss.item()} at step {step}")
            optimizer.step()
            note(step=step, loss=round(loss.item(), 5), gradient=round(norm.item(), 4), lr=learning_rate(recipe, step))
            if (step + 1) % recipe.measure_every == 0 or step + 1 == recipe.steps:
                note(step=step, measured=measured(encoder, collections))
                write_adapter(encoder.model, out, strength=recipe.strength)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--onet", type=Path, required=True, help="folder of O*NET's text release")
    parser.add_argument("--base", type=Path, required=True, help="folder of all-MiniLM-L6-v2")
    parser.add_argument("--retrieval", type=Path, required=True, help="folder with the development collections")
    parser.add_argument("--out", type=Path, required=True, help="where the adapter and the log go")
    defaults = Recipe()
    for name, value in asdict(defaults).items():
        parser.add_argument("--" + name.replace("_", "-"), type=type(value), default=value)
    arguments = vars(parser.parse_args())
    recipe = Recipe(**{name: arguments[name] for name in asdict(defaults)})
    # On a GPU matrix products repeat themselves with a workspace of fixed size alone; read when CUDA starts.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    try:
        train(arguments["onet"], arguments["base"], arguments["retrieval"], arguments["out"], recipe, Mix())
    except ReleaseError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
