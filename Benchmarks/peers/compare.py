"""Pathlight beside others that do the same, in turn over the same data: one table with ratios, and the goals.

usage: compare.py [--only search batch embed http] [--rows N …] [--data text random] [--turns N] [--quick] …

search  the best 100 of the same rows, one query at a time: FAISS, USearch, hnswlib, pgvector
batch   256 queries at once: FAISS IndexFlatIP
embed   the same texts by the same model files: sentence-transformers, ONNX Runtime; and `pathlight reembed` as a whole
http    the recommend route beside a service of FastAPI, sentence-transformers and FAISS

Sections left out keep the figures of the run before. Results go to Benchmarks/results/peers.json and peers.md, the
table to standard output.
"""

import argparse
import datetime
import json
import os
import re
import signal
import sys
from pathlib import Path
from typing import NamedTuple

from turns import ROOT

SECTIONS = ("search", "batch", "embed", "http")
BATCH_WORK = "search, 256 queries at once"
FLAT = "FAISS IndexFlatIP"
EXACT, FUSED, CAPPED = "Pathlight", "Pathlight, fused", "Pathlight, fused, capped"
ONNX, INT8 = "ONNX Runtime dynamic int8", "Pathlight int8"


class Goal(NamedTuple):
    work: str
    other: str
    ours: str
    # How many times as long the other has to take.
    least: float
    rows: int | None = None
    data: str | None = None
    # Of which times: “median”, the median of the turns' ratios, or “p99”, the ratio of both sides' 99th percentiles.
    of: str = "median"


def search_goals(work, rows, data, other, least):
    return [Goal(work, other, ours, least, rows, data) for ours in (EXACT, FUSED, CAPPED)]


GOALS = [
    *search_goals("search", 1_000_000, "random", FLAT, 7.0),
    *search_goals("search", 1_000_000, "text", FLAT, 16.0),
    Goal("search", FLAT, "Pathlight, approximate", 30.0, 1_000_000, "text"),
    *search_goals("search", 100_000, "text", FLAT, 16.0),
    *search_goals("search", 100_000, "text", "pgvector exact", 30.0),
    *search_goals(BATCH_WORK, 1_000_000, "text", FLAT, 3.0),
    *search_goals(BATCH_WORK, 1_000_000, "random", FLAT, 3.0),
    Goal("embed one text of 16 tokens", ONNX, INT8, 1.3),
    Goal("embed one text of 16 tokens", "sentence-transformers", INT8, 10.0),
    Goal("embed 32 documents of 60 tokens", ONNX, INT8, 1.3),
    Goal("re-embed documents of 60 tokens", ONNX, "Pathlight, reembed end to end", 1.3),
    Goal("recommend, new text", "FastAPI service", "Pathlight", 8.0),
    Goal("recommend, new text", "FastAPI service", "Pathlight", 8.0, of="p99"),
]
# (work, side, milliseconds that its median has to be under)
LIMITS = [("recommend, new text", "Pathlight", 3.0)]


def label(line):
    if line.get("rows"):
        return f"{line['work']}; {line['rows']:,} rows, {line['data']}"
    return line["work"]


def number(value):
    return "–" if value is None else f"{value:.2f}" if value < 100 else f"{value:,.0f}"


def table(lines):
    """All works and sides; ratios are to the first side of the same work."""
    text = ["| work | side | median ms | p90 | p99 | max | a second | recall or cosine | × Pathlight |",
            "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    firsts = {}
    for line in lines:
        first = firsts.setdefault(label(line), line["side"])
        fidelity = line.get("fidelity")
        text.append(" | ".join([
            f"| {label(line)}", line["side"], number(line["median_ms"]), number(line["p90_ms"]),
            number(line["p99_ms"]), number(line["max_ms"]),
            number(line.get("per_second") or 1e3 / line["median_ms"] * count(line)),
            "–" if fidelity is None else f"{fidelity:.4f}", f"{number(line['times'].get(first))} |"]))
    return "\n".join(text)


def count(line):
    """Queries of one call."""
    found = re.search(r"(\d+) queries at once", line["work"])
    return int(found.group(1)) if found else 1


def goals(lines):
    """What was measured of the goals, and whether they are met."""
    text = ["| goal | at least × | measured × | |", "| --- | ---: | ---: | --- |"]
    for goal in GOALS:
        sides = {line["side"]: line for line in lines
                 if (line["work"], line.get("rows"), line.get("data")) == (goal.work, goal.rows, goal.data)}
        other, ours = sides.get(goal.other), sides.get(goal.ours)
        if other and ours:
            ratio = other["times"][goal.ours] if goal.of == "median" else other["p99_ms"] / ours["p99_ms"]
            verdict = "met" if ratio >= goal.least else "**missed**"
            text.append(
                f"| {label(other)}: {goal.other} by {goal.ours}, {goal.of} | {goal.least:g} | {ratio:.1f} | {verdict} |")
    for work, side, most in LIMITS:
        for line in lines:
            if (line["work"], line["side"]) == (work, side):
                verdict = "met" if line["median_ms"] < most else "**missed**"
                text.append(f"| {work}: median of {side} under {most:g} ms | | {line['median_ms']:.2f} ms | {verdict} |")
    return "\n".join(text) if len(text) > 2 else ""


def machine():
    text = Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*:\s*(.*)", text)
    flags = re.search(r"flags\s*:\s*(.*)", text)
    wide = [flag for flag in ("avx512f", "avx512_vnni", "amx_int8") if flags and flag in flags.group(1).split()]
    return f"{os.cpu_count()} processors, {model.group(1) if model else 'unknown'}, {' '.join(wide) or 'no AVX-512'}"


def options_of(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--data", nargs="+", choices=("text", "random"), default=["text", "random"])
    parser.add_argument("--k", type=int, default=100)
    parser.add_argument("--turns", type=int, default=20, help="of searches")
    parser.add_argument("--burst", type=int, default=3, help="questions of a turn that count, after one that does not")
    parser.add_argument("--batch-turns", type=int, default=3, help="of 256 queries at once")
    parser.add_argument("--embed-turns", type=int, default=20, help="of single texts; a third for documents")
    parser.add_argument("--documents", type=int, default=4_000, help="to re-embed, an even number; 0 for none")
    parser.add_argument("--reembed-turns", type=int, default=3, help="of the re-embedding")
    parser.add_argument("--http-turns", type=int, default=100, help="of ten requests, a thousand for a 99th percentile")
    parser.add_argument("--precisions", nargs="*", default=["int8", "float32"], help="of our encoder: float32 int8")
    parser.add_argument("--threads", type=int, default=2, help="of each peer; ours has one a processor")
    parser.add_argument("--port", type=int, default=0, help="first of two for the services; 0 for any")
    parser.add_argument("--quick", action="store_true", help="of the searches only FAISS IndexFlatIP")
    parser.add_argument("--onet", default="../shared/data/onet")
    parser.add_argument("--model", default="models/all-MiniLM-L6-v2")
    parser.add_argument("--json", type=Path, default=ROOT / "Benchmarks/results/peers.json")
    options = parser.parse_args(arguments)
    if (options.turns + 1) * options.burst > 256:
        parser.error("there are 256 queries: take fewer --turns or a shorter --burst")
    return options


def measured(options):
    """Sections with their lines, as they come; each brings packages that the others do without."""
    searches = [section for section in options.only if section in ("search", "batch")]
    if searches:
        import search
        for lines in search.run(options, searches):
            for section in searches:
                yield section, [line for line in lines if (line["work"] == BATCH_WORK) == (section == "batch")]
    if "embed" in options.only:
        import embed
        yield "embed", embed.run(options)
    if "http" in options.only:
        import recommend
        yield "http", recommend.run(options)


def report(options, sections):
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps({"sections": sections}, indent=2) + "\n")
    lines = [line for section in SECTIONS for line in sections.get(section, {}).get("lines", [])]
    measurements = "; ".join(
        f"{name} {sections[name]['date'][:10]}, load average at its end {sections[name]['load']}"
        for name in SECTIONS if name in sections)
    text = f"{machine()}. {measurements}\n\n{table(lines)}\n\n{goals(lines)}\n"
    options.json.with_suffix(".md").write_text(text)
    return text


def main(arguments=None):
    options = options_of(arguments)
    # Ends as an exit does, so that services and servers are stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.chdir(ROOT)
    os.environ["HF_HUB_OFFLINE"] = "1"
    before = json.loads(options.json.read_text()) if options.json.exists() else {}
    # Of another form where an earlier version wrote it.
    sections = before.get("sections", {}) if isinstance(before, dict) else {}
    text = ""
    for section, lines in measured(options):
        sections[section] = {
            "machine": machine(), "lines": lines, "load": f"{os.getloadavg()[0]:.1f}",
            "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")}
        text = report(options, sections)
    print(text)


if __name__ == "__main__":
    sys.exit(main())
