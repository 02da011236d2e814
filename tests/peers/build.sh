#!/bin/sh
# Compiles the C peers: build.sh OUTPUT [SOURCE]; gss_peer.c unless SOURCE is another of this folder.
set -eu
output=$1
source=$(dirname "$0")/${2-gss_peer.c}
exec gcc -std=c11 -O1 -g -Wall -Wextra -Werror -o "$output" "$source" -lgssapi_krb5 -lkrb5 -lcom_err
