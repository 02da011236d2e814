#!/bin/sh
# Runs an Active Directory domain controller (Samba) in a network of its own for as long as standard
# input stays open:
#
#     samba_dc.sh FOLDER
#
# Prints "ready" when all of it is there, and stops it when standard input reaches its end or the script
# is signalled. It needs root, for the network. Everything it writes is under FOLDER, which must be
# empty or absent: within its network /etc/hosts and /etc/resolv.conf are files of FOLDER. When its first
# process ends, however that went, the kernel ends the others and takes the network away.
#
#     env                     KRB5_CONFIG=..., SMB_CONF_PATH=... and NAMESPACE, one a line
#     krb5.conf               the realm AD.TEST at dc1.ad.test = 127.0.0.10
#     NAME.keytab             the keys of one account
#
# winbindd answers ntlm_auth in its network.
#
# To run a program in its network: nsenter --target NAMESPACE --net --mount PROGRAM...
# Then SMB_CONF_PATH makes the host's samba-tool the domain controller's.
#
# Accounts. The password of NAME is "NAME Passw0rd".
#
#     alice                   AES only; user principal name alice@corp.example; member of Staff, and so
#                             of Engineers (global), Building (universal) and Door (domain local)
#     bob                     nothing special, and member of nothing
#     rc4                     has no other key than that of rc4-hmac
#     grün                    a password with other letters than English ones ("grüne Füße 1")
#     disabled, locked, expired, needchange, nopreauth
#     changer                 to change the password of
#     sensitive               may not be delegated
#     web                     HTTP/web.ad.test, AES only
#     files                   a computer, FILES$, host/files.ad.test
#     old                     HTTP/old.ad.test, without msDS-SupportedEncryptionTypes: RC4 tickets
#     front                   HTTP/front.ad.test, may impersonate anybody to HTTP/web.ad.test
#     back                    HTTP/back.ad.test, which front may impersonate to because back says so
#
# krbtgt.keytab holds the domain's own key, to verify all of a PAC's signatures with. The file sids has a
# line "NAME SID" for each group above, and for DomainAdmins.
set -eu
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

begin "$1"
export LC_ALL=C.UTF-8

# Inside of the network, where this script calls itself: the controller itself, in the foreground.
if [ "${2-}" = --inside ]; then
    trap - EXIT
    ip link set lo up
    ip address add 127.0.0.10/8 dev lo
    mount -t tmpfs tmpfs /run/samba
    mount --bind "$folder/hosts" /etc/hosts
    mount --bind "$folder/resolv.conf" /etc/resolv.conf
    exec samba -i -M single --configfile="$folder/smb.conf" --debug-stdout
fi

[ "$(id -u)" = 0 ] || fail 'a network of its own needs root'

cat >"$folder/hosts" <<HOSTS
127.0.0.1 localhost
127.0.0.10 dc1.ad.test dc1 web.ad.test files.ad.test
HOSTS
echo 'nameserver 127.0.0.10' >"$folder/resolv.conf"
cat >"$folder/krb5.conf" <<CONF
[libdefaults]
    default_realm = AD.TEST
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    rdns = false
    allow_rc4 = true
[realms]
    AD.TEST = {
        kdc = 127.0.0.10
        kpasswd_server = 127.0.0.10
    }
[domain_realm]
    ad.test = AD.TEST
    .ad.test = AD.TEST
CONF
cat >"$folder/smb.conf" <<CONF
[global]
    netbios name = DC1
    realm = AD.TEST
    workgroup = AD
    server role = active directory domain controller
    interfaces = 127.0.0.10/8
    bind interfaces only = yes
    dns forwarder =
    log file = $folder/samba-%m.log
    private dir = $folder/private
    state directory = $folder/state
    cache directory = $folder/cache
    lock directory = $folder/lock
    binddns dir = $folder/bind-dns
    pid directory = $folder/run
    ncalrpc dir = $folder/ncalrpc
    ntp signd socket directory = $folder/ntp
    load printers = no
    tls enabled = no
    server services = rpc, ldap, cldap, kdc, dns, winbindd
[sysvol]
    path = $folder/state/sysvol
    read only = no
[netlogon]
    path = $folder/state/sysvol/ad.test/scripts
    read only = no
CONF
export SMB_CONF_PATH="$folder/smb.conf"
export KRB5_CONFIG="$folder/krb5.conf"
mkdir "$folder/private" "$folder/state" "$folder/cache" "$folder/lock" "$folder/bind-dns" "$folder/run"

samba-tool domain provision --configfile="$SMB_CONF_PATH" --realm=AD.TEST --domain=AD --server-role=dc \
    --dns-backend=SAMBA_INTERNAL --adminpass='Administrator Passw0rd' --host-name=dc1 \
    --host-ip=127.0.0.10 >"$folder/provision.log" 2>&1 </dev/null || fail 'samba-tool domain provision'

# add NAME CLASS LINE...: an entry in LDIF.
add() {
    printf 'dn: CN=%s,CN=Users,DC=ad,DC=test\nobjectClass: %s\nsAMAccountName: %s\n' "$1" "$2" "$1"
    shift 2
    [ $# -eq 0 ] || printf '%s\n' "$@"
    echo
}

# Only base64 carries these into LDIF.
encoded() { # encoded TEXT [ICONV-ENCODING]
    printf %s "$1" | iconv -t "${2:-UTF-8}" | base64 -w0
}

# user NAME LINE...: with the password "NAME Passw0rd"; a LINE may say another userAccountControl.
user() {
    name=$1
    shift
    case $* in *userAccountControl*) ;; *) set -- "$@" 'userAccountControl: 512' ;; esac
    add "$name" user "unicodePwd:: $(encoded "\"$name Passw0rd\"" UTF-16LE)" "$@"
}

# group NAME TYPE MEMBER...
group() {
    name=$1
    kind=$2
    shift 2
    add "$name" group "groupType: $kind" $(printf 'member:CN=%s,CN=Users,DC=ad,DC=test ' "$@")
}

accounts() {
    aes='msDS-SupportedEncryptionTypes: 24'
    user alice "$aes" 'userPrincipalName: alice@corp.example' 'displayName: Alice'
    user bob
    user rc4
    cat <<-LDIF
	dn:: $(encoded 'CN=grün,CN=Users,DC=ad,DC=test')
	objectClass: user
	sAMAccountName:: $(encoded grün)
	unicodePwd:: $(encoded '"grüne Füße 1"' UTF-16LE)
	userAccountControl: 512

	LDIF
    user disabled 'userAccountControl: 514'
    user locked
    user expired 'accountExpires: 130000000000000000'
    user needchange 'pwdLastSet: 0'
    user nopreauth 'userAccountControl: 4194816'
    user changer
    user sensitive 'userAccountControl: 1049088'
    user web "$aes" 'servicePrincipalName: HTTP/web.ad.test'
    user old 'servicePrincipalName: HTTP/old.ad.test'
    user front "$aes" 'servicePrincipalName: HTTP/front.ad.test' 'userAccountControl: 16777728' \
        'msDS-AllowedToDelegateTo: HTTP/web.ad.test'
    user back "$aes" 'servicePrincipalName: HTTP/back.ad.test'
    add files computer "$aes" 'servicePrincipalName: host/files.ad.test' 'userAccountControl: 4096' \
        'dNSHostName: files.ad.test' "unicodePwd:: $(encoded '"files Passw0rd"' UTF-16LE)" |
        sed 's/^sAMAccountName: .*/sAMAccountName: FILES$/'
    # Global, universal and domain local security groups (MS-ADTS §2.2.12).
    group Staff -2147483646 alice
    group Engineers -2147483646 Staff
    group Building -2147483640 Staff
    group Door -2147483644 Engineers
}
database=$folder/private/sam.ldb
accounts >"$folder/accounts.ldif"
ldbadd -H "$database" --configfile="$SMB_CONF_PATH" "$folder/accounts.ldif" >"$folder/ldbadd.log" 2>&1 ||
    fail 'ldbadd'

# The system's own, for which Samba was packaged.
/usr/bin/python3 - "$folder" >"$folder/python.log" 2>&1 <<'PYTHON' || fail 'python3'
import sys, time
import ldb
from samba import credentials, dckeytab, net, param  # dckeytab gives net its export_keytab
from samba.auth import system_session
from samba.dcerpc import security
from samba.ndr import ndr_pack
from samba.samdb import SamDB

folder = sys.argv[1]
settings = param.LoadParm(folder + "/smb.conf")
database = SamDB(folder + "/private/sam.ldb", session_info=system_session(), lp=settings)
sid = database.get_domain_sid()

def change(account, attribute, value, how=ldb.FLAG_MOD_REPLACE, control="relax:0"):
    database.modify(ldb.Message.from_dict(database, {
        "dn": account + ",DC=ad,DC=test", attribute: value,
    }, how), [control])

# What the service dnsupdate would do in its time.
change("CN=DC1,OU=Domain Controllers", "servicePrincipalName",
       ["ldap/dc1.ad.test", "ldap/dc1.ad.test/ad.test"], ldb.FLAG_MOD_ADD)
# [MS-ADA2] 2.330: passwords may be changed as often as anybody likes.
database.set_minPwdAge("0")
# [MS-DTYP] 2.3.3: 100 ns since 1601.
now = int((time.time() + 11644473600) * 10**7)
change("CN=locked,CN=Users", "lockoutTime", str(now))
# Past the module that would make them anew (DSDB_CONTROL_BYPASS_PASSWORD_HASH_OID).
change("CN=rc4,CN=Users", "supplementalCredentials", [], ldb.FLAG_MOD_DELETE,
       "local_oid:1.3.6.1.4.1.7165.4.3.12:0")
front = database.search("CN=front,CN=Users,DC=ad,DC=test", ldb.SCOPE_BASE, attrs=["objectSid"])
front = database.schema_format_value("objectSid", front[0]["objectSid"][0]).decode()
allowed = security.descriptor.from_sddl("O:BAD:(A;;0xf01ff;;;%s)" % front, security.dom_sid(sid))
change("CN=back,CN=Users", "msDS-AllowedToActOnBehalfOfOtherIdentity", ndr_pack(allowed))
with open(folder + "/sids", "w") as sids:
    for group in ["Staff", "Engineers", "Building", "Door", "Domain Admins"]:
        found = database.search(expression="(sAMAccountName=%s)" % group, attrs=["objectSid"])
        value = database.schema_format_value("objectSid", found[0]["objectSid"][0]).decode()
        sids.write("%s %s\n" % (group.replace(" ", ""), value))
keytabs = net.Net(credentials.Credentials(), settings)
for name, principal in [
    ("web", "HTTP/web.ad.test"), ("web", "web"), ("old", "HTTP/old.ad.test"),
    ("front", "HTTP/front.ad.test"), ("front", "front"), ("back", "HTTP/back.ad.test"),
    ("back", "back"), ("alice", "alice"), ("rc4", "rc4"), ("files", "host/files.ad.test"), ("krbtgt", "krbtgt/AD.TEST"),
]:
    keytabs.export_keytab(keytab="%s/%s.keytab" % (folder, name), principal=principal + "@AD.TEST")
PYTHON

# It ignores the others, and the first process of its children takes them all with it.
stop_with=KILL
start samba unshare --net --mount --pid --fork --kill-child=KILL "$0" "$folder" --inside
unshare=$(cat "$folder/samba.pid")
namespace=
tries=0
# Its KDC is up before its LDAP, and that before its winbindd knows the domain.
answers() {
    inside="nsenter --target $namespace --net --mount"
    $inside ldapsearch -x -H ldap://127.0.0.10 -s base -b '' defaultNamingContext >"$folder/ldapsearch.log" 2>&1 &&
        $inside ntlm_auth --configfile="$SMB_CONF_PATH" --domain=AD --username=alice --password='alice Passw0rd' \
            >"$folder/ntlm_auth.log" 2>&1
}
until [ -n "$namespace" ] && answers; do
    kill -0 "$unshare" 2>/dev/null && [ $tries -lt 300 ] || fail 'samba does not start'
    sleep 0.1
    tries=$((tries + 1))
    namespace=$(cat "/proc/$unshare/task/$unshare/children" 2>/dev/null) && namespace=${namespace% }
done

cat >"$folder/env" <<ENV
KRB5_CONFIG=$folder/krb5.conf
SMB_CONF_PATH=$folder/smb.conf
NAMESPACE=$namespace
ENV
serve
