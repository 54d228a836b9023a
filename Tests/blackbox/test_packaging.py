"""What ships beside the program: the image's packages, and the unit of the service manager."""

import fnmatch
import functools
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from harness import BINARY, ROOT, free_port

DOCKERFILE = ROOT / "Dockerfile"
UNIT = ROOT / "packaging/pathlight.service"
SETUP = ROOT / "scripts/setup-system"
# In every Debian image.
BASE = {"libc6", "libgcc-s1"}
# What no library of the program shows: files that it reads.
DATA_PACKAGES = {"ca-certificates", "tzdata"}


def needs(program):
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


def stages():
    """The build's and the image's own."""
    parts = DOCKERFILE.read_text("utf-8").split("\nFROM ")[1:]
    assert len(parts) == 2
    return parts


def runtime_stage():
    return stages()[1]


def packages(stage):
    found = re.search(r"apt-get install -y --no-install-recommends ([^&]*)&&", stage)
    return set(found.group(1).replace("\\\n", " ").split())


def runtime_packages():
    return packages(runtime_stage())


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
    missing = {name: owner(path) for name, path in libraries().items()
               if "/swift/" not in path and owner(path) not in closure | BASE}
    assert not missing, f"not in the image: {missing}"


def candidates(path):
    """What a file may be called in its package; for a name that update-alternatives keeps, what it stands for."""
    target = os.path.realpath(path)
    return (path, path.replace("/lib/", "/usr/lib/", 1), path.replace("/usr/lib/", "/lib/", 1), target,
            target.replace("/usr/lib/", "/lib/", 1))


@functools.cache
def owners():
    """The package of each name that a library of the program may have: asked for at once, for it takes a while."""
    names = {name for path in libraries().values() for name in candidates(path)}
    output = subprocess.run(["dpkg", "-S", *sorted(names)], capture_output=True, text=True, check=False).stdout
    return {name: package.split(":")[0]
            for package, name in (line.rsplit(": ", 1) for line in output.splitlines() if ": " in line)}


def owner(path):
    """The package that one of the program's libraries is of."""
    return next((owners()[name] for name in candidates(path) if name in owners()), None)


def dynamic(file):
    """What a file names in its dynamic section, by kind: NEEDED, RUNPATH."""
    output = subprocess.run(["readelf", "-dW", str(file)], capture_output=True, text=True, check=True).stdout
    found = {}
    for kind, name in re.findall(r"\((NEEDED|RUNPATH|RPATH)\)[^\[]*\[([^\]]*)\]", output):
        found.setdefault(kind, []).append(name)
    return found


@needs("dpkg")
@needs("ldd")
@needs("readelf")
def test_the_image_names_what_the_program_names_and_no_more():
    """What others bring along today they may not tomorrow; what nothing loads is not carried."""
    found = libraries()
    own = [path for name, path in found.items() if name in dynamic(BINARY)["NEEDED"] and "/swift/" not in path]
    assert len(own) >= 5, found
    missing = {owner(path) for path in own} - runtime_packages() - BASE
    assert not missing, f"the program loads these itself: {missing}"
    idle = runtime_packages() - {owner(path) for path in found.values()} - DATA_PACKAGES
    assert not idle, f"nothing is loaded of these: {idle}"


@needs("ldd")
@needs("readelf")
def test_swifts_libraries_are_where_the_image_has_them():
    """All in the one folder of the toolchain that the program was built by; in the image that is /usr/lib/swift/linux."""
    folders = {os.path.dirname(path) for path in libraries().values() if "/swift/" in path}
    assert len(folders) == 1 and folders.pop().endswith("/usr/lib/swift/linux")
    paths = [Path(path) for line in dynamic(BINARY).get("RUNPATH", []) for path in line.split(":")]
    assert all(path.name == "linux" or str(path) == "$ORIGIN" for path in paths), paths


def test_the_image_is_built_with_what_set_up_installs():
    wanted = set(re.findall(r"\|\| echo ([a-z0-9-]+)$", SETUP.read_text("utf-8"), re.MULTILINE))
    assert {"libcurl4-openssl-dev", "pkg-config"} <= wanted, wanted
    # Python and curl are of the tests and of fetching the model, wrk of the benchmarks.
    assert wanted - packages(stages()[0]) <= {"curl", "wrk"}
    assert packages(stages()[0]) <= wanted


def is_ignored(path):
    """By .dockerignore: the last pattern that fits decides."""
    ignored = False
    for line in (ROOT / ".dockerignore").read_text("utf-8").split():
        pattern = line.removeprefix("!")
        parents = [path, *map(str, Path(path).parents)]
        names = [pattern, pattern.removeprefix("**/")] if pattern.startswith("**/") else [pattern]
        if any(fnmatch.fnmatch(each, name) or name != pattern and fnmatch.fnmatch(Path(each).name, name)
               for each in parents for name in names):
            ignored = not line.startswith("!")
    return ignored


def test_what_the_image_copies_is_there_and_sent_to_the_builder():
    copied = re.findall(r"^COPY (?!--from)(?:--\S+ )?(\S+) \S+$", DOCKERFILE.read_text("utf-8"), re.MULTILINE)
    assert set(copied) == {"Package.swift", "Package.resolve[d]", "Sources", "Tests", "Benchmarks", "models/manifest.json",
                           "models/all-MiniLM-L6-v2-occupations"}
    for pattern in copied:
        found = list(ROOT.glob(pattern))
        assert found, f"{pattern} is not there"
        assert not any(is_ignored(str(path.relative_to(ROOT))) for path in found), pattern
    assert is_ignored("models/all-MiniLM-L6-v2/model.safetensors") and is_ignored("data/keys/columns.key")
    # What the manifest reads has to be copied before dependencies are resolved, and every target afterwards.
    folders = set(re.findall(r'path: "([^"/]+)/', (ROOT / "Package.swift").read_text("utf-8")))
    assert folders <= set(copied), folders


def test_the_health_check_tells_whether_the_service_answers(start_service):
    check = json.loads(re.search(r"HEALTHCHECK [^\n]*\\\n\s+CMD (\[.*\])$", runtime_stage(), re.MULTILINE).group(1))

    def status(port):
        return subprocess.run(check, env={**os.environ, "PATHLIGHT_PORT": str(port)}, capture_output=True,
                              timeout=10, check=False).returncode

    service = start_service()
    assert status(service.port) == 0
    assert status(free_port()) != 0


# Setting up

def setup(tmp_path, version):
    """Runs the script with a pkg-config that says this of libcurl, and knows every other library."""
    fake = tmp_path / "bin/pkg-config"
    fake.parent.mkdir(exist_ok=True)
    fake.write_text(f"""#!{sys.executable}
import sys
arguments = sys.argv[1:]
def number(text):
    return [int(part) for part in text.split(".")]
if arguments[0].startswith("--atleast-version="):
    sys.exit(number({version!r}) < number(arguments[0].split("=")[1]))
if arguments == ["--modversion", "libcurl"]:
    print({version!r})
""", "utf-8")
    fake.chmod(0o755)
    environment = {**os.environ, "PATH": f"{fake.parent}:{os.environ['PATH']}"}
    return subprocess.run([str(SETUP)], capture_output=True, text=True, env=environment, timeout=60, check=False)


@needs("swift")
def test_a_libcurl_that_is_too_old_is_told_before_anything_is_built(tmp_path):
    for version in ("7.81.0", "7.86.0", "7.9.8"):
        result = setup(tmp_path, version)
        assert result.returncode == 1, result.stderr
        assert f"libcurl {version} is installed; 7.87.0 or later is needed" in result.stderr
    for version in ("7.87.0", "7.88.1", "8.5.0"):
        assert setup(tmp_path, version).returncode == 0


def test_the_version_of_libcurl_is_that_of_the_code():
    shim = (ROOT / "Sources/CCurl/shim.h").read_text("utf-8")
    number = int(re.search(r"#if LIBCURL_VERSION_NUM < (0x[0-9a-f]{6})\n#error", shim).group(1), 16)
    version = f"{number >> 16}.{number >> 8 & 255}.{number & 255}"
    assert f"least_curl={version}\n" in SETUP.read_text("utf-8")


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
