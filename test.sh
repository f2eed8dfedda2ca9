#!/bin/sh
# Installs clearcall with all that its tests need into .venv beside this file, and runs them: ./test.sh [PYTEST OPTIONS]
set -eu
cd "$(dirname "$0")"
. scripts/environment.sh
# This torch has wheels without CUDA where the package index offers them; the tests need none.
install '2 GB or more' -e '.[train,test]' torch==2.13.0
# It compiles plans without a GPU, of 95 MB. Without it the tests of that are skipped, and say so.
install 'about 95 MB' 'tensorrt-rtx>=1.7' 2>/dev/null || :
if ! command -v chromium >/dev/null; then
    { as_root apt-get update -qq && as_root apt-get install -qq -y chromium; } >/dev/null || :
    command -v chromium >/dev/null || fail "the tests call the relay from a real browser: sudo apt install chromium"
fi
desktop="dbus pipewire pipewire-bin wireplumber gstreamer1.0-pipewire gstreamer1.0-tools gstreamer1.0-plugins-base"
desktop="$desktop xvfb python3-tk"
if ! command -v wireplumber >/dev/null || ! command -v Xvfb >/dev/null || ! gst-inspect-1.0 pipewiresrc >/dev/null 2>&1; then
    # Without them the tests of the virtual camera and its preview are skipped, and say so.
    { as_root apt-get update -qq && as_root apt-get install -qq -y --no-install-recommends $desktop; } >/dev/null 2>&1 || :
fi
exec .venv/bin/python -m pytest "$@"
