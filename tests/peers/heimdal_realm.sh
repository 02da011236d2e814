#!/bin/sh
# Runs a Heimdal realm on loopback for as long as standard input stays open:
#
#     heimdal_realm.sh FOLDER
#
# Prints "ready" when all of it is there, and stops it (by process id) when standard input reaches its
# end or the script is signalled. Everything it writes is under FOLDER, which must be empty or
# absent. Nothing in /etc is read or written: Heimdal lies where install.sh unpacked it, beside MIT's
# programs of the same names.
#
#     env                     KRB5_CONFIG=..., and the ports KDC and KPASSWD, one a line
#     krb5.conf               the realm HEIMDAL.TEST at 127.0.0.1, as clients read it
#     NAME.keytab             the keys of one service or user
#     NAME.pid                the process ids: kdc, kpasswdd
#
# Accounts. The password of NAME is "NAME password", if not said otherwise.
#
#     alice, bob              every enctype; alice@corp.example is an alias of alice
#     ENCTYPE                 one enctype
#     grün                    a password with other letters than English ones ("grüne Füße")
#     locked, expired, pwexpired, needchange, nopreauth, rc4only
#     changer                 to change the password of
#     s4u                     a service that may impersonate, to itself and to host/aes256-sha1.heimdal.test
#     nos4u                   a service that may not
#     host/ENCTYPE.heimdal.test
set -eu
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

# Heimdal 7 has no Camellia.
ENCTYPES='aes256-sha1 aes128-sha1 aes256-sha2 aes128-sha2 rc4'
begin "$1"

root=$("$(dirname "$0")/install.sh" --heimdal-root)
export LD_LIBRARY_PATH="$root/lib"
export LC_ALL=C.UTF-8

heimdal_enctype() {
    case $1 in
    rc4) echo arcfour-hmac-md5 ;;
    *) mit_enctype "$1" ;;
    esac
}

all=
for enctype in $ENCTYPES; do all="$all $(heimdal_enctype "$enctype")"; done

port=$((14000 + $$ % 200 * 16))
next_port
kdc=$port
next_port
kpasswd=$port

cat >"$folder/krb5.conf" <<CONF
[libdefaults]
    default_realm = HEIMDAL.TEST
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    rdns = false
    allow_weak_crypto = true
    default_etypes =$all
[realms]
    HEIMDAL.TEST = {
        kdc = 127.0.0.1:$kdc
        kpasswd_server = 127.0.0.1:$kpasswd
    }
[domain_realm]
    .heimdal.test = HEIMDAL.TEST
CONF
cat "$folder/krb5.conf" - >"$folder/kdc.conf" <<CONF
[kdc]
    database = {
        dbname = $folder/database
        realm = HEIMDAL.TEST
        mkey_file = $folder/master.key
        acl_file = $folder/kadmind.acl
        log_file = $folder/database.journal
    }
    addresses = 127.0.0.1
    ports = $kdc
[kadmin]
    default_keys =$(printf ' %s:pw-salt' $all)
[logging]
    kdc = 0-/FILE:$folder/kdc-messages.log
    kpasswdd = 0-/FILE:$folder/kpasswdd-messages.log
CONF
: >"$folder/kadmind.acl"
export KRB5_CONFIG="$folder/kdc.conf"

# user NAME OPTION...
user() {
    name=$1
    shift
    echo "add --use-defaults --password=\"$name password\" $* $name"
}

# only NAME ENCTYPE: takes the principal's other keys away.
only() {
    for other in $ENCTYPES; do
        [ "$other" = "$2" ] || echo "del_enctype $1 $(heimdal_enctype "$other")"
    done
}

service() { # service NAME OPTION...
    name=$1
    shift
    echo "add --use-defaults --random-key $* $name"
}

accounts() {
    echo 'init --realm-max-ticket-life=1day --realm-max-renewable-life=1week HEIMDAL.TEST'
    for name in alice bob changer nopreauth rc4only; do user $name; done
    echo 'modify --alias=alice@corp.example alice'
    echo 'modify --attributes=-requires-pre-auth nopreauth'
    only rc4only rc4
    user locked --attributes=disallow-all-tix
    user expired --expiration-time=2020-01-01
    user pwexpired --pw-expiration-time=2020-01-01
    user needchange --attributes=requires-pw-change
    service s4u --attributes=trusted-for-delegation
    service nos4u
    for enctype in $ENCTYPES; do
        user "$enctype"
        only "$enctype" "$enctype"
        service "host/$enctype.heimdal.test"
        only "host/$enctype.heimdal.test" "$enctype"
        echo "ext_keytab -k $folder/user-$enctype.keytab $enctype"
        echo "ext_keytab -k $folder/$enctype.keytab host/$enctype.heimdal.test"
    done
    echo 'modify --constrained-delegation=host/aes256-sha1.heimdal.test@HEIMDAL.TEST s4u'
    for name in alice s4u nos4u; do echo "ext_keytab -k $folder/$name.keytab $name"; done
}

"$root/bin/kstash" --random-key --key-file="$folder/master.key" >"$folder/kstash.log" 2>&1 ||
    fail 'kstash'
accounts | "$root/bin/kadmin" -l >"$folder/kadmin.log" 2>&1 || fail 'kadmin'
# Its line editor would drop these letters.
"$root/bin/kadmin" -l add --use-defaults --password='grüne Füße' grün >>"$folder/kadmin.log" 2>&1
! grep -q '^kadmin: ' "$folder/kadmin.log" || fail 'kadmin'

start kdc "$root/bin/kdc" -c "$folder/kdc.conf"
start kpasswdd "$root/bin/kpasswdd" --addresses=127.0.0.1 --port="$kpasswd"
ready_at kdc "$kdc" || fail 'the KDC does not start'

cat >"$folder/env" <<ENV
KRB5_CONFIG=$folder/krb5.conf
KDC=$kdc
KPASSWD=$kpasswd
HEIMDAL=$root
ENV
serve
