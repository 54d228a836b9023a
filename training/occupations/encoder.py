"""The encoder under training: all-MiniLM-L6-v2 with a low-rank adapter, and unit vectors from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModel, AutoTokenizer

# Query, key, value and the three dense layers of each block; the pooler is not part of a sentence's vector.
TARGETS = r"encoder\.layer\.\d+\.(attention\.self\.(query|key|value)|attention\.output\.dense|intermediate\.dense|output\.dense)"


class SentenceEncoder:
    """Tokenizer and model; `vectors` are means over tokens, scaled to unit length, as sentence-transformers makes them."""

    def __init__(self, folder: Path, max_tokens: int = 256):
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model: torch.nn.Module = AutoModel.from_pretrained(folder, attn_implementation="sdpa")
        self.max_tokens = max_tokens

    def adapt(self, rank: int, alpha: int, dropout: float) -> None:
        """Puts a fresh adapter on the model; everything else is frozen."""
        self.model = get_peft_model(
            self.model, LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=dropout, target_modules=TARGETS, bias="none")
        )

    def load_adapter(self, folder: Path) -> None:
        """Puts a stored adapter on the model and merges it, as PEFT does."""
        self.model = PeftModel.from_pretrained(self.model, folder).merge_and_unload()

    def forward(self, texts: list[str], max_tokens: int | None = None) -> torch.Tensor:
        """Unit vectors, (texts, 384), with gradients where the model wants them."""
        batch = self.tokenizer(
            texts, padding=True, truncation=True, max_length=max_tokens or self.max_tokens, return_tensors="pt"
        ).to(self.device)
        hidden = self.model(**batch).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1).to(hidden.dtype)
        return torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=1)

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device

    def vectors(self, texts: list[str], batch_size: int = 128) -> np.ndarray:
        """Unit vectors, (texts, 384), without gradients and without dropout. Texts of like length go together."""
        training = self.model.training
        self.model.eval()
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        result = np.zeros((len(texts), 384), np.float32)
        with torch.inference_mode():
            for start in range(0, len(order), batch_size):
                indices = order[start : start + batch_size]
                result[indices] = self.forward([texts[index] for index in indices]).float().cpu().numpy()
        self.model.train(training)
        return result
