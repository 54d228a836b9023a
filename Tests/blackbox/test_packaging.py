"""What ships beside the program: the image's packages, and the unit of the service manager."""

import re
import shutil
import subprocess

import pytest
from harness import BINARY, ROOT

DOCKERFILE = ROOT / "Dockerfile"
UNIT = ROOT / "packaging/pathlight.service"


def needs(program):
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


def runtime_stage():
    return DOCKERFILE.read_text("utf-8").split("\nFROM ")[-1]


def runtime_packages():
    found = re.search(r"apt-get install -y --no-install-recommends ([^&]*)&&", runtime_stage())
    return set(found.group(1).replace("\\\n", " ").split())


def libraries():
    """Where the loader finds each shared library of the program."""
    output = subprocess.run(["ldd", str(BINARY)], capture_output=True, text=True, check=True).stdout
    assert "not found" not in output, output
    return {line.split()[0]: line.split()[2] for line in output.splitlines() if "=>" in line}


@needs("dpkg")
@needs("ldd")
def test_the_image_has_every_library_that_the_program_loads():
    """Each is of a package that is named, of one that those need, of the base image, or of Swift's own folder."""
    wanted = runtime_packages()
    closure = set(wanted)
    if shutil.which("apt-cache"):
        # Without recommendations, as the image installs.
        output = subprocess.run(
            ["apt-cache", "depends", "--recurse", "--no-recommends", "--no-suggests", "--no-conflicts", "--no-breaks",
             "--no-replaces", "--no-enhances", *sorted(wanted)], capture_output=True, text=True, check=False).stdout
        closure |= {line.strip().strip("<>") for line in output.splitlines() if line and line[0].isalpha()}
    base = {"libc6", "libgcc-s1"}
    missing = {}
    for name, path in libraries().items():
        if "/swift/" in path:
            continue
        owner = None
        for candidate in (path, path.replace("/lib/", "/usr/lib/", 1), path.replace("/usr/lib/", "/lib/", 1)):
            found = subprocess.run(["dpkg", "-S", candidate], capture_output=True, text=True, check=False)
            if found.returncode == 0:
                owner = found.stdout.split(":")[0]
                break
        if owner is None:
            # A name that update-alternatives keeps; what it stands for has an owner.
            owner = alternative_owner(path)
        if owner not in closure | base:
            missing[name] = owner
    assert not missing, f"not in the image: {missing}"


def alternative_owner(path):
    target = subprocess.run(["readlink", "-f", path], capture_output=True, text=True, check=True).stdout.strip()
    for candidate in (target, target.replace("/usr/lib/", "/lib/", 1)):
        found = subprocess.run(["dpkg", "-S", candidate], capture_output=True, text=True, check=False)
        if found.returncode == 0:
            return found.stdout.split(":")[0]
    return None


def test_the_image_runs_as_nobody_in_particular_and_says_how_it_is():
    stage = runtime_stage()
    assert re.search(r"^USER pathlight$", stage, re.MULTILINE)
    assert re.search(r"^STOPSIGNAL SIGTERM$", stage, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK .*\n?.*/livez", stage, re.MULTILINE)
    assert re.search(r"^VOLUME .*/data", stage, re.MULTILINE)
    assert "ENTRYPOINT [" in stage, "a shell in between would swallow SIGTERM"


def test_the_build_sees_only_what_it_needs():
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split()
    assert {".git", ".build", "data", ".venv"} <= set(ignored)


@needs("systemd-analyze")
def test_the_unit_is_valid(tmp_path):
    # The program that it names is not installed here; everything else is as it ships.
    unit = tmp_path / "pathlight.service"
    unit.write_text(re.sub(r"/usr/(local/)?bin/pathlight", "/bin/true", UNIT.read_text("utf-8")), "utf-8")
    result = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False)
    about_us = [line for line in result.stderr.splitlines() if "pathlight" in line]
    assert not about_us, about_us


@needs("systemd-analyze")
def test_the_unit_is_hardened(tmp_path):
    unit = tmp_path / "pathlight.service"
    shutil.copy(UNIT, unit)
    result = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)], capture_output=True, text=True,
        check=False)
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", result.stdout)
    if found is None:
        pytest.skip(f"this systemd cannot judge a file: {result.stderr[:200]}")
    # 9.6 for a unit that says nothing, 0 for one that may do nothing.
    assert float(found.group(1)) <= 2.5, result.stdout
