#!/bin/sh
# Runs three MIT realms on loopback for as long as standard input stays open:
#
#     mit_realms.sh FOLDER
#
# ONE.TEST and TWO.TEST trust each other, and so do TWO.TEST and THREE.TEST; whoever goes from ONE.TEST to
# THREE.TEST goes through TWO.TEST, which [capaths] says to those who choose the path themselves
# and the KDCs say to those who follow referrals.
#
# Prints "ready" when all of it is there, and stops it (by process id) when standard input reaches its
# end or the script is signalled. Everything it writes is under FOLDER, which must be empty or
# absent. Nothing in /etc is read or written.
#
#     env                     KRB5_CONFIG=..., and the ports below, one a line
#     krb5.conf               the realms at 127.0.0.1
#     NAME.keytab             the keys of one service or user
#     NAME.pid                the process ids: one, two, three, spare, small, ahead, kadmind
#
# Ports: ONE, TWO, THREE and, all of them for ONE.TEST,
#
#     SPARE    a KDC to kill
#     SMALL    a KDC that answers by UDP only what fits in 256 bytes
#     AHEAD    a KDC whose clock is an hour ahead
#     KPASSWD  password changes
#
# Accounts of ONE.TEST. The password of NAME is "NAME password", if not said otherwise.
#
#     alice, bob              every enctype
#     ENCTYPE                 one enctype
#     grün                    a password with other letters than English ones ("grüne Füße")
#     locked, expired, pwexpired, needchange, nopreauth, rc4only
#     changer, polite         to change the passwords of; polite's policy wants 12 characters
#     setter                  may set others' passwords
#     s4u                     a service that may impersonate to itself (OK_TO_AUTH_AS_DELEGATE)
#     nos4u                   a service that may not
#     host/ENCTYPE.one.test, host/svc.two.test, host/svc.three.test
#     u2u                     issues no ticket under its own key (DISALLOW_SVR)
set -eu
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

ENCTYPES='aes256-sha1 aes128-sha1 aes256-sha2 aes128-sha2 camellia256 camellia128 rc4'
begin "$1"

# shellcheck disable=SC2016 # "$LIB" is for the dynamic loader
faketime=$(faketime -f +0 sh -c 'printf %s "$LD_PRELOAD"') || fail 'faketime does not work'

all=
for enctype in $ENCTYPES; do all="$all $(mit_enctype "$enctype")"; done

port=$((10000 + $$ % 200 * 16))
for name in one two three spare small ahead kadmind kpasswd; do
    next_port
    eval "$name=$port"
done

# shellcheck disable=SC2154 # set by the loop above
cat >"$folder/krb5.conf" <<CONF
[libdefaults]
    default_realm = ONE.TEST
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    rdns = false
    udp_preference_limit = 1
    permitted_enctypes =$all
    allow_weak_crypto = true
    allow_rc4 = true
    spake_preauth_groups = edwards25519
[realms]
    ONE.TEST = {
        kdc = 127.0.0.1:$one
        admin_server = 127.0.0.1:$kadmind
        kpasswd_server = 127.0.0.1:$kpasswd
    }
    TWO.TEST = {
        kdc = 127.0.0.1:$two
    }
    THREE.TEST = {
        kdc = 127.0.0.1:$three
    }
[domain_realm]
    .one.test = ONE.TEST
    .two.test = TWO.TEST
    .three.test = THREE.TEST
[capaths]
    ONE.TEST = {
        TWO.TEST = .
        THREE.TEST = TWO.TEST
    }
    TWO.TEST = {
        ONE.TEST = .
        THREE.TEST = .
    }
    THREE.TEST = {
        TWO.TEST = .
        ONE.TEST = TWO.TEST
    }
CONF

# configure NAME REALM PORT [LINE]: a KDC's kdc.conf; those of one realm share its database.
configure() {
    cat >"$folder/$1.conf" <<-CONF
	[kdcdefaults]
	    kdc_listen = 127.0.0.1:$3
	    kdc_tcp_listen = 127.0.0.1:$3
	    ${4-}
	[realms]
	    $2 = {
	        database_name = $folder/$2
	        key_stash_file = $folder/$2.stash
	        acl_file = $folder/kadm5.acl
	        kadmind_listen = 127.0.0.1:$kadmind
	        kpasswd_listen = 127.0.0.1:$kpasswd
	        max_life = 24h
	        max_renewable_life = 7d
	        supported_enctypes =$(printf ' %s:normal' $all)
	    }
	[logging]
	    kdc = FILE:$folder/$1-kdc.log
	    admin_server = FILE:$folder/$1-admin.log
	CONF
}

# realm NAME REALM: creates the database, with the kadmin commands on standard input.
realm() {
    export KRB5_KDC_PROFILE="$folder/$1.conf"
    kdb5_util create -s -r "$2" -P "master$$" >"$folder/$1-create.log" 2>&1 </dev/null ||
        fail "kdb5_util create -r $2"
    kadmin.local -r "$2" >"$folder/$1-kadmin.log" 2>&1 || fail "kadmin.local -r $2"
    ! grep -q '^[a-z]*: ' "$folder/$1-kadmin.log" || fail "kadmin.local -r $2"
}

# trust REALM REALM: kadmin commands for the keys that both of them hold.
trust() {
    for name in "$1@$2" "$2@$1"; do
        echo "addprinc -e aes256-cts-hmac-sha1-96:normal -pw cross-$name krbtgt/$name"
    done
}

# user NAME OPTION...
user() {
    name=$1
    shift
    echo "addprinc -pw \"$name password\" $* $name"
}

# service NAME KEYTAB OPTION...
service() {
    name=$1
    keytab=$2
    shift 2
    echo "addprinc -randkey $* $name"
    echo "ktadd -k $folder/$keytab.keytab -norandkey $name"
}

accounts() {
    trust ONE.TEST TWO.TEST
    for name in alice bob; do user $name +requires_preauth; done
    echo "ktadd -k $folder/alice.keytab -norandkey alice"
    for enctype in $ENCTYPES; do
        user "$enctype" +requires_preauth -e "$(mit_enctype "$enctype"):normal"
        echo "ktadd -k $folder/user-$enctype.keytab -norandkey $enctype"
        service "host/$enctype.one.test" "$enctype" -e "$(mit_enctype "$enctype"):normal"
        echo "setstr host/$enctype.one.test session_enctypes $(mit_enctype "$enctype")"
    done
    echo 'addprinc +requires_preauth -pw "grüne Füße" grün'
    user locked -allow_tix
    user expired +requires_preauth -expire 2020-01-01
    user pwexpired +requires_preauth -pwexpire 2020-01-01
    user needchange +requires_preauth +needchange
    user nopreauth -requires_preauth
    user rc4only +requires_preauth -e arcfour-hmac:normal
    echo 'addpol -minlength 12 polite'
    user changer +requires_preauth
    user polite +requires_preauth -policy polite
    user setter +requires_preauth
    user target +requires_preauth
    service s4u s4u +ok_to_auth_as_delegate +requires_preauth
    service nos4u nos4u +requires_preauth
    user u2u +requires_preauth -allow_svr
    echo 'addprinc -randkey kiprop/one.test'
}

configure one ONE.TEST "$one"
configure two TWO.TEST "$two"
configure three THREE.TEST "$three"
configure spare ONE.TEST "$spare"
configure small ONE.TEST "$small" 'kdc_max_dgram_reply_size = 256'
configure ahead ONE.TEST "$ahead"
echo 'setter@ONE.TEST c *' >"$folder/kadm5.acl"
export KRB5_CONFIG="$folder/krb5.conf"
export KRB5RCACHEDIR="$folder"
export LC_ALL=C.UTF-8

accounts | realm one ONE.TEST
{
    trust ONE.TEST TWO.TEST
    trust TWO.TEST THREE.TEST
    service host/svc.two.test two
    user carol +requires_preauth
} | realm two TWO.TEST
{
    trust TWO.TEST THREE.TEST
    service host/svc.three.test three
} | realm three THREE.TEST

# kdc NAME REALM [VARIABLE=VALUE]...
kdc() {
    name=$1
    realm=$2
    shift 2
    start "$name" env KRB5_KDC_PROFILE="$folder/$name.conf" "$@" krb5kdc -n -r "$realm"
}

kdc one ONE.TEST
kdc two TWO.TEST
kdc three THREE.TEST
kdc spare ONE.TEST
kdc small ONE.TEST
kdc ahead ONE.TEST LD_PRELOAD="$faketime" FAKETIME=+1h FAKETIME_DONT_FAKE_MONOTONIC=1
start kadmind env KRB5_KDC_PROFILE="$folder/one.conf" kadmind -nofork -r ONE.TEST
for name in one two three spare small ahead kadmind; do
    eval "ready_at $name \$$name" || fail "$name does not start"
done

cat >"$folder/env" <<ENV
KRB5_CONFIG=$folder/krb5.conf
ONE=$one
TWO=$two
THREE=$three
SPARE=$spare
SMALL=$small
AHEAD=$ahead
KPASSWD=$kpasswd
ENV
serve
