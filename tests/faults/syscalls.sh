#!/usr/bin/env bash
# kill -9 at the calls by which a worker changes the disk, and errors from them: syscalls.sh
# BUILD_FOLDER [SEED]. Every call with PROVE_SIZE=nightly; otherwise every so manieth, the seed says
# which ones.
# shellcheck source=tests/faults/kills_lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/kills_lib.sh" "${1-}"

seed=${2:-$((RANDOM * 32768 + RANDOM))}
at_once=3 # on two cores: a point also waits
kill_step=2 error_step=5
case $size in
ci) kill_step=12 error_step=24 ;;
nightly) kill_step=1 error_step=1 ;;
esac

# point KIND CALL AT [keep]
point()
{
    "$programs/fault_point" "$bookflow" "$shim" "$work/$1-$2-$3" "$@"
}

# --- What there is to hit.

declare -A calls=() # how often each is made by start, five bookings, two decisions, drain
total=0

count_calls()
{
    local -a words
    read -ra words < <(point count any 0)
    [[ ${words[0]} == ok ]] || { echo "counting: ${words[*]}" && exit 1; }
    local i
    for ((i = 7; i < ${#words[@]}; i += 2)); do
        calls[${words[i]}]=${words[i + 1]}
        total=$((total + words[i + 1]))
    done
}

# every CALL KIND STEP: the points of one kind.
every()
{
    local at most=${calls[$1]-$total}
    for ((at = 1 + seed % $3; at <= most; at += $3)); do
        echo "$2 $1 $at"
    done
}

all_points()
{
    local kind at
    for ((at = 1 + seed % kill_step; at <= total; at += kill_step)); do
        kind=kill-before
        ((at / kill_step % 2 == 0)) || kind=kill-after
        echo "$kind any $at"
        [[ $size != nightly ]] || echo "${kind/before/after} any $at"
        [[ $size != nightly ]] || echo "${kind/after/before} any $at"
    done | sort -u
    for kind in EIO ENOSPC EINTR; do
        every pwrite64 "$kind" "$error_step"
        every fdatasync "$kind" "$error_step"
        every ftruncate "$kind" 1
    done
}

run_points()
{
    all_points | awk -v work="$work" '{ print work "/" $1 "-" $2 "-" $3, $0 }' |
        xargs -P "$at_once" -L 1 "$programs/fault_point" "$bookflow" "$shim" >"$work/results" || true
}

# outcomes PATTERN: how many points of the kinds ended how, in words.
outcomes()
{
    awk -v kinds="^($1)\$" '$2 ~ kinds && $5 != "unreached" { n[$5]++ }
        END { for (o in n) printf "%s%d %s", (s++ ? ", " : ""), n[o], o }' "$work/results"
}

reached()
{
    awk -v kinds="^($1)\$" '$2 ~ kinds && $5 != "unreached"' "$work/results" | wc -l
}

bad()
{
    awk -v kinds="^($1)\$" '$1 != "ok" && $2 ~ kinds' "$work/results" | wc -l
}

report()
{
    local kills='kill-before|kill-after' errors='EIO|ENOSPC|EINTR' mark=ok wanted=400
    [[ $size != ci ]] || wanted=80
    grep -v '^ok ' "$work/results" || true
    (($(bad "$kills") == 0 && $(reached "$kills") * kill_step * 4 > total * 3)) || mark=MISSED
    figure R5 $mark "kill at the calls that change the disk: $(reached "$kills") kills (of $total calls every ${kill_step}., right before and right after; seed $seed), $(bad "$kills") bad: 0 acknowledged lost, audit whole, bookings taken again"
    mark=ok
    (($(bad "$errors") == 0 && $(reached "$errors") >= wanted)) || mark=MISSED
    figure R5 $mark "EIO, ENOSPC, EINTR from pwrite64, fdatasync, ftruncate: $(reached "$errors") errors, $(bad "$errors") bad; $(outcomes "$errors"); $(awk '{ n += $7 } END { print n + 0 }' "$work/results") answers 503; no 201 without its row"
}

# --- Controls.

# All that could change a file, to show that the list of the shim is whole.
others=write,writev,pwritev,pwritev2,truncate,fallocate,copy_file_range,sendfile,splice,link,linkat,symlink,symlinkat,rmdir,chmod,fchmodat,chown,fchownat,sync,syncfs,msync,sync_file_range,io_uring_enter,renameat2
ours=pwrite64,fdatasync,fsync,ftruncate,unlink,unlinkat,rename,renameat,mkdir,mkdirat,mknod,mknodat,open,openat,creat,fchmod,fchown,utimensat,bind

# strace and the shim look at one run: they must have seen the same, and nothing else may have written
# into the folder (the log apart).
strace_agrees()
{
    local wrapper=$work/traced trace=$work/trace seen counted elsewhere
    cat >"$wrapper" <<WRAPPER
#!/bin/sh
preload=\$LD_PRELOAD
unset LD_PRELOAD
[ "\$preload" ] || exec '$bookflow' "\$@"
exec strace -D -f -qq -y -o '$trace' -e 'trace=$ours,$others' -e signal=none -E LD_PRELOAD="\$preload" '$bookflow' "\$@"
WRAPPER
    chmod +x "$wrapper"
    local -a words
    read -ra words < <("$programs/fault_point" "$wrapper" "$shim" "$work/strace" count any 0 keep)
    [[ ${words[0]} == ok ]] || { echo "under strace: ${words[*]}" && return 1; }
    counted=$(awk '{ n += $2 } END { print n }' "$work/strace/hit")
    # Without what the shim itself writes down at the end, and without opens that make nothing.
    seen=$(grep -E "^[0-9]+ +(${ours//,/|})\(" "$trace" | grep -v "$work/strace/hit" |
        awk '!/ (open|openat)\(/ || /O_CREAT/' | wc -l)
    elsewhere=$(grep -E "^[0-9]+ +(${others//,/|})\(.*$work" "$trace" | grep -Evc 'strace/(worker\.log|hit)' || true)
    echo "strace and the shim: $seen and $counted calls, $elsewhere others"
    ((seen == counted && elsewhere == 0 && counted > 500))
}

# finds KIND CALL AT WORDS: the point must be BAD, and say so in these words. Some calls are about a
# folder, where nothing is expected: then the next.
finds()
{
    planted=$((planted + 1))
    local line at
    for ((at = $3; at < $3 + 5; at++)); do
        line=$(point "$1" "$2" "$at" || true)
        if [[ $line == BAD*"$4"* ]]; then
            found=$((found + 1))
            return
        fi
    done
    printf 'NOT FOUND: %s (%s)\n' "$*" "$line"
}

controls()
{
    local planted=0 found=0 mark=ok agreed=no
    finds forget any $((total * 2 / 3)) 'intake does not have the booking'
    finds unheard fdatasync $((calls[fdatasync] / 2)) 'it lived on after a failed fsync'
    ! strace_agrees || agreed=yes
    [[ $found == "$planted" && $agreed == yes ]] || mark=MISSED
    figure R5 $mark "controls: $found of $planted planted bugs found; strace sees the calls that are counted here and no others: $agreed"
}

echo "seed $seed"
count_calls
run_points
report
controls
finish
