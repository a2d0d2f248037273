# Programs that the tests start and nobody wants to have installed, for a package of a server starts one: unpacked from
# Debian's package into tools beside the build folder, once. Sourced with $build set.
# shellcheck shell=bash disable=SC2154

tools=$build/../tools

# tool PACKAGE PATH: prints where the program is; fails where it cannot be had.
tool()
{
    command -v "${2##*/}" 2>/dev/null && return
    mkdir -p "$tools"
    [[ -x $tools/$2 ]] || (cd "$tools" && unpack "$1") >"$tools/log" 2>&1 || return 1
    echo "$tools/$2"
}

unpack()
{
    apt-get --quiet --quiet download "$1"
    dpkg -x "$1"_*.deb .
    rm "$1"_*.deb
}

# Why there was none.
tool_missing()
{
    tail -n 1 "$tools/log"
}
