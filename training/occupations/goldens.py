"""Writes vectors of the base model with an adapter, as PEFT merges it, for the service's tests to compare with.

python -m occupations.goldens --base models/all-MiniLM-L6-v2 --adapter DIR --out FILE

One JSON object a line: a text, its token ids (at most 256, special tokens included) and its unit vector in float32.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from .encoder import SentenceEncoder

TEXTS = [
    # Titles, as people and registers write them
    "Registered Nurse",
    "registered nurse",
    "RN",
    "Sr. Software Engineer II",
    "Software Developers",
    "Heavy and Tractor-Trailer Truck Drivers",
    "CDL-A Driver (OTR)",
    "First-Line Supervisors of Food Preparation and Serving Workers",
    "HVAC/R Tech",
    "C++ Programmer",
    ".NET Developer",
    "Certified Public Accountant (CPA)",
    "Barista",
    "Phlebotomist",
    "K-8 Teacher",
    "Chief Executive Officer",
    "Wind Turbine Service Technician",
    "Sous-Chef de Cuisine",
    # Sentences
    "Assess patient health problems and needs, and maintain medical records.",
    "I like to repair engines and I am good with my hands.",
    "Plan, direct, or coordinate the operations of public or private sector organizations.",
    "She has worked in a warehouse for three years; now she wants to learn accounting!",
    "Software Developers. Research, design, and develop computer and network software or specialized utility programs.",
    "What can I become with a degree in biology?",
    # Odd ones
    "",
    " ",
    "\t\n  \r\n",
    "a",
    "7",
    "!!! ??? ...",
    "[CLS] nurse [SEP] driver [MASK]",
    "supercalifragilisticexpialidocious" * 4,
    "x" * 300,
    # Other scripts and signs
    "Krankenpfleger für Anästhesie",
    "Técnico de laboratorio — química",
    "cafe\u0301 manager",
    "ソフトウェアエンジニア",
    "护士",
    "инженер-программист",
    "مهندس برمجيات",
    "👩‍⚕️ nurse 🚑",
    "zero\u200bwidth\u00a0space\ufeff",
    # Long ones: the last two are cut off
    "Drive trucks, load goods and keep a log of hours. " * 8,
    "nurse " * 254,
    "Install, maintain and repair electrical wiring, equipment and fixtures. " * 60,
    "工" * 600,
]


def rounded(vector: torch.Tensor) -> list[float]:
    """Seven significant digits: more than cosines of float32 vectors tell apart."""
    return [float(f"{value:.7g}") for value in vector.tolist()]


def unit_vector(model: torch.nn.Module, token_ids: list[int]) -> torch.Tensor:
    """The mean over the tokens of one text, scaled to unit length."""
    with torch.inference_mode():
        hidden = model(
            input_ids=torch.tensor([token_ids]), attention_mask=torch.ones(1, len(token_ids), dtype=torch.long)
        ).last_hidden_state[0]
    return torch.nn.functional.normalize(hidden.mean(0), dim=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--base", type=Path, required=True, help="folder of all-MiniLM-L6-v2")
    parser.add_argument("--adapter", type=Path, required=True, help="folder of the adapter")
    parser.add_argument("--out", type=Path, required=True, help="the file to write")
    options = parser.parse_args()
    torch.set_num_threads(1)
    encoder = SentenceEncoder(options.base)
    encoder.load_adapter(options.adapter)
    model = encoder.model.float().eval()
    lines = []
    for text in TEXTS:
        tokens = encoder.tokenizer(text, truncation=True, max_length=encoder.max_tokens)["input_ids"]
        golden = {"text": text, "tokens": tokens, "embedding": rounded(unit_vector(model, tokens))}
        lines.append(json.dumps(golden, ensure_ascii=False))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
