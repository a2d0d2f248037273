#!/usr/bin/env bash
# The Debian package on a machine of its own: systemd boots in a container on an overlay of this machine, installs it, and
# inside.sh looks at it. Needs root, overlay mounts and systemd-nspawn; where one is refused it says SKIPPED.
#
#   boot.sh BUILD_FOLDER
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh" "${1-}"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/prove/figure.sh
source "$here/../prove/figure.sh"

root=$work/root upper=$work/upper
rows=(O1 O2 O3 O4 O5 O6 O15 S1 S2)

skip()
{
    local row
    for row in "${rows[@]}"; do
        figure "$row" SKIPPED "no container here: $1"
    done
    exit 0
}

undo_mount()
{
    umount "$root" 2>/dev/null || true
    clean_up
}

# A file system that overlayfs takes for its upper side: not another overlay.
mount_overlay()
{
    mkdir -p "$root" "$upper" "$work/scratch"
    mount -t overlay overlay -o "lowerdir=/,upperdir=$upper,workdir=$work/scratch" "$root" 2>"$work/mount.txt" ||
        { mount -t tmpfs tmpfs "$work" && mkdir -p "$root" "$upper" "$work/scratch" &&
            mount -t overlay overlay -o "lowerdir=/,upperdir=$upper,workdir=$work/scratch" "$root"; } 2>>"$work/mount.txt"
}

# boot TARGET SECONDS: until it powers itself off.
boot()
{
    timeout --kill-after=5 "$2" systemd-nspawn --quiet --directory="$root" --register=no --keep-unit \
        --private-network --link-journal=no --bind="$build/../sqs-peers:/ops/sqs-peers" --boot -- \
        "systemd.unit=$1" systemd.mask=systemd-networkd-wait-online.service </dev/null >"$work/boot.txt" 2>&1
}

add_unit()
{
    printf '[Unit]\nRequires=basic.target\nAfter=basic.target\nWants=ops.service\n' >"$root/etc/systemd/system/ops.target"
    cat >"$root/etc/systemd/system/ops.service" <<UNIT
[Unit]
After=basic.target systemd-journald.service
[Service]
Type=oneshot
TimeoutStartSec=infinity
Environment=LC_ALL=C.UTF-8 $1
ExecStart=/ops/tests/ops/$2
StandardOutput=file:/ops/out
StandardError=file:/ops/err
ExecStopPost=systemctl --no-block poweroff
UNIT
}

# The package, and the same as its next version.
package()
{
    cpack -G DEB --config "$build/CPackConfig.cmake" -B "$work/package" -D CPACK_PACKAGE_VERSION=0.0.1 >"$work/cpack.txt" 2>&1 ||
        fail "cpack: $(tail -n 5 "$work/cpack.txt")"
    cp "$work/package"/*.deb "$upper/ops/bookflow-0.0.1.deb"
    dpkg-deb --raw-extract "$work/package"/*.deb "$work/next"
    sed -i 's/^Version: .*/Version: 0.0.2/' "$work/next/DEBIAN/control"
    dpkg-deb --root-owner-group --build "$work/next" "$upper/ops/bookflow-0.0.2.deb" >/dev/null
}

((EUID == 0)) || skip 'not root'
command -v systemd-nspawn >/dev/null || skip 'systemd-nspawn is not installed'
trap undo_mount EXIT
mount_overlay || skip "overlay mounts are refused: $(tail -n 1 "$work/mount.txt")"
mkdir -p "$upper/ops/tests"
add_unit '' true
printf '#!/bin/sh\nexit 0\n' >"$upper/ops/true"
sed -i 's|^ExecStart=.*|ExecStart=/bin/true|' "$root/etc/systemd/system/ops.service"
mkdir -p "$build/../sqs-peers"
boot ops.target 30 || skip "systemd does not boot: $(tail -n 1 "$work/boot.txt")"

"$here/../sqs/peers.sh" "$build" >"$work/node"
cp -r "$here/../ops" "$here/../e2e" "$here/../sqs" "$here/../prove" "$upper/ops/tests/"
package
gcc -shared -fPIC -O2 -o "$upper/ops/hang.so" "$here/hang.c"
add_unit "ASAN=${ASAN_OPTIONS:+1}" inside.sh
boot ops.target 180 || true
[[ ! -s $upper/ops/out ]] || cat "$upper/ops/out"
grep -q '^inside: done$' "$upper/ops/out" || {
    cat "$upper/ops/err" >&2
    tail -n 20 "$work/boot.txt" >&2
    fail 'the test inside the container comes to its end'
}
! grep -q '^FIGURE [A-Z0-9]* MISSED' "$upper/ops/out" || fail 'every figure is reached'
finish
