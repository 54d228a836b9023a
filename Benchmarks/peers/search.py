"""Searches of Pathlight and of its peers over the same rows, query by query in turn, as one table with ratios.

Pathlight runs as a co-process that has the rows in its own index and hands them out in a file; peers search the same
numbers. A turn asks each side the same query once, so a neighbour that slows a turn slows all of them; what is reported is
the median of the ratios turn by turn, beside the medians of the times. Recall is the share of the exact best k, by a
float64 product of all rows, that a side's answer has.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BENCH = ROOT / ".build/release/bench"
DIMENSION = 768


class Pathlight:
    """Our engine as a co-process: one line with a query's number in, one JSON line out."""

    name = "Pathlight"

    def __init__(self, arguments: argparse.Namespace, rows: int, data: str, *options: str) -> None:
        folder = ROOT / ".cache/bench"
        folder.mkdir(parents=True, exist_ok=True)
        self.rows = folder / "rows.f32"
        self.queries = folder / "queries.f32"
        command = [
            BENCH, "search", "--rows", str(rows), "--data", data, "--k", str(arguments.k), "--cap", "0", "--onet",
            arguments.onet, "--model", arguments.model, "--co-process", "--rows-file", self.rows, "--queries-file",
            self.queries, *options]
        self.process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ready = self.read()

    def read(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("the co-process ended early; its message is above")
        return json.loads(line)

    def ask(self, query: int, mode: str = "exact") -> tuple[float, list[int], int]:
        """Milliseconds inside the process, the numbers of the rows found, and how many were scored in float32."""
        self.process.stdin.write(f"{mode} {query}\n")
        self.process.stdin.flush()
        answer = self.read()
        return answer["ms"], answer["rows"], answer["rescored"]

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(timeout=60)


def timed(call) -> tuple[float, list[int]]:
    start = time.perf_counter()
    found = call()
    return (time.perf_counter() - start) * 1e3, found


def peers(arguments: argparse.Namespace, rows: np.ndarray) -> dict:
    """By name a function from a query (768) to the numbers of the best k rows."""
    import faiss

    faiss.omp_set_num_threads(arguments.threads)
    k = arguments.k
    sides = {}
    flat = faiss.IndexFlatIP(DIMENSION)
    flat.add(rows)
    sides["FAISS IndexFlatIP"] = lambda q: flat.search(q[None], k)[1][0].tolist()
    if arguments.quick:
        return sides
    quantiser = faiss.IndexScalarQuantizer(DIMENSION, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
    quantiser.train(rows[:100_000])
    quantiser.add(rows)
    sides["FAISS 8-bit scalar quantiser"] = lambda q: quantiser.search(q[None], k)[1][0].tolist()
    rabitq = faiss.IndexRaBitQ(DIMENSION, faiss.METRIC_INNER_PRODUCT)
    rabitq.train(rows[:100_000])
    rabitq.add(rows)
    sides["FAISS RaBitQ, no rescoring"] = lambda q: rabitq.search(q[None], k)[1][0].tolist()
    from usearch.index import MetricKind
    from usearch.index import search as usearch_exact

    sides["USearch exact"] = lambda q: usearch_exact(
        rows, q, k, MetricKind.IP, exact=True, threads=arguments.threads).keys.tolist()
    return sides


def pgvector(arguments: argparse.Namespace, rows: np.ndarray):
    """Exact searches of PostgreSQL with pgvector, and what closes the server."""
    import pgserver
    import psycopg

    folder = ROOT / ".cache/bench/pgdata"
    server = pgserver.get_server(folder, cleanup_mode="stop")
    connection = psycopg.connect(server.get_uri(), autocommit=True)
    connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    connection.execute("DROP TABLE IF EXISTS items")
    connection.execute(f"CREATE UNLOGGED TABLE items (id int, embedding vector({DIMENSION}))")
    connection.execute("ALTER TABLE items ALTER COLUMN embedding SET STORAGE PLAIN")
    with connection.cursor().copy("COPY items FROM STDIN") as copy:
        for i, row in enumerate(rows):
            copy.write_row((i, "[" + ",".join(map(repr, row.tolist())) + "]"))
    connection.execute(f"SET max_parallel_workers_per_gather = {arguments.threads}")
    connection.execute("ANALYZE items")

    def search(q: np.ndarray) -> list[int]:
        text = "[" + ",".join(map(repr, q.tolist())) + "]"
        found = connection.execute(
            "SELECT id FROM items ORDER BY embedding <#> %s::vector LIMIT %s", (text, arguments.k)).fetchall()
        return [row[0] for row in found]

    def close() -> None:
        connection.execute("DROP TABLE items")
        connection.close()
        server.cleanup()

    return search, close


def compare(arguments: argparse.Namespace, rows: int, data: str) -> dict:
    ours = Pathlight(arguments, rows, data)
    matrix = np.memmap(ours.rows, dtype=np.float32, mode="r").reshape(-1, DIMENSION)
    matrix = np.ascontiguousarray(matrix)
    queries = np.fromfile(ours.queries, dtype=np.float32).reshape(-1, DIMENSION)
    sides = peers(arguments, matrix)
    close = None
    if rows <= 100_000 and not arguments.quick:
        sides["pgvector exact"], close = pgvector(arguments, matrix)
    truth = [set(np.argsort(-(matrix @ q), kind="stable")[: arguments.k].tolist()) for q in queries[: arguments.turns]]
    modes = {"Pathlight": "exact", "Pathlight, fused": "fused", "Pathlight, fused, capped": "capped",
             "Pathlight, approximate": "approximate"}
    times = {name: [] for name in [*modes, *sides]}
    recall = {name: [] for name in [*modes, *sides]}
    rescored = {name: [] for name in modes}
    for turn in range(-2, arguments.turns):
        number = max(turn, 0)
        for name, mode in modes.items():
            ms, found, scored = ours.ask(number, mode)
            if turn >= 0:
                times[name].append(ms)
                rescored[name].append(scored)
                if mode in ("exact", "approximate"):
                    recall[name].append(len(truth[number] & set(found)) / arguments.k)
        for name, search in sides.items():
            ms, found = timed(lambda search=search: search(queries[number]))
            if turn >= 0:
                times[name].append(ms)
                recall[name].append(len(truth[number] & set(found)) / arguments.k)
    if close:
        close()
    ours.close()
    result = []
    for name, measured in times.items():
        row = {
            "side": name, "rows": rows, "data": data, "k": arguments.k, "median_ms": statistics.median(measured),
            "max_ms": max(measured),
            "recall": statistics.mean(recall[name]) if recall[name] else None,
            "rows_rescored": statistics.median(rescored[name]) if name in modes else None,
        }
        for mode in modes:
            row[f"over {mode}"] = statistics.median(a / b for a, b in zip(measured, times[mode]))
        result.append(row)
    return {"rows": rows, "data": data, "ready": ours.ready, "sides": result}


def table(results: list[dict]) -> str:
    lines = [
        "| rows | data | search | median ms | max | recall | × Pathlight | × fused | × fused, capped | × approximate |",
        "| ---: | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for result in results:
        for side in result["sides"]:
            recall = "–" if side["recall"] is None else f"{side['recall']:.4f}"
            ratios = " | ".join(
                f"{side['over ' + mode]:.2f}"
                for mode in ("Pathlight", "Pathlight, fused", "Pathlight, fused, capped", "Pathlight, approximate"))
            lines.append(
                f"| {side['rows']:,} | {side['data']} | {side['side']} | {side['median_ms']:.2f} | {side['max_ms']:.2f} "
                f"| {recall} | {ratios} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--data", nargs="+", default=["text", "random"])
    parser.add_argument("--k", type=int, default=100)
    parser.add_argument("--turns", type=int, default=30)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="only FAISS IndexFlatIP")
    parser.add_argument("--onet", default="../shared/data/onet")
    parser.add_argument("--model", default="models/all-MiniLM-L6-v2")
    parser.add_argument("--json", type=Path, default=ROOT / "Benchmarks/results/peers.json")
    arguments = parser.parse_args()
    results = []
    for rows in arguments.rows:
        for data in arguments.data:
            print(f"{rows:,} rows of {data}", file=sys.stderr)
            results.append(compare(arguments, rows, data))
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_text(json.dumps(results, indent=2) + "\n")
    text = table(results)
    arguments.json.with_suffix(".md").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
