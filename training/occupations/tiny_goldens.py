"""Writes a tiny BERT, an adapter for it and vectors of both merged by PEFT: merging is tested without the big model.

python -m occupations.tiny_goldens --out Tests/EmbedderTests/Goldens/tiny-adapter

All numbers are drawn from one seed. The adapter leaves some dense layers alone, so that names matter.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from transformers import AutoModel, BertConfig, BertModel

from .export import write_adapter
from .goldens import rounded, unit_vector

SEED = 11
SHAPE = {
    "vocab_size": 100,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
    "type_vocab_size": 2,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
    "pad_token_id": 0,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
TARGETS = (
    r"encoder\.layer\.(0\.attention\.self\.(query|value)|0\.attention\.output\.dense"
    r"|1\.(attention\.self\.(query|key|value)|attention\.output\.dense|intermediate\.dense|output\.dense))"
)
LENGTHS = (1, 2, 3, 5, 8, 13, 16, 17, 31, 32, 48, 64)


def write_base(folder: Path) -> None:
    """A BERT whose numbers are large enough that attention is not uniform."""
    folder.mkdir(parents=True, exist_ok=True)
    model = BertModel(BertConfig(**SHAPE), add_pooling_layer=False)
    state = {}
    for name, tensor in sorted(model.state_dict().items()):
        if "position_ids" in name or "token_type_ids" in name:
            continue
        around = 1.0 if name.endswith("LayerNorm.weight") else 0.0
        state[name] = around + 0.3 * torch.randn(tensor.shape)
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    settings = {"model_type": "bert", "architectures": ["BertModel"], "dtype": "float32", **SHAPE}
    (folder / "config.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def load_base(folder: Path) -> torch.nn.Module:
    return AutoModel.from_pretrained(folder, add_pooling_layer=False, attn_implementation="eager").float().eval()


def write_random_adapter(base: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    model = get_peft_model(load_base(base), LoraConfig(r=4, lora_alpha=6, target_modules=TARGETS, bias="none"))
    with torch.no_grad():
        for name, weight in sorted(model.named_parameters()):
            if "lora_" in name:
                weight.copy_(0.2 * torch.randn(weight.shape))
    write_adapter(model, folder, base="tests/base")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for base/, adapter/ and goldens.jsonl")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    base, adapter = options.out / "base", options.out / "adapter"
    write_base(base)
    write_random_adapter(base, adapter)
    # The files are read back, so that what is compared with is PEFT's reading of them.
    merged = PeftModel.from_pretrained(load_base(base), adapter).merge_and_unload().float().eval()
    lines = []
    for length in LENGTHS:
        tokens = torch.randint(0, SHAPE["vocab_size"], (length,)).tolist()
        lines.append(json.dumps({"tokens": tokens, "embedding": rounded(unit_vector(merged, tokens))}))
    (options.out / "goldens.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    # save_file makes files that only their owner reads.
    for path in (base / "model.safetensors", adapter / "adapter_model.safetensors"):
        os.chmod(path, 0o644)


if __name__ == "__main__":
    main()
