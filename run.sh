#!/bin/sh
# Installs clearcall into .venv beside this file (once) and runs it: ./run.sh relay
set -eu
here=$(cd "$(dirname "$0")" && pwd)
called_from=$PWD
cd "$here"
. scripts/environment.sh
install 'about 800 MB' -e .
cd "$called_from"
exec "$here/.venv/bin/clearcall" "$@"
