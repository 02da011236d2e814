#!/bin/sh
# Installs what the interoperability tests need and this machine lacks:
#
#     install.sh [PEER...]        mit, heimdal, samba, ntlm, redis; without a PEER, all of them
#     install.sh --heimdal-root   prints the folder with Heimdal's bin and lib
#
# Debian or Ubuntu, as root. Does nothing, quickly, when everything is there. What PyPI has goes into
# target/peers/venv (requirements.txt), which takes some minutes the first time.
# Exit status: 0 everything is present, 3 something is missing and cannot be installed here, and
# then standard output says what and why. Progress goes to standard error.
set -eu

# Heimdal's packages conflict with MIT's, so they are unpacked here instead of installed.
heimdal=/var/cache/countersign-peers/heimdal
if [ "${1-}" = --heimdal-root ]; then
    echo $heimdal
    exit
fi

here=$(cd "$(dirname "$0")" && pwd)
venv=$here/../../target/peers/venv

missing=
need() { # need COMMAND-OR-FILE PACKAGE
    case $1 in
    /*) [ -e "$1" ] && return ;;
    *) command -v "$1" >/dev/null 2>&1 && return ;;
    esac
    missing="$missing $2"
}

need_package() { # need_package PACKAGE: for those without a file that tells
    dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q ' installed' || missing="$missing $1"
}

PATH=$PATH:/usr/sbin:/sbin
[ $# -gt 0 ] || set -- mit heimdal samba ntlm redis
for peer in "$@"; do
    case $peer in
    mit)
        need krb5kdc krb5-kdc
        need kadmin.local krb5-admin-server
        need kinit krb5-user
        need gss-client krb5-gss-samples
        need gss-server krb5-gss-samples
        need /usr/include/gssapi/gssapi_ext.h libkrb5-dev
        need faketime faketime
        need setpriv util-linux
        need gcc gcc
        need /usr/include/stdio.h libc6-dev
        ;;
    heimdal)
        need setpriv util-linux
        [ -e $heimdal/bin/kcm ] || missing="$missing heimdal"
        ;;
    samba)
        need ip iproute2
        need unshare util-linux
        need kinit krb5-user
        need ldbmodify ldb-tools
        need ldapsearch ldap-utils
        for package in samba samba-ad-dc samba-ad-provision samba-dsdb-modules samba-vfs-modules \
            samba-common-bin winbind python3-samba python3-dnspython python3-markdown \
            python3-cryptography attr acl libsasl2-modules-gssapi-mit; do
            need_package $package
        done
        ;;
    ntlm)
        need gcc gcc
        need /usr/include/stdio.h libc6-dev
        need setpriv util-linux
        need curl curl
        need ntlm_auth winbind
        # The servers' files without the service that would start by itself.
        need apache2 apache2-bin
        for package in gss-ntlmssp libkrb5-dev libapache2-mod-auth-gssapi python3-venv python3-dev; do
            need_package $package
        done
        cmp -s "$here/requirements.txt" "$venv/requirements.txt" || missing="$missing venv"
        ;;
    redis)
        # Its service may start too; the rows have servers of their own.
        need redis-server redis-server
        ;;
    *)
        echo "missing: $peer (no such peer)"
        exit 3
        ;;
    esac
done

[ -n "$missing" ] || exit 0
missing=$(printf '%s\n' $missing | sort -u | tr '\n' ' ')

# Python's packages beside nothing else, two of them compiled.
install_venv() {
    rm -rf "$venv"
    # Debian's own: it has the headers, and other Pythons before it in PATH may have none.
    /usr/bin/python3 -m venv "$venv" &&
        "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt" &&
        cp "$here/requirements.txt" "$venv/requirements.txt"
}

# Where only that is missing nothing is asked of anybody but PyPI.
if [ "$missing" = 'venv ' ]; then
    echo 'installing: target/peers/venv (some minutes)' >&2
    install_venv </dev/null >&2 || {
        echo "missing: target/peers/venv (pip could not install tests/peers/requirements.txt)"
        exit 3
    }
    exit 0
fi

if ! command -v apt-get >/dev/null 2>&1; then
    echo "missing: $missing(no apt-get here to install them with)"
    exit 3
fi
if [ "$(id -u)" != 0 ]; then
    echo "missing: $missing(run tests/peers/install.sh as root)"
    exit 3
fi

# Unpacks Heimdal's KDC, and its libraries that nobody else needs.
install_heimdal() {
    unpacked=$(mktemp -d)
    (
        cd "$unpacked"
        chmod 755 .
        # shellcheck disable=SC2046 # a list of words
        apt-get download -qq -o Acquire::Retries=3 -o APT::Sandbox::User=root \
            heimdal-kdc heimdal-clients heimdal-kcm $(
                apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts \
                    --no-breaks --no-replaces --no-enhances heimdal-kdc heimdal-clients |
                    grep -o 'lib[a-z0-9-]*-heimdal' | sort -u
            )
        for package in ./*.deb; do dpkg -x "$package" all; done
        mkdir -p new/bin new/lib
        cp all/usr/lib/heimdal-servers/kdc all/usr/lib/heimdal-servers/kpasswdd all/usr/sbin/kstash new/bin
        cp all/usr/bin/kadmin.heimdal new/bin/kadmin
        cp all/usr/sbin/kcm new/bin
        cp -P all/usr/lib/*/*.so.* new/lib
        # What those need from elsewhere.
        LD_LIBRARY_PATH=$unpacked/new/lib ldd new/bin/* | grep 'not found' && exit 1
        touch new/complete
        rm -rf $heimdal
        mkdir -p "$(dirname $heimdal)"
        mv new $heimdal
    )
    status=$?
    rm -rf "$unpacked"
    return $status
}

echo "installing: $missing" >&2
export DEBIAN_FRONTEND=noninteractive
{
    apt-get update -qq -o Acquire::Retries=3
    packages=$(printf '%s\n' $missing |
        sed 's/^heimdal$/libcap-ng0 libedit2 libdb5.3 libsqlite3-0 libldap-2.5-0/; /^venv$/d')
    # shellcheck disable=SC2086 # a list of words
    apt-get install -y -qq -o Acquire::Retries=3 --no-install-recommends $packages
    case " $missing" in *' heimdal '*) install_heimdal ;; esac
    case " $missing" in *' venv '*) install_venv ;; esac
} </dev/null >&2 || {
    echo "missing: $missing(apt-get or pip could not install them)"
    exit 3
}
