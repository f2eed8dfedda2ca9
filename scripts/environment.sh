# Sourced by run.sh and test.sh: a virtual environment in .venv, because Debian's own pip refuses to install.

# install SIZE WHAT...: pip install into .venv, again only when WHAT or pyproject.toml has changed.
install() {
    size=$1
    shift
    work="updating .venv"
    if ! [ -x .venv/bin/python ]; then
        # What is wrong with it, and whose it is, only its user knows.
        [ -e .venv ] || [ -L .venv ] && fail "$PWD/.venv is there, but its Python cannot be run: delete or move it first"
        work="installing into .venv ($size, some minutes)"
        # Half of one would be taken for a whole one the next time.
        trap 'rm -rf .venv; exit 1' INT TERM HUP
        make_environment
        trap - INT TERM HUP
    fi
    stamp=".venv/.installed-$(printf '%s\n' "$*" | cat - pyproject.toml | cksum | tr ' ' -)"
    [ -e "$stamp" ] && return
    echo "clearcall: $work" >&2
    .venv/bin/python -m pip install --quiet --disable-pip-version-check "$@" || return 1
    touch "$stamp"
}

# Where there is none: what it removes, it has made itself.
make_environment() {
    for python in python3 python3.13 python3.12 python3.11; do
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break
        python=
    done
    [ -n "$python" ] || fail "clearcall needs Python 3.11 or newer"
    "$python" -m venv .venv 2>/dev/null && return
    # Debian keeps what venv needs in a package of its own; its pip can stand in for that.
    rm -rf .venv
    "$python" -m venv --without-pip .venv && "$python" -m pip --quiet --python .venv/bin/python install pip 2>/dev/null && return
    rm -rf .venv
    as_root apt-get install -qq -y python3-venv >/dev/null && "$python" -m venv .venv && return
    rm -rf .venv
    fail "Python's venv is missing: sudo apt install python3-venv"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@" 2>/dev/null; fi
}

fail() {
    echo "clearcall: $*" >&2
    exit 1
}
