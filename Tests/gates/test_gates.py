"""What must not get worse unnoticed, in numbers that a busy machine does not change: instructions, recall, bytes.

Instructions are counted by valgrind's callgrind, which has no AVX-512 (3.19 and later): on x86-64 the AVX2 path is what is
counted. Budgets lie in budgets.json by instruction set; a count may exceed its budget by 10 %. Where a change is meant,
`PATHLIGHT_GATES_UPDATE=1 make test-gates` writes the new counts into the file, for review with the change.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / ".build/release/bench"
MODEL = ROOT / "models/all-MiniLM-L6-v2"
BUDGETS = Path(__file__).parent / "budgets.json"
# Kept, so that what changed can be looked at.
COUNTS = ROOT / ".build/gates"
SLACK = 1.10
# Of a budget: whoever does with less than half has left something out, or should have written a new budget.
LEAST = 0.5

needs_model = pytest.mark.skipif(
    not (MODEL / "model.safetensors").is_file(), reason="the model is not installed: run scripts/fetch-model")


def bench(*arguments):
    done = subprocess.run(
        [str(BENCH), *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, f"bench {' '.join(map(str, arguments))} ended with {done.returncode}:\n{done.stderr}"
    return json.loads(done.stdout)


@pytest.fixture(scope="session")
def counted_program():
    """The program without its debug information, which valgrind 3.19 does not understand and stumbles over."""
    strip = shutil.which("strip") or shutil.which("llvm-strip")
    if not shutil.which("valgrind") or not strip:
        pytest.skip("valgrind and strip are needed: scripts/setup-system --tests installs them")
    COUNTS.mkdir(parents=True, exist_ok=True)
    program = COUNTS / "bench"
    subprocess.run([strip, "--strip-debug", "-o", str(program), str(BENCH)], check=True)
    return program


def count(program, work, *arguments):
    """Instructions of the second time that `work` is done, of all threads; its answer; the file that tells more."""
    out = COUNTS / f"{work}.callgrind"
    out.unlink(missing_ok=True)
    environment = {
        **os.environ,
        # One thread and hashes without chance: the same instructions each time.
        "OPENBLAS_NUM_THREADS": "1", "SWIFT_DETERMINISTIC_HASHING": "1"}
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--zero-before=*countedWork*",
         str(program), "gate", "--work", work, "--repeat", "2", *arguments],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, f"valgrind ended with {done.returncode}:\n{done.stderr[-3000:]}"
    # What was counted is forgotten at each call, so this is the second and what prints the answer.
    found = re.search(r"Collected : (\d+)", done.stderr)
    assert found, f"callgrind tells no count:\n{done.stderr[-3000:]}"
    return int(found.group(1)), json.loads(done.stdout), out


def within_budget(work, count, instruction_set, file):
    budgets = json.loads(BUDGETS.read_text())
    known = budgets["instructions"].setdefault(work, {})
    if os.environ.get("PATHLIGHT_GATES_UPDATE") == "1":
        known[instruction_set] = count
        BUDGETS.write_text(json.dumps(budgets, indent=2) + "\n")
        return
    if instruction_set not in known:
        pytest.skip(f"there is no budget for {instruction_set} yet: PATHLIGHT_GATES_UPDATE=1 make test-gates writes one")
    budget = known[instruction_set]
    print(f"{work}, {instruction_set}: {count:,} instructions, budget {budget:,}")
    assert count >= budget * LEAST, (
        f"{work} takes {count:,} instructions with {instruction_set}, less than half of the budget of {budget:,}: was "
        "all of the work done and counted? If it is meant: PATHLIGHT_GATES_UPDATE=1 make test-gates")
    assert count <= budget * SLACK, (
        f"{work} takes {count:,} instructions with {instruction_set}, {count / budget - 1:+.1%} against a budget of "
        f"{budget:,}. What takes them: callgrind_annotate {file} | head -60. What took them before: the same after "
        "`git stash && make test-gates`. If it is meant: PATHLIGHT_GATES_UPDATE=1 make test-gates")


def test_a_search_keeps_to_its_instructions(counted_program):
    instructions, answer, file = count(counted_program, "search")
    within_budget("search", instructions, answer["instruction_set"], file)


def test_a_first_look_keeps_to_its_instructions(counted_program):
    index = COUNTS / "first-look.index"
    index.unlink(missing_ok=True)
    # Written at full speed, and read under the counter.
    bench("gate", "--work", "first-look", "--index", index)
    instructions, answer, file = count(counted_program, "first-look", "--index", str(index))
    within_budget("first-look", instructions, answer["instruction_set"], file)


@needs_model
def test_an_embedding_keeps_to_its_instructions(counted_program):
    instructions, answer, file = count(counted_program, "embed")
    assert answer.get("sum"), f"the vectors have no sum, or it is zero, so nothing was embedded: {answer}"
    within_budget("embed", instructions, answer["instruction_set"], file)


@pytest.mark.parametrize("work", ["search", "first-look"])
def test_the_counted_searches_find_what_a_naive_scan_finds(work):
    assert bench("gate", "--work", work, "--check")["recall"] == 1.0


@pytest.mark.parametrize("options", [
    (), ("--cap", 1), ("--queries", 64), ("--queries", 64, "--cap", 1)], ids=lambda value: " ".join(map(str, value)))
def test_searches_are_exact_and_rows_small(options):
    answer = bench("search", "--rows", 8192, "--seconds", 0.05, *options)
    assert answer["recall"] == 1.0
    assert answer["exact"]
    most = json.loads(BUDGETS.read_text())["bytes_per_row"]
    assert answer["bytes_per_row"] <= most, (
        f"a row takes {answer['bytes_per_row']} bytes, at most {most} are stated in {BUDGETS.relative_to(ROOT)}")
