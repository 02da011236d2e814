#!/bin/sh
# Runs an MIT realm on loopback for as long as standard input stays open:
#
#     mit_realm.sh FOLDER
#
# Prints "ready" when the tickets below are there, and stops the KDC (by process id) when standard
# input reaches its end or the script is signalled. Everything it writes is under FOLDER, which must
# be empty or absent. Nothing in /etc is read or written.
#
#     env                     KRB5_CONFIG=..., one a line, for whoever wants to talk to the realm
#     krb5.conf               the realm COUNTERSIGN.TEST at 127.0.0.1
#     ENCTYPE.keytab          the key of host/ENCTYPE.peer.test: that one enctype, session keys too
#     all.keytab              all of those
#     www.keytab              the key of HTTP/www.peer.test
#     wrong.keytab            the same names, kvno and enctypes with other keys
#     user.keytab             alice's keys, to kinit with; her password is "alice Passw0rd"
#     alice.ccache            forwardable TGT and a ticket for each service
#     expired.ccache          tickets that ended two hours ago
#     future.ccache           tickets that begin in three hours
#
# Those services are OK-AS-DELEGATE; host/undelegated.peer.test (undelegated.keytab) is not.
set -eu
umask 077

ENCTYPES='aes256-sha1 aes128-sha1 aes256-sha2 aes128-sha2 camellia256 camellia128 rc4'
REALM=COUNTERSIGN.TEST
PATH=$PATH:/usr/sbin:/sbin

mkdir -p "$1"
folder=$(cd "$1" && pwd)
kdc=

stop() {
    trap - EXIT
    stop_kdc
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

fail() {
    echo "mit_realm: $1" >&2
    tail -n 20 "$folder"/*.log >&2 2>/dev/null || :
    exit 1
}

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

write_configuration() { # uses $port
    all=
    for enctype in $ENCTYPES; do all="$all $(mit_enctype "$enctype")"; done
    cat >"$folder/krb5.conf" <<-CONF
	[libdefaults]
	    default_realm = $REALM
	    dns_lookup_kdc = false
	    dns_lookup_realm = false
	    dns_canonicalize_hostname = false
	    rdns = false
	    udp_preference_limit = 1
	    permitted_enctypes =$all
	    allow_weak_crypto = true
	    allow_rc4 = true
	    forwardable = true
	[realms]
	    $REALM = {
	        kdc = 127.0.0.1:$port
	    }
	[domain_realm]
	    peer.test = $REALM
	    .peer.test = $REALM
	CONF
    cat >"$folder/kdc.conf" <<-CONF
	[kdcdefaults]
	    kdc_listen = 127.0.0.1:$port
	    kdc_tcp_listen = 127.0.0.1:$port
	[realms]
	    $REALM = {
	        database_name = $folder/principal
	        key_stash_file = $folder/stash
	        acl_file = $folder/kadm5.acl
	        max_life = 24h
	        max_renewable_life = 7d
	        supported_enctypes =$(printf ' %s:normal' $all)
	    }
	[logging]
	    kdc = FILE:$folder/kdc.log
	CONF
}

# start_kdc [OFFSET]: starts the KDC on a free port, its clock moved by OFFSET.
start_kdc() {
    for _ in 1 2 3 4 5; do
        next_port
        write_configuration
        if [ $# -gt 0 ]; then
            LD_PRELOAD=$faketime FAKETIME=$1 krb5kdc -n -P "$folder/kdc.pid" \
                </dev/null >>"$folder/kdc-output.log" 2>&1 &
        else
            krb5kdc -n -P "$folder/kdc.pid" </dev/null >>"$folder/kdc-output.log" 2>&1 &
        fi
        kdc=$!
        tries=0
        while [ $tries -lt 100 ] && kill -0 "$kdc" 2>/dev/null; do
            is_listening "$port" && return 0
            sleep 0.1
            tries=$((tries + 1))
        done
        stop_kdc
    done
    fail 'the KDC does not start'
}

stop_kdc() {
    [ -n "$kdc" ] || return 0
    kill "$kdc" 2>/dev/null || :
    wait "$kdc" 2>/dev/null || :
    # libfaketime forgets these when a signal ends its process.
    rm -f "/dev/shm/faketime_shm_$kdc" "/dev/shm/sem.faketime_sem_$kdc"
    kdc=
}

services() {
    for enctype in $ENCTYPES undelegated; do echo "host/$enctype.peer.test"; done
    echo HTTP/www.peer.test
}

# mint CCACHE LIFETIME [faketime -f OFFSET]: a TGT for alice and a ticket for every service.
mint() {
    ccache=$folder/$1
    lifetime=$2
    shift 2
    "$@" kinit -f -l "$lifetime" -k -t "$folder/user.keytab" -c "$ccache" alice >>"$folder/mint.log" 2>&1 ||
        fail "kinit into $ccache"
    # shellcheck disable=SC2046 # a list of words
    "$@" kvno -q -c "$ccache" $(services) >>"$folder/mint.log" 2>&1 ||
        fail "kvno into $ccache"
}

# Its literal "$LIB" is for the dynamic loader. The wrapper would fork, and its process id mislead us.
# shellcheck disable=SC2016
faketime=$(faketime -f +0 sh -c 'printf %s "$LD_PRELOAD"') || fail 'faketime does not work'
export FAKETIME_DONT_FAKE_MONOTONIC=1
export KRB5_CONFIG="$folder/krb5.conf"
export KRB5_KDC_PROFILE="$folder/kdc.conf"
export KRB5RCACHENAME="dfl:"
export KRB5RCACHEDIR="$folder"
port=$((20000 + $$ % 20000))
write_configuration
: >"$folder/kadm5.acl"

kdb5_util create -s -r "$REALM" -P "master$$" >"$folder/create.log" 2>&1 </dev/null ||
    fail 'kdb5_util create'

{
    # The crate sspi takes no ticket that is given without pre-authentication.
    echo 'addprinc +requires_preauth -pw "alice Passw0rd" alice'
    echo "ktadd -k $folder/user.keytab -norandkey alice"
    for enctype in $ENCTYPES; do
        name=host/$enctype.peer.test
        echo "addprinc -e $(mit_enctype "$enctype"):normal -randkey +ok_as_delegate $name"
        echo "setstr $name session_enctypes $(mit_enctype "$enctype")"
        echo "ktadd -k $folder/$enctype.keytab -norandkey $name"
        echo "ktadd -k $folder/all.keytab -norandkey $name"
    done
    echo 'addprinc -e aes256-cts-hmac-sha1-96:normal -randkey host/undelegated.peer.test'
    echo "ktadd -k $folder/undelegated.keytab -norandkey host/undelegated.peer.test"
    echo 'addprinc -e aes256-cts-hmac-sha1-96:normal -randkey HTTP/www.peer.test'
    echo "ktadd -k $folder/www.keytab -norandkey HTTP/www.peer.test"
} | kadmin.local -r "$REALM" >"$folder/kadmin.log" 2>&1 || fail 'kadmin.local'

{
    for enctype in $ENCTYPES; do
        echo "addent -password -p host/$enctype.peer.test@$REALM -k 1 -e $(mit_enctype "$enctype")"
        echo "another key"
    done
    echo "addent -password -p HTTP/www.peer.test@$REALM -k 1 -e aes256-cts-hmac-sha1-96"
    echo "another key"
    echo "wkt $folder/wrong.keytab"
} | ktutil >"$folder/ktutil.log" 2>&1 || fail 'ktutil'
for keytab in $ENCTYPES undelegated www all user wrong; do
    [ -s "$folder/$keytab.keytab" ] || fail "$keytab.keytab was not written"
done

# A KDC that lives in another hour mints what an honest one never would.
start_kdc -3h
mint expired.ccache 1h faketime -f -3h
stop_kdc
start_kdc +3h
mint future.ccache 10h faketime -f +3h
stop_kdc

start_kdc
mint alice.ccache 10h

cat >"$folder/env" <<ENV
KRB5_CONFIG=$folder/krb5.conf
KRB5_KDC_PROFILE=$folder/kdc.conf
KRB5CCNAME=FILE:$folder/alice.ccache
KRB5_KTNAME=FILE:$folder/all.keytab
KRB5RCACHENAME=dfl:
KRB5RCACHEDIR=$folder
LIBFAKETIME=$faketime
ENV

echo ready
# Whoever started us holds the other end; its death closes it too.
while read -r _; do :; done
