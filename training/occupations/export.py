"""Writes the adapter in PEFT's own format, in float16: any program that knows PEFT can read it."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from peft import PeftModel, get_peft_model_state_dict
from safetensors.torch import save_file


BASE = "sentence-transformers/all-MiniLM-L6-v2"


def write_adapter(model: PeftModel, folder: Path, base: str = BASE, strength: float = 1) -> None:
    """Writes `adapter_model.safetensors` and `adapter_config.json`: the fields that say what the numbers mean.

    `strength` is how much of what was trained goes into the model: merged, α is that share of the one in training. Between
    0 and 1 the weights lie between those of the base model and those that were trained (Wortsman et al., Robust fine-tuning
    of zero-shot models, 2022).
    """
    state = {
        name: tensor.detach().to("cpu", torch.float16).contiguous()
        for name, tensor in sorted(get_peft_model_state_dict(model).items())
    }
    save_file(state, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    config = model.peft_config["default"]
    alpha = config.lora_alpha * strength
    fields = {
        "peft_type": "LORA",
        "task_type": None,
        "base_model_name_or_path": base,
        "inference_mode": True,
        "r": config.r,
        "lora_alpha": int(alpha) if alpha == int(alpha) else alpha,
        "lora_dropout": config.lora_dropout,
        "bias": "none",
        "fan_in_fan_out": False,
        "use_rslora": False,
        "use_dora": False,
        "target_modules": config.target_modules,
    }
    (folder / "adapter_config.json").write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")
