#!/bin/sh
# Install downpour from this directory alone; no index and no network is asked for anything.
#
#   sh install.sh [PREFIX]                     to PREFIX, else ./downpour-venv
#   PYTHON=/opt/py/bin/python3 sh install.sh   with this Python, and not the one that is found
set -eu
# The names in the kit are bytes to every tool, whatever the language here.
LC_ALL=C
export LC_ALL

fail() {
    echo "error: $1" >&2
    exit 1
}
printable() {
    printf '%s\n' "$1" | head -n 20 | tr -c '[:print:]\n' '?' >&2
}
damaged() {
    printable "$1"
    fail "the kit is damaged or not complete (copy it again)"
}
# A tool, or the Python, could be a file of the kit.
case :$PATH: in
*:[!/]*) fail "PATH has a directory that does not begin with / (take it out, or say PATH=/usr/bin:/bin sh install.sh)" ;;
esac

[ $# -le 1 ] || fail "install.sh takes one argument at most, the directory to install to"
case ${1:-} in
-*) fail "install.sh has no options; sh install.sh [PREFIX] is all" ;;
esac
kit=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
prefix=${1:-downpour-venv}
case $prefix in
/*) ;;
*) prefix=$PWD/$prefix ;;
esac
[ ! -e "$prefix" ] || fail "$prefix exists already (name another directory, or remove it first)"

# 1. Is the kit what its list says, and nothing more?  Nothing of it runs before that is sure.
unlisted() {
    find . ! -type f ! -type d
    find . -type d ! -path . ! -path ./wheels
    find . -name '*[!A-Za-z0-9_.+!-]*'
    # 1: grep found none; anything else is an error of grep.
    find . -type f | grep -vxF -e ./SHA256SUMS -e "$listed" || [ $? -eq 1 ]
}
start=$PWD
cd -- "$kit"
[ -f SHA256SUMS ] && [ ! -L SHA256SUMS ] || damaged "SHA256SUMS cannot be read"
listed=$(sed -n 's|^[0-9a-f]\{64\}  |./|p' SHA256SUMS)
strange=$(unlisted)
if [ -n "$strange" ]; then
    printable "$strange"
    fail "the kit holds what its list does not have (copy it again, or remove that)"
fi
checked=$(sha256sum -c SHA256SUMS 2>/dev/null) ||
    damaged "$(printf '%s\n' "$checked" | grep -v ': OK$')"
cd -- "$start"

# 2. A Python that the kit was made for.
version_of() {
    "$1" -I -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true
}
kept=$(printf '%s\n' "$listed" | sed -n 's|^\./requirements-\(3\.[0-9]*\)\.txt$|\1|p' | sort -rV | tr '\n' ' ')
python=
if [ -n "${PYTHON:-}" ]; then
    version=$(version_of "$PYTHON")
    [ -n "$version" ] || fail "$PYTHON is not a Python that runs"
    case " $kept" in
    *" $version "*) ;;
    *) fail "$PYTHON is Python $version, and this kit is for Python ${kept% } (make one with --python $version)" ;;
    esac
    python=$PYTHON
else
    for each in $kept; do
        for name in "python$each" python3; do
            if [ -z "$python" ] && [ "$(version_of "$name")" = "$each" ]; then
                python=$name
                version=$each
            fi
        done
    done
    found=$(version_of python3)
    [ -n "$python" ] ||
        fail "this kit is for Python ${kept% }, and here is ${found:-no python3} (install one of them, name it with PYTHON=, or make a kit with --python ${found:-VERSION})"
fi

# 3. The processor and C library that its wheels were built for.
platform=$(cat "$kit/PLATFORM")
"$python" -I - "$platform" <<'EOF' || exit 1
import os, platform, sys

_, _, wanted, machine = sys.argv[1].split("_", 3)
try:
    libc, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
except (ValueError, OSError):
    libc, version = "", ""
here = f"{libc or 'no glibc'} {version}".strip() + f" on {platform.machine()}"
if platform.machine() != machine or libc != "glibc" or int(version.split(".")[1]) < int(wanted):
    sys.exit(
        f"error: this kit is for glibc 2.{wanted} or later on {machine}, and here is {here} "
        "(make one with --platform)"
    )
EOF

# 4. A venv of its own.  What fails leaves nothing.
trap 'rm -rf -- "$prefix"' EXIT
trap 'exit 130' INT TERM
echo "installing with $("$python" -I --version) to $prefix"
"$python" -I -m venv --without-pip "$prefix" || fail "$python cannot make a venv (on Debian and Ubuntu: apt install python$version-venv)"
# pip comes with the kit: the far side's may be missing, or too old for these wheels.
pip=$(printf '%s\n' "$listed" | grep '^\./wheels/pip-[^/]*\.whl$' | tail -n 1)
PIP_CONFIG_FILE=/dev/null "$prefix/bin/python" -I "$kit/$pip/pip" --isolated \
    --disable-pip-version-check install --quiet --no-cache-dir --no-index --find-links "$kit/wheels" \
    --require-hashes --requirement "$kit/requirements-$version.txt" || fail "pip could not install what is in the kit"
"$prefix/bin/python" -I "$prefix/bin/downpour-import" --version || fail "what was installed does not run"
trap - EXIT

cat <<EOF
done; use it as
  $prefix/bin/downpour-import --help
or, for this shell:
  export PATH="$prefix/bin:\$PATH"
EOF
