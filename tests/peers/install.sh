#!/bin/sh
# Installs what the interoperability tests need and this machine lacks.
# Debian or Ubuntu, as root. Does nothing, quickly, when everything is there.
# Exit status: 0 everything is present, 3 something is missing and cannot be installed here, and
# then standard output says what and why. Progress goes to standard error.
set -eu

missing=
need() { # need COMMAND-OR-FILE PACKAGE
    case $1 in
    /*) [ -e "$1" ] && return ;;
    *) command -v "$1" >/dev/null 2>&1 && return ;;
    esac
    missing="$missing $2"
}

PATH=$PATH:/usr/sbin:/sbin
need krb5kdc krb5-kdc
need kadmin.local krb5-admin-server
need kinit krb5-user
need gss-client krb5-gss-samples
need gss-server krb5-gss-samples
need /usr/include/gssapi/gssapi_ext.h libkrb5-dev
need faketime faketime
need gcc gcc
need /usr/include/stdio.h libc6-dev

[ -n "$missing" ] || exit 0
missing=$(printf '%s\n' $missing | sort -u | tr '\n' ' ')

if ! command -v apt-get >/dev/null 2>&1; then
    echo "missing: $missing(no apt-get here to install them with)"
    exit 3
fi
if [ "$(id -u)" != 0 ]; then
    echo "missing: $missing(run tests/peers/install.sh as root)"
    exit 3
fi

echo "installing: $missing" >&2
export DEBIAN_FRONTEND=noninteractive
{
    apt-get update -qq -o Acquire::Retries=3
    # shellcheck disable=SC2086 # a list of words
    apt-get install -y -qq -o Acquire::Retries=3 --no-install-recommends $missing
} </dev/null >&2 || {
    echo "missing: $missing(apt-get could not install them)"
    exit 3
}
