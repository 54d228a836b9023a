"""Searches of Pathlight and of its peers over the same rows, one query or 256 at once.

Pathlight runs as a co-process that has the rows in its own index and hands them out in a file; peers search the same
numbers. Recall is the share of the exact best k, by a float32 product of all rows, that a side's answer has.
"""

import hashlib
import statistics
import sys

import numpy as np
from turns import CACHE, CoProcess, in_turn, summary, timed

DIMENSION = 768
MODES = {"Pathlight": "exact", "Pathlight, fused": "fused", "Pathlight, fused, capped": "capped",
         "Pathlight, fused, capped, with ranks": "ranked", "Pathlight, approximate": "approximate"}
# Asked one at a time only.
SINGLE_MODES = ("ranked", "approximate")
BATCH = 256
# Of a batch, so many answers are looked at for recall, as many as the co-process tells.
TOLD = 16
# Building a graph of more rows takes longer than all else together.
MOST_GRAPH_ROWS = 100_000
MOST_SQL_ROWS = 100_000


class Pathlight(CoProcess):
    def __init__(self, options, rows, data):
        CACHE.mkdir(parents=True, exist_ok=True)
        files = CACHE / "rows.f32", CACHE / "queries.f32"
        super().__init__(
            "search", "--rows", rows, "--data", data, "--k", options.k, "--cap", 0, "--onet", options.onet,
            "--model", options.model, "--co-process", "--rows-file", files[0], "--queries-file", files[1])
        self.rows, self.queries = (np.fromfile(file, dtype=np.float32).reshape(-1, DIMENSION) for file in files)

    def search(self, mode, first, count=1):
        """Milliseconds inside the process, and by query the numbers of the rows found."""
        answer = self.ask(f"{mode} {first} {count}" if count > 1 else f"{mode} {first}")
        return answer["ms"], answer["rows"]


def flat_index(options, rows):
    import faiss

    faiss.omp_set_num_threads(options.threads)
    flat = faiss.IndexFlatIP(DIMENSION)
    flat.add(rows)
    return flat


def graph_index(options, rows):
    """hnswlib's graph, kept between runs: building it takes minutes."""
    import hnswlib

    graph = hnswlib.Index(space="ip", dim=DIMENSION)
    key = hashlib.sha256(rows[:: max(1, len(rows) // 1_000)].tobytes()).hexdigest()[:16]
    file = CACHE / f"hnsw-{len(rows)}-{key}.bin"
    if file.exists():
        graph.load_index(str(file))
    else:
        print(f"building the graph of hnswlib; it is kept in {file}", file=sys.stderr)
        graph.init_index(max_elements=len(rows), M=16, ef_construction=200, random_seed=1)
        graph.add_items(rows, num_threads=options.threads)
        graph.save_index(str(file))
    graph.set_num_threads(options.threads)
    return graph


def pgvector(options, rows):
    """Exact searches of PostgreSQL with pgvector, and what closes the server."""
    import pgserver
    import psycopg

    server = pgserver.get_server(CACHE / "postgres", cleanup_mode="stop")
    connection = psycopg.connect(server.get_uri(), autocommit=True)
    connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    connection.execute("DROP TABLE IF EXISTS items")
    connection.execute(f"CREATE UNLOGGED TABLE items (id int, embedding vector({DIMENSION}))")
    connection.execute("ALTER TABLE items ALTER COLUMN embedding SET STORAGE PLAIN")
    with connection.cursor().copy("COPY items FROM STDIN") as copy:
        for number, row in enumerate(rows):
            copy.write_row((number, "[" + ",".join(map(repr, row.tolist())) + "]"))
    connection.execute(f"SET max_parallel_workers_per_gather = {options.threads}")
    connection.execute("ANALYZE items")

    def search(query):
        text = "[" + ",".join(map(repr, query.tolist())) + "]"
        found = connection.execute(
            "SELECT id FROM items ORDER BY embedding <#> %s::vector LIMIT %s", (text, options.k)).fetchall()
        return [row[0] for row in found]

    def close():
        connection.execute("DROP TABLE items")
        connection.close()
        server.cleanup()

    return search, close


def peers(options, rows, data, flat):
    """By name a function from a query (768) to the numbers of the best k rows."""
    import faiss

    k = options.k
    sides = {"FAISS IndexFlatIP": lambda q: flat.search(q[None], k)[1][0].tolist()}
    if options.quick:
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
        rows, q, k, MetricKind.IP, exact=True, threads=options.threads).keys.tolist()
    # Its graph finds a tenth to a quarter of the best random rows, after minutes of building.
    if data == "text" and len(rows) <= MOST_GRAPH_ROWS:
        graph = graph_index(options, rows)

        def searcher(ef):
            def search(q):
                # One query is one thread's work: the graph is walked step by step.
                graph.set_ef(ef)
                return graph.knn_query(q, k)[0][0].tolist()
            return search

        for ef in (128, 512):
            sides[f"hnswlib, ef {ef}"] = searcher(ef)
    return sides


def best(options, rows, queries):
    """By query the set of the exact best k."""
    return [set(np.argsort(-(rows @ query), kind="stable")[: options.k].tolist()) for query in queries]


def result(options, work, rows, data, times, recall):
    """One line of the table for each side."""
    lines = []
    for name, line in summary(times, [name for name in MODES if name in times]).items():
        found = recall.get(name)
        lines.append({
            "work": work, "rows": rows, "data": data, "side": name, **line, "measure": "recall",
            "fidelity": statistics.mean(found) if found else None})
    return lines


def one_query(options, ours, data, flat):
    rows, queries = ours.rows, ours.queries
    searches = peers(options, rows, data, flat)
    close = None
    if len(rows) <= MOST_SQL_ROWS and not options.quick:
        searches["pgvector exact"], close = pgvector(options, rows)
    truth = best(options, rows, queries[: options.turns * options.burst])

    def ask_ours(mode):
        return lambda number: (lambda ms, found: (ms, found[0]))(*ours.search(mode, number))

    def ask(search):
        return lambda number: timed(lambda: search(queries[number]))

    sides = {name: ask_ours(mode) for name, mode in MODES.items()}
    sides |= {name: ask(search) for name, search in searches.items()}
    recall = {}

    def note(name, number, found):
        # Fused searches look for something else, and nobody else has an answer to hold them against.
        if name not in MODES or MODES[name] in ("exact", "approximate"):
            recall.setdefault(name, []).append(len(truth[number] & set(found)) / options.k)

    try:
        times = in_turn(sides, options.turns, options.burst, note=note)
    finally:
        # A server of PostgreSQL would outlive this program.
        if close:
            close()
    return result(options, "search", len(rows), data, times, recall)


def many_queries(options, ours, data, flat):
    rows, queries = ours.rows, ours.queries
    truth = best(options, rows, queries[:TOLD])
    sides = {
        name: lambda _, mode=mode: ours.search(mode, 0, BATCH) for name, mode in MODES.items()
        if mode not in SINGLE_MODES}
    sides["FAISS IndexFlatIP"] = lambda _: timed(lambda: flat.search(queries[:BATCH], options.k)[1][:TOLD].tolist())
    recall = {}

    def note(name, _, found):
        if MODES.get(name, "exact") == "exact":
            recall.setdefault(name, []).extend(
                len(one & set(other)) / options.k for one, other in zip(truth, found))

    times = in_turn(sides, options.batch_turns, 1, note=note)
    return result(options, f"search, {BATCH} queries at once", len(rows), data, times, recall)


def run(options, only=("search", "batch")):
    """All lines so far, after each collection: the greatest take minutes."""
    lines = []
    for rows in options.rows:
        for data in options.data:
            print(f"{rows:,} rows of {data}", file=sys.stderr)
            ours = Pathlight(options, rows, data)
            flat = flat_index(options, ours.rows)
            if "search" in only:
                lines += one_query(options, ours, data, flat)
            if "batch" in only:
                lines += many_queries(options, ours, data, flat)
            ours.close()
            yield lines
