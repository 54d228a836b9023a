"""`pathlight reembed` from its start to its end, and ONNX Runtime embedding the same texts, in turn.

Careers are made up so that each has two embedded texts, what the work is and what it takes (CareerTexts.swift), of 60
tokens each. Pathlight's time is that of the whole command as the shell sees it: the process starts and loads the model,
reads the careers, embeds the texts, writes the rows, reads them back, computes a sample a second time, and puts the new
generation in use. ONNX Runtime's is from texts to vectors, its session open already, in batches of the size that is
quickest here.
"""

import json
import random
import statistics
import sys
import tempfile
from pathlib import Path

from turns import ROOT, in_turn, summary, timed

sys.path.insert(0, str(ROOT / "Benchmarks/http"))

from service import run_program  # noqa: E402

WORK = "re-embed documents of 60 tokens"
OURS = "Pathlight, reembed end to end"
PEER = "ONNX Runtime dynamic int8"
TOKENS = 60
TEXTS_PER_CAREER = 2
BATCHES = (1, 4, 8, 16, 32, 64, 128)
# Documents by which the best of them is found, and how often.
TRIED = 256
TRIES = 3


def career(number, like, texts):
    """A career whose two texts have TOKENS tokens each; no two texts of different careers are equal."""
    chooser = random.Random(f"career {number}")
    name, skill, education = f"Work {number}", f"Skill {number}", "No degree"
    return {
        "id": f"work-{number}", "name": name, "cluster": like["cluster"], "abilities": like["abilities"],
        "description": texts.one(TOKENS, chooser, before=f"{name}."), "required_skills": [skill],
        "suitable_for": texts.one(TOKENS, chooser, before=f"{skill}.", after=education),
        "required_education": {"level": "none", "text": education}}


def documents_of(career):
    """The texts that Pathlight embeds of such a career, as CareerTexts.swift puts them together."""
    return [f"{career['name']}. {career['description']}",
            f"{career['required_skills'][0]}. {career['suitable_for']} {career['required_education']['text']}"]


def in_batches(session, documents, size):
    for start in range(0, len(documents), size):
        session.embed(documents[start : start + size])


def best_batch(session, documents):
    """How many texts at once take the least time a text."""
    some = documents[:TRIED]
    in_batches(session, some, BATCHES[-1])
    took = {size: [] for size in BATCHES}
    for _ in range(TRIES):
        for size in BATCHES:
            took[size].append(timed(lambda size=size: in_batches(session, some, size))[0])
    best = min(BATCHES, key=lambda size: min(took[size]))
    rates = ", ".join(f"{size}: {len(some) * 1e3 / min(took[size]):.0f}" for size in BATCHES)
    print(f"{PEER}, documents a second by the size of a batch: {rates}", file=sys.stderr)
    return best


def run(options, texts, onnx):
    """
    texts: makes texts of a number of tokens (embed.Texts)
    onnx:  sessions by name (embed.Onnx)
    """
    print(WORK, file=sys.stderr)
    results = ROOT / "Benchmarks/results"
    results.mkdir(parents=True, exist_ok=True)
    # Beside the results and not under /tmp, which may be in memory: the database is to cost what it costs.
    with tempfile.TemporaryDirectory(prefix="reembed.", dir=results) as folder:
        folder = Path(folder)
        model = ROOT / options.model
        common = ("--data", folder / "data", "--models", model.parent, "--model", model.name)
        # An export makes no database. Abilities and clusters are those of the built-in careers.
        run_program("keys", "create", "--role", "service", *common)
        likes = json.loads(run_program("export", "careers", "-", "--format", "json", *common))["careers"]
        careers = [career(number, likes[number % len(likes)], texts)
                   for number in range(options.documents // TEXTS_PER_CAREER)]
        documents = [document for career in careers for document in documents_of(career)]
        wrong = [document for document in documents if texts.count(document) != TOKENS]
        if wrong:
            raise SystemExit(f"{len(wrong)} documents have not {TOKENS} tokens, the first: {wrong[0]}")
        file = folder / "careers.json"
        file.write_text(json.dumps({"careers": careers}))
        run_program("import", "careers", file, "--only", "--strict", "--no-embed", *common)
        return measure(options, documents, common, onnx[PEER])


def measure(options, documents, common, session):
    inside = []

    def ours(_):
        ms, output = timed(lambda: run_program("reembed", "--force", "--json", *common))
        report = json.loads(output)
        if report["texts"] != len(documents) or not report["switched"]:
            raise SystemExit(f"reembed did something else than to embed {len(documents)} texts: {report}")
        return ms, report["seconds"]

    size = best_batch(session, documents)
    sides = {OURS: ours, PEER: lambda _: timed(lambda: in_batches(session, documents, size))}

    def note(name, _, answer):
        if name == OURS:
            inside.append(answer * 1e3)

    # The turn before those that count makes the first generation: those that count replace one, as a re-embedding does.
    times = in_turn(sides, options.reembed_turns, 1, warm=0, note=note)
    lines = []
    for name, line in summary(times, [OURS]).items():
        own = {"inside_median_ms": statistics.median(inside)} if name == OURS else {"batch": size}
        lines.append({
            "work": WORK, "side": name, **line, "documents": len(documents),
            "per_second": len(documents) * 1e3 / line["median_ms"], "fidelity": None, **own})
    return lines
