#!/bin/sh
# Makes .venv and installs what the given lock file names into it, and then this project itself.
# Usage: scripts/setup_python.sh LOCK_FILE
set -eu
cd "$(dirname "$0")/.."
lock_file=$1

find_python() {
    for candidate in "${PYTHON:-}" python3.11 python3.12 python3.13 python3; do
        if [ -n "$candidate" ] && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "Baton needs Python 3.11 or newer; set PYTHON=/path/to/python if it is not on the PATH." >&2
    return 1
}

if [ ! -x .venv/bin/python ]; then
    python=$(find_python)
    # Debian keeps the part that puts pip into a new environment in a package of its own.
    if ! "$python" -c 'import ensurepip' 2>/dev/null; then
        if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
            echo "Installing python3-venv ..."
            apt-get update -qq
            DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv </dev/null
        else
            echo "This Python cannot make virtual environments; install python3-venv (as root: apt-get install python3-venv) and try again." >&2
            exit 1
        fi
    fi
    echo "Making .venv ..."
    "$python" -m venv .venv
fi

echo "Installing the Python packages of $lock_file ..."
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement "$lock_file"
# The build tool comes from the lock file too, so nothing unpinned is fetched here.
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
# Where PYTHONDONTWRITEBYTECODE is set, as in many containers, every start of the server would compile all of it anew,
# which takes longer than everything else that a start does.
if [ "$lock_file" = requirements.lock ]; then
    env -u PYTHONDONTWRITEBYTECODE .venv/bin/python -m compileall -q -j 0 .venv/lib >/dev/null || true
fi
