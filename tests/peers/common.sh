# What the scripts that start peers share; sourced by them, never run.
# shellcheck shell=sh

PATH=$PATH:/usr/sbin:/sbin

# The name that MIT gives the enctype (without it, SHA-1 is understood).
mit_enctype() {
    case $1 in
    aes256-sha1) echo aes256-cts-hmac-sha1-96 ;;
    aes128-sha1) echo aes128-cts-hmac-sha1-96 ;;
    aes256-sha2) echo aes256-cts-hmac-sha384-192 ;;
    aes128-sha2) echo aes128-cts-hmac-sha256-128 ;;
    camellia256) echo camellia256-cts-cmac ;;
    camellia128) echo camellia128-cts-cmac ;;
    rc4) echo arcfour-hmac ;;
    esac
}

is_listening() { # is_listening PORT
    grep -qi "^ *[0-9]*: [0-9A-F]*:$(printf %04X "$1") [0-9A-F]*:0000 0A" /proc/net/tcp
}

# The next port after $port on which nobody listens.
next_port() {
    port=$((port + 1))
    while is_listening "$port"; do port=$((port + 1)); done
}

# start NAME COMMAND...: in the background, its output in $folder/NAME.log, its id in
# $folder/NAME.pid. The kernel ends it when this shell is gone, however that went.
start() {
    name=$1
    shift
    setpriv --pdeathsig KILL "$@" </dev/null >>"$folder/$name.log" 2>&1 &
    echo $! >"$folder/$name.pid"
    started="${started-} $!"
}

# ready_at NAME PORT: whether what was started as NAME listens before ten seconds are over.
ready_at() {
    tries=0
    while [ $tries -lt 200 ] && kill -0 "$(cat "$folder/$1.pid")" 2>/dev/null; do
        is_listening "$2" && return 0
        sleep 0.05
        tries=$((tries + 1))
    done
    return 1
}

# Ends what was started, by process id.
stop_started() {
    # shellcheck disable=SC2086 # a list of words
    [ -z "${started-}" ] || kill -s "${stop_with-TERM}" $started 2>/dev/null || :
    wait
    # libfaketime forgets these when a signal ends its process.
    for id in ${started-}; do
        rm -f "/dev/shm/faketime_shm_$id" "/dev/shm/sem.faketime_sem_$id"
    done
    started=
}

# fail PROBLEM: says so with the ends of the logs.
fail() {
    echo "$(basename "$0" .sh): $1" >&2
    tail -n 5 "$folder"/*.log >&2 2>/dev/null || :
    exit 1
}

# Sets $folder to the first argument, made if absent, and has everything stopped at the end.
begin() {
    umask 077
    mkdir -p "$1"
    folder=$(cd "$1" && pwd)
    trap 'trap - EXIT; stop_started' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
}

# Says that everything is there, and waits for the end of standard input: whoever started us holds
# its other end, and the death of that process closes it too.
serve() {
    echo ready
    while read -r _; do :; done
}
