#!/bin/sh
# Runs an Apache with mod_auth_gssapi and gss-ntlmssp for as long as standard input stays open:
#
#     apache.sh FOLDER [REALM]
#
# Prints "ready" when it listens. Everything it writes is under FOLDER, which must be empty or absent.
#
#     env                     ADDRESS=127.0.0.1:PORT
#     error.log               what it and the module say
#
# http://ADDRESS/name.shtml answers with the name of who asks, by the schemes NTLM and Negotiate. It knows
#
#     DOM\alice               password "alice Passw0rd"
#
# With the folder of mit_realm.sh as REALM it is HTTP/www.peer.test too, and has these besides:
#
#     /kerberos/name.shtml    Kerberos alone
#     /both/name.shtml        Kerberos and NTLM
#     /wrong/name.shtml       Kerberos with another key than the service's
set -eu
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

begin "$1"
# It does not serve as root, so somebody else must read what is here.
umask 022
chmod 755 "$folder"
as=
if [ "$(id -u)" = 0 ]; then
    chown www-data "$folder"
    as='setpriv --reuid www-data --regid www-data --clear-groups'
fi
modules=$(echo /usr/lib/apache2/modules)
mechanism=$(echo /usr/lib/*/gssntlmssp/gssntlmssp.so)

mkdir "$folder/www"
echo 'DOM:alice:alice Passw0rd' >"$folder/users"
printf 'ntlmssp 1.3.6.1.4.1.311.2.2.10 %s\n' "$mechanism" >"$folder/mech.conf"
for place in / /kerberos/ /both/ /wrong/; do
    mkdir -p "$folder/www$place"
    printf '<!--#echo encoding="none" var="REMOTE_USER" -->' >"$folder/www${place}name.shtml"
done
krb5_config=/dev/null
if [ $# -gt 1 ]; then
    krb5_config=$folder/krb5.conf
    cp "$2/krb5.conf" "$2/www.keytab" "$2/wrong.keytab" "$folder"
    chmod 644 "$folder"/krb5.conf "$folder"/*.keytab
fi

# location PLACE KEYTAB MECHANISM...
location() {
    printf '<Location %s>\n    Options +Includes\n    AuthType GSSAPI\n    AuthName countersign\n' "$1"
    [ "$2" = none ] || printf '    GssapiCredStore keytab:%s\n' "$folder/$2.keytab"
    shift 2
    printf '    GssapiAllowedMech %s\n' "$@"
    printf '    GssapiConnectionBound On\n    Require valid-user\n</Location>\n'
}

configure() {
    cat >"$folder/httpd.conf" <<CONF
ServerRoot $folder
PidFile $folder/httpd.pid
DefaultRuntimeDir $folder
Mutex file:$folder
ServerName localhost
Listen 127.0.0.1:$port
LoadModule mpm_event_module $modules/mod_mpm_event.so
LoadModule authn_core_module $modules/mod_authn_core.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule authz_user_module $modules/mod_authz_user.so
LoadModule auth_gssapi_module $modules/mod_auth_gssapi.so
LoadModule include_module $modules/mod_include.so
LoadModule mime_module $modules/mod_mime.so
TypesConfig /dev/null
AddType text/html .shtml
AddOutputFilter INCLUDES .shtml
ErrorLog $folder/error.log
DocumentRoot $folder/www
CONF
    location / none ntlmssp >>"$folder/httpd.conf"
    [ $# -gt 1 ] || return 0
    {
        location /kerberos www krb5
        # gss-ntlmssp 1.2 ends with a null pointer where a store without its own keys is given.
        location /both none krb5 ntlmssp
        location /wrong wrong krb5
    } >>"$folder/httpd.conf"
}

export NTLM_USER_FILE="$folder/users" GSS_MECH_CONFIG="$folder/mech.conf" NETBIOS_COMPUTER_NAME=WEB
export KRB5_CONFIG="$krb5_config" KRB5RCACHENAME=dfl: KRB5RCACHEDIR="$folder"
export KRB5_KTNAME="FILE:$folder/www.keytab"
port=$((20000 + $$ % 20000))
tries=0
while :; do
    next_port
    configure "$@"
    # One process, which keeps its user, so that the kernel ends it with this shell.
    # shellcheck disable=SC2086 # a list of words
    start apache $as setpriv --pdeathsig KILL apache2 -X -f "$folder/httpd.conf"
    ready_at apache "$port" && break
    tries=$((tries + 1))
    [ $tries -lt 5 ] || fail 'apache2 does not start'
done

echo "ADDRESS=127.0.0.1:$port" >"$folder/env"
serve
