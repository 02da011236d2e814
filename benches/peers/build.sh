#!/bin/sh
# Compiles gss_bench.c: build.sh OUTPUT mit|heimdal. Both use MIT's headers; the calls that it makes are the same.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
case $2 in
mit) set -- "$1" -DMIT -lgssapi_krb5 -lkrb5 ;;
heimdal)
    lib=$(sh "$here/../../tests/peers/install.sh" --heimdal-root)/lib
    set -- "$1" "$lib/libgssapi.so.3" -Wl,--disable-new-dtags,-rpath,"$lib",-rpath-link,"$lib"
    ;;
esac
output=$1
shift
exec gcc -std=c11 -O2 -Wall -Wextra -Werror -o "$output" "$here/gss_bench.c" "$@"
