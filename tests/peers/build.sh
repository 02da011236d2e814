#!/bin/sh
# Compiles the C peer: build.sh OUTPUT
set -eu
output=$1
source=$(dirname "$0")/gss_peer.c
exec gcc -std=c11 -O1 -g -Wall -Wextra -Werror -o "$output" "$source" -lgssapi_krb5 -lkrb5 -lcom_err
