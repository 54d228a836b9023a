"""What needs PyTorch and PEFT: the schedule, the loss, the files that are written."""

import json
import math
import re
from dataclasses import asdict

import pytest
from conftest import ROOT

torch = pytest.importorskip("torch", reason="PyTorch is not installed: make test-training sets it up")
peft = pytest.importorskip("peft", reason="PEFT is not installed: make test-training sets it up")

from occupations import goldens, tiny_goldens  # noqa: E402
from occupations.batches import Mix  # noqa: E402
from occupations.contrast import contrastive_loss  # noqa: E402
from occupations.encoder import TARGETS  # noqa: E402
from occupations.export import write_adapter  # noqa: E402
from occupations.train import Recipe, learning_rate  # noqa: E402
from safetensors.torch import load_file  # noqa: E402
from transformers import BertConfig, BertModel  # noqa: E402

TINY = ROOT / "Tests/EmbedderTests/Goldens/tiny-adapter"


def test_the_learning_rate_rises_evenly_and_falls_by_half_a_cosine():
    recipe = Recipe(steps=200, warm_up=20, learning_rate=0.01)
    rates = [learning_rate(recipe, step) for step in range(recipe.steps)]
    assert rates[:20] == pytest.approx([0.01 * (step + 1) / 20 for step in range(20)])
    assert max(rates) == rates[20] == pytest.approx(0.01)
    assert rates[20:] == sorted(rates[20:], reverse=True)
    assert rates[110] == pytest.approx(0.01 * (0.05 + 0.95 / 2))
    assert 0.05 * 0.01 < rates[-1] < 0.051 * 0.01


def naive_loss(vectors, allowed, temperature):
    pairs = len(vectors) // 2
    scores = [[float(one @ other) / temperature for other in vectors] for one in vectors]

    def share(right, wrong):
        return -math.log(math.exp(right) / (math.exp(right) + sum(map(math.exp, wrong))))

    forward = [
        share(scores[i][pairs + i], [scores[i][j] for j in range(2 * pairs) if allowed[i, j]]) for i in range(pairs)
    ]
    backward = [
        share(scores[i][pairs + i], [scores[pairs + i][j] for j in range(pairs) if allowed[j, pairs + i]])
        for i in range(pairs)
    ]
    return (sum(forward) + sum(backward)) / (2 * pairs)


@pytest.mark.parametrize("seed", range(5))
def test_the_loss_takes_negatives_only_where_they_are_allowed(seed):
    random = torch.Generator().manual_seed(seed)
    vectors = torch.nn.functional.normalize(torch.randn(12, 5, generator=random), dim=1)
    allowed = torch.rand(6, 12, generator=random) < 0.6
    allowed[:, :6].fill_diagonal_(False)
    allowed[:, 6:].fill_diagonal_(False)
    loss = contrastive_loss(vectors, allowed, 0.2)
    assert float(loss) == pytest.approx(naive_loss(vectors, allowed, 0.2), rel=1e-4)


@pytest.fixture
def adapted():
    torch.manual_seed(0)
    base = BertModel(BertConfig(**tiny_goldens.SHAPE), add_pooling_layer=False)
    return peft.get_peft_model(base, peft.LoraConfig(r=3, lora_alpha=5, target_modules=TARGETS, bias="none"))


def test_an_adapter_is_written_in_float16_with_what_a_reader_needs(adapted, tmp_path):
    write_adapter(adapted, tmp_path)
    tensors = load_file(tmp_path / "adapter_model.safetensors")
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}
    # Query, key, value and three dense layers, in each of two blocks.
    assert len(tensors) == 2 * 6 * 2
    assert all(re.fullmatch(r"base_model\.model\.encoder\.layer\.\d\..+\.lora_[AB]\.weight", name) for name in tensors)
    settings = json.loads((tmp_path / "adapter_config.json").read_text(encoding="utf-8"))
    expected = {
        "peft_type": "LORA", "base_model_name_or_path": "sentence-transformers/all-MiniLM-L6-v2",
        "r": 3, "lora_alpha": 5, "bias": "none", "fan_in_fan_out": False, "use_rslora": False, "use_dora": False, "target_modules": TARGETS,
        "inference_mode": True,
    }
    assert {key: settings[key] for key in expected} == expected


def test_peft_reads_what_was_written(adapted, tmp_path):
    for name, weight in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight)
    write_adapter(adapted, tmp_path)
    torch.manual_seed(0)
    base = BertModel(BertConfig(**tiny_goldens.SHAPE), add_pooling_layer=False)
    read = peft.PeftModel.from_pretrained(base, tmp_path).eval()
    tokens = [2, 7, 30, 3]
    expected = goldens.unit_vector(adapted.eval(), tokens)
    # Rounded to float16 in between.
    assert float(goldens.unit_vector(read, tokens) @ expected) > 0.9999


def test_the_committed_tiny_vectors_are_still_pefts():
    model = peft.PeftModel.from_pretrained(tiny_goldens.load_base(TINY / "base"), TINY / "adapter").merge_and_unload()
    lines = [json.loads(line) for line in (TINY / "goldens.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [len(line["tokens"]) for line in lines] == list(tiny_goldens.LENGTHS)
    for line in lines:
        assert float(goldens.unit_vector(model, line["tokens"]) @ torch.tensor(line["embedding"])) > 0.99999


def test_the_readme_tells_the_recipe_that_is_run():
    text = (ROOT / "training/README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| ([^ |]+) \|", text, re.MULTILINE)
    assert {name: float(value) for name, value in rows} == {**asdict(Recipe()), **asdict(Mix())}
