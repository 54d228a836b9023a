"""Embedding the same texts by Pathlight, sentence-transformers and ONNX Runtime, all from the same model files.

Times are from texts to unit vectors, tokenising included; each side has the same number of threads. Texts are O*NET's
tasks and titles, joined and cut to an exact number of tokens; no side has a cache of them. The cosine is that with
sentence-transformers in float32, the least of all texts. What `pathlight reembed` makes of such texts is in reembed.py.
"""

import hashlib
import json
import random
import sys
import warnings
from pathlib import Path

import numpy as np
import reembed
from turns import CACHE, ROOT, CoProcess, in_turn, summary, timed

REFERENCE = "sentence-transformers"
# (name, tokens of a text, texts at once, asked in a row, asked before without counting): after a pause, short work needs
# a longer run to be up to speed.
WORKS = [("embed one text of 16 tokens", 16, 1, 10, 6), ("embed 32 documents of 60 tokens", 60, 32, 2, 1)]


class Texts:
    """Texts of an exact number of tokens, special ones included; the same number gives the same texts."""

    def __init__(self, options, tokenizer):
        self.tokenizer = tokenizer
        folder = Path(options.onet)
        lines = []
        for name, column in (("Task Statements.txt", 2), ("Alternate Titles.txt", 1)):
            text = (ROOT / folder / name).read_text("utf-8").splitlines()[1:]
            lines += [line.split("\t")[column] for line in text]
        self.lines = sorted(set(lines))
        self.given = {}

    def some(self, tokens, count, number):
        key = (tokens, count, number)
        if key not in self.given:
            chooser = random.Random(f"{tokens} {count} {number}")
            self.given[key] = [self.one(tokens, chooser) for _ in range(count)]
        return self.given[key]

    def one(self, tokens, chooser, before="", after=""):
        """A text that makes so many tokens together with what comes before and after it, spaces between."""
        words = []

        def missing():
            return tokens - self.count(" ".join([before, *words, after]))

        while True:
            words += chooser.choice(self.lines).split()
            while missing() < 0:
                words.pop()
            # What is missing is filled with words of one token.
            if missing() <= 3:
                return " ".join(words + ["work"] * missing())

    def count(self, text):
        return len(self.tokenizer.encode(text).ids)


class Onnx:
    """A session of ONNX Runtime with the tokenizer, pooling and normalisation around it."""

    def __init__(self, file, tokenizer, threads):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        self.tokenizer = tokenizer

    def embed(self, texts):
        found = self.tokenizer.encode_batch(texts)
        ids = np.array([one.ids for one in found], dtype=np.int64)
        mask = np.array([one.attention_mask for one in found], dtype=np.int64)
        hidden = self.session.run(
            None, {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)})[0]
        weight = mask[:, :, None].astype(np.float32)
        pooled = (hidden * weight).sum(1) / weight.sum(1)
        return pooled / np.linalg.norm(pooled, axis=1, keepdims=True)


def exported(model):
    """The model as ONNX in float32 and, quantised dynamically, in int8; kept between runs.

    ONNX Runtime's own fusions for BERT were tried before quantising and gained nothing here.
    """
    weights = model / "model.safetensors"
    key = hashlib.sha256(weights.read_bytes()).hexdigest()[:16]
    plain, small = (CACHE / f"onnx-{key}-{name}.onnx" for name in ("float32", "int8"))
    if small.exists():
        return plain, small
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from transformers import AutoModel

    class Encoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = AutoModel.from_pretrained(model, attn_implementation="eager").eval()

        def forward(self, ids, mask, types):
            return self.model(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state

    print(f"exporting the model to {plain} and {small}", file=sys.stderr)
    CACHE.mkdir(parents=True, exist_ok=True)
    names = ["input_ids", "attention_mask", "token_type_ids"]
    some = torch.ones(2, 8, dtype=torch.long)
    with warnings.catch_warnings():
        # The exporter by tracing is called old; it needs no further package and gives the graph that runs fastest.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Encoder(), (some, some, some * 0), str(plain), input_names=names, output_names=["hidden"],
            dynamic_axes={name: {0: "texts", 1: "tokens"} for name in [*names, "hidden"]}, opset_version=17,
            dynamo=False)
    part = small.with_suffix(".part")
    quantize_dynamic(str(plain), str(part), weight_type=QuantType.QInt8)
    part.rename(small)
    return plain, small


def run(options):
    import tokenizers
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(options.threads)
    model = ROOT / options.model
    tokenizer = tokenizers.Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.no_padding()
    texts = Texts(options, tokenizer)
    reference = SentenceTransformer(str(model), device="cpu")
    plain, small = exported(model)
    onnx = {"ONNX Runtime float32": Onnx(plain, tokenizer, options.threads),
            "ONNX Runtime dynamic int8": Onnx(small, tokenizer, options.threads)}
    ours = {f"Pathlight {precision}": CoProcess("embed", "--co-process", "--precision", precision)
            for precision in options.precisions}
    lines = []
    for work in WORKS:
        print(work[0], file=sys.stderr)
        lines += measure(options, work, texts, reference, onnx, ours)
    for process in ours.values():
        process.close()
    # The service's own precision is int8.
    if options.documents and "int8" in options.precisions:
        lines += reembed.run(options, texts, onnx)
    return lines


def measure(options, described, texts, reference, onnx, ours):
    work, tokens, count, burst, warm = described

    def encode(some):
        return reference.encode(some, batch_size=count, normalize_embeddings=True, show_progress_bar=False)

    def ask_ours(process):
        def ask(number):
            answer = process.ask(json.dumps(texts.some(tokens, count, number)))
            if answer["tokens"] != tokens * count:
                raise SystemExit(f"Pathlight sees {answer['tokens']} tokens in {count} texts of {tokens}")
            return answer["ms"], np.array(answer["vectors"])
        return ask

    def ask(embed):
        return lambda number: timed(lambda: embed(texts.some(tokens, count, number)))

    # Made beforehand, and what they ought to become.
    turns = options.embed_turns if count == 1 else max(4, options.embed_turns // 3)
    numbers = range((turns + 1) * burst)
    right = {number: encode(texts.some(tokens, count, number)) for number in numbers}
    sides = {name: ask_ours(process) for name, process in ours.items()}
    sides |= {name: ask(session.embed) for name, session in onnx.items()}
    sides[REFERENCE] = ask(encode)
    cosines = {name: [] for name in sides}

    def note(name, number, vectors):
        cosines[name] += (np.asarray(vectors) * right[number]).sum(1).tolist()

    times = in_turn(sides, turns, burst, warm, note)
    lines = []
    for name, line in summary(times, list(ours) or [REFERENCE]).items():
        lines.append({
            "work": work, "side": name, **line, "per_second": count * 1e3 / line["median_ms"], "measure": "cosine",
            "fidelity": min(cosines[name]), "mean_fidelity": float(np.mean(cosines[name]))})
    return lines
