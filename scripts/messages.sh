#!/bin/sh
# Brings web/translations up to date with the words in the code and templates; new ones are left empty, to be translated by hand.
set -eu
cd "$(dirname "$0")/.."
catalogue=$(mktemp)
trap 'rm -f "$catalogue"' EXIT

.venv/bin/pybabel --quiet extract --mapping babel.cfg --keywords N_ --keywords lazy_gettext --no-location --sort-output \
    --output "$catalogue" .
.venv/bin/pybabel --quiet update --input-file "$catalogue" --output-dir web/translations --locale zh --no-fuzzy-matching \
    --ignore-pot-creation-date --ignore-obsolete --width 120
# Dates and names in the head of the file say nothing that the history does not say.
sed -i '/^"\(Report-Msgid-Bugs-To\|POT-Creation-Date\|PO-Revision-Date\|Last-Translator\|Language-Team\|Generated-By\)/d' \
    web/translations/zh/LC_MESSAGES/messages.po
