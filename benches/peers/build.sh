#!/bin/sh
# Compiles gss_bench.c, or the acceptor of gss_acceptor.c: build.sh OUTPUT mit|heimdal|acceptor. All use MIT's
# headers; the calls that they make are the same.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
source=gss_bench.c
case $2 in
mit) set -- "$1" -DMIT -lgssapi_krb5 -lkrb5 ;;
acceptor)
    source=gss_acceptor.c
    set -- "$1" -lgssapi_krb5
    ;;
heimdal)
    lib=$(sh "$here/../../tests/peers/install.sh" --heimdal-root)/lib
    set -- "$1" "$lib/libgssapi.so.3" -Wl,--disable-new-dtags,-rpath,"$lib",-rpath-link,"$lib"
    ;;
esac
output=$1
shift
exec gcc -std=c11 -D_DEFAULT_SOURCE -O2 -Wall -Wextra -Werror -o "$output" "$here/$source" "$@"
