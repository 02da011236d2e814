#!/bin/sh
# Runs Heimdal's server of credential caches for as long as standard input stays open:
#
#     heimdal_kcm.sh FOLDER
#
# Prints "ready" when it listens, and stops it (by process id) when standard input reaches its end or
# the script is signalled. Its socket has a fixed place in /run, so it gets a /run of its own; "socket"
# in FOLDER holds the path by which it can be reached from outside. Root.
set -eu
mkdir -p "$1"
folder=$(cd "$1" && pwd)
root=$("$(dirname "$0")/install.sh" --heimdal-root)
kcm=

stop() {
    trap - EXIT
    [ -z "$kcm" ] || kill "$kcm" 2>/dev/null || :
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

cat >"$folder/kcm.conf" <<CONF
[libdefaults]
    default_realm = COUNTERSIGN.TEST
CONF
KRB5_CONFIG=$folder/kcm.conf LD_LIBRARY_PATH=$root/lib \
    unshare --mount sh -c 'mount -t tmpfs tmpfs /run && exec "$0" "$@"' \
    "$root/bin/kcm" --config-file="$folder/kcm.conf" </dev/null >"$folder/kcm.log" 2>&1 &
kcm=$!
socket=/proc/$kcm/root/run/.heim_org.h5l.kcm-socket
tries=0
while [ ! -S "$socket" ]; do
    if [ $tries -ge 100 ] || ! kill -0 "$kcm" 2>/dev/null; then
        cat "$folder/kcm.log" >&2
        exit 1
    fi
    sleep 0.1
    tries=$((tries + 1))
done
printf '%s' "$socket" >"$folder/socket"
echo ready
# Whoever started us holds the other end; its death closes it too.
while read -r _; do :; done
