#!/bin/sh
# Installs what the tests use from Debian where it is missing: Chromium, a Chinese font, PostgreSQL. Never fails: tests say
# themselves what they lack, and those on PostgreSQL fail without it.
set -u

has_any() {
    for command in "$@"; do
        command -v "$command" >/dev/null && return 0
    done
    return 1
}

missing=""
has_any chromium chromium-browser google-chrome || missing="$missing chromium"
find /usr/share/fonts /usr/local/share/fonts "${HOME:-/root}/.fonts" -iname '*CJK*' 2>/dev/null | grep -q . || missing="$missing fonts-noto-cjk"
has_any initdb || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"

[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && has_any apt-get; then
    echo "Installing$missing ..."
    # The list of packages is split into words on purpose.
    # shellcheck disable=SC2086
    if apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing </dev/null; then
        exit 0
    fi
fi
echo "Not installed:$missing. Tests that need a browser or a font are skipped and say so; those on PostgreSQL fail." >&2
echo "As root: apt-get install$missing" >&2
exit 0
