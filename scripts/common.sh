# Shared by the set-up scripts: where the repository is, and how to speak. Everything goes to standard error, so that a
# script's standard output stays free for data. Sourced, never run.
# shellcheck shell=bash

# shellcheck disable=SC2034
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }

# Ends the script with a reason and, on the following lines, what a person can do about it.
die() {
    printf 'error: %s\n' "$1" >&2
    shift
    for line in "$@"; do printf '       %s\n' "$line" >&2; done
    exit 1
}

# Whether an interpreter can make private environments with pip inside; Debian packages that part apart (python3-venv).
python_is_complete() { "$1" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 8))' 2>/dev/null; }

# Prints the first Python that is complete. A version manager's shim may come first in PATH and lead nowhere, therefore
# the system's own interpreter is asked as well.
find_python() {
    local candidate
    for candidate in python3 /usr/bin/python3; do
        if python_is_complete "$candidate"; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}
