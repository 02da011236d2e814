/*
 * A security context of MIT's libgssapi_krb5 and of the mechanisms that it loads (gss-ntlmssp), driven
 * command by command.
 *
 * Requests and replies are frames on standard input and output: a 4-byte big-endian length, then that
 * many bytes. A request is a line "verb key=value key=value...", then, after the newline, binary data
 * (a token, a message). Further binary arguments are hexadecimal values. A reply is
 *
 *     ok key=value...\n<binary>
 *     error major=%08x minor=%d what=verb message with spaces\n<binary: a token for the peer>
 *
 * End of input ends the program. KRB5_CONFIG, GSS_MECH_CONFIG and the like come from the environment. The
 * verbs are in the table at the end of this file, each described above its function. spnego_peer.py and
 * sspi_peer/ speak the same protocol, for NTLM and Negotiate: of the verbs they know initiator, acceptor,
 * step, inquire, session-key, wrap, unwrap, mic and verify.
 */
#define _GNU_SOURCE /* vasprintf */
#include <ctype.h>
#include <errno.h>
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <krb5.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FRAME = 32 << 20, MAX_IOV = 16, MAX_MECHS = 4 };

/* The one context of this process and what it was asked for. */
static gss_ctx_id_t context = GSS_C_NO_CONTEXT;
static gss_cred_id_t credential = GSS_C_NO_CREDENTIAL;
static gss_cred_id_t delegated = GSS_C_NO_CREDENTIAL;
static gss_name_t target = GSS_C_NO_NAME;
static gss_name_t source = GSS_C_NO_NAME;
static gss_OID mechanism = GSS_C_NO_OID;
static struct gss_channel_bindings_struct bindings_storage;
static gss_channel_bindings_t bindings = GSS_C_NO_CHANNEL_BINDINGS;
static OM_uint32 wanted_flags, granted_flags, lifetime;
static int is_initiator, is_complete, wants_mic;

/* The request being answered: its line, and the data after it. */
static char *line;
static const char *verb;
static gss_buffer_desc body;

static gss_OID_desc krb5_oid = {9, "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"};
static gss_OID_desc spnego_oid = {6, "\x2b\x06\x01\x05\x05\x02"};
static gss_OID_desc iakerb_oid = {6, "\x2b\x06\x01\x05\x02\x05"};
static gss_OID_desc ntlm_oid = {10, "\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a"};
/* 1.3.6.1.4.1.7165.655.1.2, by which MIT's SPNEGO asks gss-ntlmssp for a MIC in AUTHENTICATE_MESSAGE. */
static gss_OID_desc require_mic_oid = {11, "\x2b\x06\x01\x04\x01\xb7\x7d\x85\x0f\x01\x02"};

static const struct {
    const char *name;
    gss_OID oid;
} mech_names[] = {
    {"krb5", &krb5_oid},
    {"spnego", &spnego_oid},
    {"iakerb", &iakerb_oid},
    {"ntlm", &ntlm_oid},
};

static const struct {
    const char *name;
    OM_uint32 flag;
} flag_names[] = {
    {"deleg", GSS_C_DELEG_FLAG},       {"mutual", GSS_C_MUTUAL_FLAG},
    {"replay", GSS_C_REPLAY_FLAG},     {"sequence", GSS_C_SEQUENCE_FLAG},
    {"conf", GSS_C_CONF_FLAG},         {"integ", GSS_C_INTEG_FLAG},
    {"anon", GSS_C_ANON_FLAG},         {"prot-ready", GSS_C_PROT_READY_FLAG},
    {"trans", GSS_C_TRANS_FLAG},       {"deleg-policy", GSS_C_DELEG_POLICY_FLAG},
    {"dce", GSS_C_DCE_STYLE},          {"identify", GSS_C_IDENTIFY_FLAG},
    {"extended-error", GSS_C_EXTENDED_ERROR_FLAG},
    {"channel-bound", GSS_C_CHANNEL_BOUND_FLAG},
    {"datagram", 0x10000}, /* gssapi_ntlmssp.h: GSS_C_DATAGRAM_FLAG */
};

/* ---- frames ---- */

static void die(const char *why)
{
    fprintf(stderr, "gss_peer: %s\n", why);
    exit(2);
}

static void *allocate(size_t size)
{
    void *p = calloc(1, size + 1);
    if (p == NULL)
        die("out of memory");
    return p;
}

/* Reads a request into `line` and `body`; 0 at the end of input. */
static int read_request(void)
{
    unsigned char prefix[4];
    size_t got = fread(prefix, 1, 4, stdin);
    if (got == 0)
        return 0;
    if (got != 4)
        die("half a length");
    size_t size = (size_t)prefix[0] << 24 | prefix[1] << 16 | prefix[2] << 8 | prefix[3];
    if (size > MAX_FRAME)
        die("frame too long");
    free(line);
    line = allocate(size);
    if (fread(line, 1, size, stdin) != size)
        die("half a frame");
    char *newline = memchr(line, '\n', size);
    if (newline != NULL) {
        *newline = '\0';
        body.value = newline + 1;
        body.length = size - (size_t)(newline + 1 - line);
    } else {
        body.value = line + size;
        body.length = 0;
    }
    return 1;
}

static void reply(const gss_buffer_desc *data, const char *format, ...)
{
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0)
        die("out of memory");
    size_t size = (size_t)length + 1 + (data ? data->length : 0);
    unsigned char prefix[4] = {size >> 24, size >> 16, size >> 8, size};
    fwrite(prefix, 1, 4, stdout);
    fwrite(text, 1, (size_t)length, stdout);
    fputc('\n', stdout);
    if (data && data->length)
        fwrite(data->value, 1, data->length, stdout);
    fflush(stdout);
    free(text);
}

/* ---- arguments ---- */

/* The value of `key` in the request as a string to free, or NULL. */
static char *argument(const char *key)
{
    size_t length = strlen(key);
    for (const char *at = strchr(line, ' '); at != NULL; at = strchr(at, ' ')) {
        at++;
        if (strncmp(at, key, length) == 0 && at[length] == '=') {
            at += length + 1;
            return strndup(at, strcspn(at, " "));
        }
    }
    return NULL;
}

static long number(const char *key, long otherwise)
{
    char *text = argument(key);
    long value = text ? strtol(text, NULL, 0) : otherwise;
    free(text);
    return value;
}

static int from_hex_digit(int c)
{
    if (isdigit(c))
        return c - '0';
    c = tolower(c);
    if (c < 'a' || c > 'f')
        die("not hexadecimal");
    return c - 'a' + 10;
}

/* `length` hexadecimal characters as allocated bytes. */
static gss_buffer_desc from_hex(const char *text, size_t length)
{
    gss_buffer_desc out = {length / 2, allocate(length / 2)};
    for (size_t i = 0; i < out.length; i++)
        ((unsigned char *)out.value)[i] =
            from_hex_digit((unsigned char)text[2 * i]) << 4 | from_hex_digit((unsigned char)text[2 * i + 1]);
    return out;
}

static char *to_hex(const void *bytes, size_t length)
{
    char *out = allocate(2 * length);
    for (size_t i = 0; i < length; i++)
        sprintf(out + 2 * i, "%02x", ((const unsigned char *)bytes)[i]);
    return out;
}

/* ---- status ---- */

static void append_status(char *out, size_t size, OM_uint32 status, int type)
{
    OM_uint32 minor, more = 0;
    do {
        gss_buffer_desc text;
        if (GSS_ERROR(gss_display_status(&minor, status, type, mechanism ? mechanism : &krb5_oid, &more, &text)))
            return;
        size_t used = strlen(out);
        snprintf(out + used, size - used, "%s%.*s", used ? "; " : "", (int)text.length, (char *)text.value);
        gss_release_buffer(&minor, &text);
    } while (more);
}

static void fail_with(OM_uint32 major, OM_uint32 minor, const gss_buffer_desc *token)
{
    char message[1024] = "";
    append_status(message, sizeof message, major, GSS_C_GSS_CODE);
    append_status(message, sizeof message, minor, GSS_C_MECH_CODE);
    reply(token, "error major=%08x minor=%d what=%s %s", major, (int)minor, verb, message);
}

static void fail(OM_uint32 major, OM_uint32 minor)
{
    fail_with(major, minor, NULL);
}

/* The informational bits of RFC 2743 1.2.1.1 of a per-message call. */
static const char *information(OM_uint32 major)
{
    if (major & GSS_S_DUPLICATE_TOKEN)
        return "duplicate";
    if (major & GSS_S_OLD_TOKEN)
        return "old";
    if (major & GSS_S_UNSEQ_TOKEN)
        return "unseq";
    if (major & GSS_S_GAP_TOKEN)
        return "gap";
    return "none";
}

static gss_OID parse_mech(const char *text, size_t length)
{
    for (size_t i = 0; i < sizeof mech_names / sizeof *mech_names; i++)
        if (strlen(mech_names[i].name) == length && strncmp(mech_names[i].name, text, length) == 0)
            return mech_names[i].oid;
    die("unknown mechanism");
    return GSS_C_NO_OID;
}

static OM_uint32 parse_flags(const char *text)
{
    OM_uint32 flags = 0;
    while (text && *text) {
        size_t length = strcspn(text, ","), i, known = sizeof flag_names / sizeof *flag_names;
        for (i = 0; i < known; i++)
            if (strlen(flag_names[i].name) == length && strncmp(flag_names[i].name, text, length) == 0)
                break;
        if (i == known)
            die("unknown flag");
        flags |= flag_names[i].flag;
        text += length + (text[length] == ',');
    }
    return flags;
}

static void show_flags(OM_uint32 flags, char *out)
{
    *out = '\0';
    for (size_t i = 0; i < sizeof flag_names / sizeof *flag_names; i++)
        if (flags & flag_names[i].flag)
            strcat(strcat(out, *out ? "," : ""), flag_names[i].name);
}

static char *show_name(gss_name_t name)
{
    OM_uint32 minor;
    gss_buffer_desc text;
    if (name == GSS_C_NO_NAME || GSS_ERROR(gss_display_name(&minor, name, &text, NULL)))
        return strdup("-");
    char *out = strndup(text.value, text.length);
    gss_release_buffer(&minor, &text);
    return out;
}

/* ---- establishing ---- */

static void forget(void)
{
    OM_uint32 minor;
    if (context != GSS_C_NO_CONTEXT)
        gss_delete_sec_context(&minor, &context, GSS_C_NO_BUFFER);
    gss_release_cred(&minor, &credential);
    gss_release_cred(&minor, &delegated);
    gss_release_name(&minor, &target);
    gss_release_name(&minor, &source);
    free(bindings_storage.application_data.value);
    free(bindings_storage.initiator_address.value);
    free(bindings_storage.acceptor_address.value);
    memset(&bindings_storage, 0, sizeof bindings_storage);
    bindings = GSS_C_NO_CHANNEL_BINDINGS;
    granted_flags = lifetime = 0;
    is_complete = 0;
}

/* initiator-address=TYPE:HEX */
static void bind_address(const char *key, OM_uint32 *type, gss_buffer_desc *address)
{
    char *text = argument(key);
    if (text != NULL) {
        char *hex = NULL;
        *type = strtoul(text, &hex, 0);
        *address = from_hex(hex + 1, strlen(hex + 1));
        bindings = &bindings_storage;
    }
    free(text);
}

static void start(int initiates)
{
    forget();
    is_initiator = initiates;
    char *text = argument("bindings");
    if (text != NULL) {
        bindings_storage.application_data = from_hex(text, strlen(text));
        bindings = &bindings_storage;
    }
    free(text);
    bind_address("initiator-address", &bindings_storage.initiator_addrtype, &bindings_storage.initiator_address);
    bind_address("acceptor-address", &bindings_storage.acceptor_addrtype, &bindings_storage.acceptor_address);
    text = argument("mech");
    mechanism = text ? parse_mech(text, strlen(text)) : &krb5_oid;
    free(text);
    /* Where gss-ntlmssp and pyspnego look for passwords. */
    text = argument("users");
    if (text != NULL)
        setenv("NTLM_USER_FILE", text, 1);
    else
        unsetenv("NTLM_USER_FILE");
    free(text);
}

/*
 * What credentials are acquired for: the mechanism itself, and for SPNEGO Kerberos, which stands behind
 * it, unless the request says what is offered.
 */
static gss_OID_desc credential_mechanism(void)
{
    char *offers = argument("offers");
    gss_OID_desc mech = mechanism == &spnego_oid && offers == NULL ? krb5_oid : *mechanism;
    free(offers);
    return mech;
}

/* offers=MECH,MECH: the mechanisms that SPNEGO may negotiate, in this order. */
static OM_uint32 restrict_offers(OM_uint32 *minor)
{
    char *text = argument("offers");
    gss_OID_desc mechs[MAX_MECHS];
    gss_OID_set_desc set = {0, mechs};
    for (const char *at = text; at && *at && set.count < MAX_MECHS;) {
        size_t length = strcspn(at, ",");
        mechs[set.count++] = *parse_mech(at, length);
        at += length + (at[length] == ',');
    }
    OM_uint32 major = text ? gss_set_neg_mechs(minor, credential, &set) : GSS_S_COMPLETE;
    free(text);
    return major;
}

static OM_uint32 import(const char *key, gss_OID type, gss_name_t *name, OM_uint32 *minor)
{
    char *text = argument(key);
    if (text == NULL)
        return GSS_S_COMPLETE;
    gss_buffer_desc buffer = {strlen(text), text};
    OM_uint32 major = gss_import_name(minor, &buffer, type, name);
    free(text);
    return major;
}

/* Acquires the user's credential, by password or, without one, from NTLM_USER_FILE. */
static OM_uint32 log_on(const char *user, OM_uint32 *minor)
{
    char *hex = argument("password");
    gss_buffer_desc text = {strlen(user), (void *)user}, password = from_hex(hex ? hex : "", hex ? strlen(hex) : 0);
    gss_OID_desc mech = credential_mechanism();
    gss_OID_set_desc mechs = {1, &mech};
    gss_name_t name = GSS_C_NO_NAME;
    OM_uint32 ignored, major = gss_import_name(minor, &text, GSS_C_NT_USER_NAME, &name);
    if (!GSS_ERROR(major) && hex != NULL)
        major = gss_acquire_cred_with_password(minor, name, &password, GSS_C_INDEFINITE, &mechs, GSS_C_INITIATE,
                                               &credential, NULL, NULL);
    else if (!GSS_ERROR(major))
        major = gss_acquire_cred(minor, name, GSS_C_INDEFINITE, &mechs, GSS_C_INITIATE, &credential, NULL, NULL);
    gss_release_name(&ignored, &name);
    free(password.value);
    free(hex);
    return major;
}

/*
 * initiator target=SERVICE@HOST [principal=NAME] [flags=a,b] [bindings=HEX] [mech=krb5|spnego|iakerb|ntlm]
 *           [ccache=FILE:PATH [users=PATH]] [client=NAME client-keytab=FILE:PATH]
 *           [user=DOMAIN\NAME password=HEX] [user=DOMAIN\NAME users=PATH] [offers=MECH,MECH] [mic=1]:
 *           forgets the last context and readies a new one. The lines of users are DOMAIN:NAME:PASSWORD.
 *           Outside of SPNEGO gss-ntlmssp sends a MIC only if mic=1.
 */
static void do_initiator(void)
{
    OM_uint32 minor = 0, major;
    start(1);
    char *flags = argument("flags"), *ccache = argument("ccache"), *keytab = argument("client-keytab");
    char *user = argument("user");
    gss_name_t client = GSS_C_NO_NAME;
    wanted_flags = parse_flags(flags);
    wants_mic = number("mic", 0) != 0;
    major = import("target", GSS_C_NT_HOSTBASED_SERVICE, &target, &minor);
    if (!GSS_ERROR(major))
        major = import("principal", GSS_C_NT_USER_NAME, &target, &minor);
    if (!GSS_ERROR(major))
        major = import("client", GSS_C_NT_USER_NAME, &client, &minor);
    char *users = argument("users");
    if (!GSS_ERROR(major) && ccache != NULL && users != NULL) {
        /* gss-ntlmssp finds a password in a store for who has a name there only: both by default, then. */
        setenv("KRB5CCNAME", ccache, 1);
        gss_OID_desc mech = credential_mechanism();
        gss_OID_set_desc mechs = {1, &mech};
        major = gss_acquire_cred(&minor, client, GSS_C_INDEFINITE, &mechs, GSS_C_INITIATE, &credential, NULL, NULL);
    } else if (!GSS_ERROR(major) && ccache != NULL) {
        gss_key_value_element_desc elements[] = {{"ccache", ccache}, {"client_keytab", keytab}};
        gss_key_value_set_desc store = {keytab ? 2 : 1, elements};
        gss_OID_desc mech = credential_mechanism();
        gss_OID_set_desc mechs = {1, &mech};
        major = gss_acquire_cred_from(&minor, client, GSS_C_INDEFINITE, &mechs, GSS_C_INITIATE, &store, &credential,
                                      NULL, NULL);
    }
    if (!GSS_ERROR(major) && user != NULL)
        major = log_on(user, &minor);
    if (!GSS_ERROR(major))
        major = restrict_offers(&minor);
    if (GSS_ERROR(major))
        fail(major, minor);
    else
        reply(NULL, "ok");
    OM_uint32 ignored;
    gss_release_name(&ignored, &client);
    free(users);
    free(user);
    free(flags);
    free(ccache);
    free(keytab);
}

/*
 * acceptor [name=SERVICE@HOST] [keytab=FILE:PATH] [bindings=HEX] [mech=krb5|spnego|iakerb|ntlm]
 *          [users=PATH] [offers=MECH,MECH]
 */
static void do_acceptor(void)
{
    OM_uint32 minor = 0;
    start(0);
    gss_name_t name = GSS_C_NO_NAME;
    OM_uint32 major = import("name", GSS_C_NT_HOSTBASED_SERVICE, &name, &minor);
    char *keytab = argument("keytab");
    if (!GSS_ERROR(major)) {
        gss_key_value_element_desc element = {"keytab", keytab};
        gss_key_value_set_desc store = {keytab ? 1 : 0, &element};
        gss_OID_desc mech = credential_mechanism();
        gss_OID_set_desc mechs = {1, &mech};
        major = gss_acquire_cred_from(&minor, name, GSS_C_INDEFINITE, &mechs, GSS_C_ACCEPT,
                                      keytab ? &store : GSS_C_NO_CRED_STORE, &credential, NULL, NULL);
    }
    if (!GSS_ERROR(major))
        major = restrict_offers(&minor);
    if (GSS_ERROR(major))
        fail(major, minor);
    else
        reply(NULL, "ok");
    OM_uint32 ignored;
    gss_release_name(&ignored, &name);
    free(keytab);
}

/* step\n<token>: answers ok state=continue|complete with the token to send, if any. */
static void do_step(void)
{
    OM_uint32 major, minor, ignored;
    gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
    if (is_initiator)
        major = gss_init_sec_context(&minor, credential, &context, target, mechanism, wanted_flags, 0, bindings,
                                     context == GSS_C_NO_CONTEXT ? GSS_C_NO_BUFFER : &body, NULL, &out,
                                     &granted_flags, &lifetime);
    else
        major = gss_accept_sec_context(&minor, &context, credential, &body, bindings, &source, NULL, &out,
                                       &granted_flags, &lifetime, &delegated);
    if (GSS_ERROR(major)) {
        fail_with(major, minor, &out);
    } else {
        is_complete = !(major & GSS_S_CONTINUE_NEEDED);
        if (is_initiator && wants_mic && !is_complete) {
            gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
            gss_inquire_sec_context_by_oid(&ignored, context, &require_mic_oid, &set);
            gss_release_buffer_set(&ignored, &set);
        }
        reply(&out, "ok state=%s token=%d", is_complete ? "complete" : "continue", out.length != 0);
    }
    gss_release_buffer(&ignored, &out);
}

/* ---- what the context says of itself ---- */

/* inquire: ok source= target= lifetime= flags= local= open= mech= delegated= */
static void do_inquire(void)
{
    OM_uint32 major, minor, life = 0, flags = 0;
    gss_name_t from = GSS_C_NO_NAME, to = GSS_C_NO_NAME;
    gss_OID mech = GSS_C_NO_OID;
    int local = 0, open = 0;
    major = gss_inquire_context(&minor, context, &from, &to, &life, &mech, &flags, &local, &open);
    if (GSS_ERROR(major)) {
        fail(major, minor);
        return;
    }
    /* gss_inquire_context masks some of what gss_accept_sec_context returned. */
    char names[256], *from_text = show_name(from), *to_text = show_name(to);
    show_flags(flags | granted_flags, names);
    gss_buffer_desc oid = GSS_C_EMPTY_BUFFER;
    gss_oid_to_str(&minor, mech, &oid);
    char *dotted = strndup(oid.value ? oid.value : "", oid.length);
    for (char *p = dotted; *p; p++)
        if (*p == ' ')
            *p = '.';
    reply(NULL, "ok source=%s target=%s lifetime=%u flags=%s local=%d open=%d mech=%s delegated=%d", from_text,
          to_text, life, names, local, open, dotted, delegated != GSS_C_NO_CREDENTIAL);
    free(dotted);
    free(from_text);
    free(to_text);
    gss_release_buffer(&minor, &oid);
    gss_release_name(&minor, &from);
    gss_release_name(&minor, &to);
}

/* export-name which=source|target: the RFC 2743 3.2 exported name, as data. */
static void do_export_name(void)
{
    OM_uint32 major, minor;
    gss_name_t from = GSS_C_NO_NAME, to = GSS_C_NO_NAME;
    gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
    major = gss_inquire_context(&minor, context, &from, &to, NULL, NULL, NULL, NULL, NULL);
    char *which = argument("which");
    if (!GSS_ERROR(major))
        major = gss_export_name(&minor, which && strcmp(which, "target") == 0 ? to : from, &out);
    if (GSS_ERROR(major))
        fail(major, minor);
    else
        reply(&out, "ok");
    free(which);
    gss_release_buffer(&minor, &out);
    gss_release_name(&minor, &from);
    gss_release_name(&minor, &to);
}

/* import-name\n<exported name>: ok name= */
static void do_import_name(void)
{
    OM_uint32 minor;
    gss_name_t name = GSS_C_NO_NAME;
    OM_uint32 major = gss_import_name(&minor, &body, GSS_C_NT_EXPORT_NAME, &name);
    if (GSS_ERROR(major)) {
        fail(major, minor);
        return;
    }
    char *text = show_name(name);
    reply(NULL, "ok name=%s", text);
    free(text);
    gss_release_name(&minor, &name);
}

/* session-key: ok enctype=N with the key as data; enctype=0 where the mechanism has none. */
static void do_session_key(void)
{
    OM_uint32 minor;
    gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
    OM_uint32 major = gss_inquire_sec_context_by_oid(&minor, context, GSS_C_INQ_SSPI_SESSION_KEY, &set);
    if (GSS_ERROR(major) || set->count < 1) {
        fail(major, minor);
        return;
    }
    const gss_buffer_desc *oid = set->count > 1 && set->elements[1].length ? &set->elements[1] : NULL;
    reply(&set->elements[0], "ok enctype=%u", oid ? ((const unsigned char *)oid->value)[oid->length - 1] : 0);
    gss_release_buffer_set(&minor, &set);
}

/* store-delegated ccache=FILE:PATH: writes the credential that the peer delegated. */
static void do_store_delegated(void)
{
    OM_uint32 minor = 0;
    char *ccache = argument("ccache");
    gss_key_value_element_desc element = {"ccache", ccache};
    gss_key_value_set_desc store = {1, &element};
    OM_uint32 major = GSS_S_NO_CRED;
    if (delegated != GSS_C_NO_CREDENTIAL)
        major = gss_store_cred_into(&minor, delegated, GSS_C_INITIATE, GSS_C_NO_OID, 1, 1, &store, NULL, NULL);
    if (GSS_ERROR(major))
        fail(major, minor);
    else
        reply(NULL, "ok");
    free(ccache);
}

/* export-context: the context as data; this process no longer has it. import-context\n<data> takes it. */
static void do_export_context(void)
{
    OM_uint32 minor;
    gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
    OM_uint32 major = gss_export_sec_context(&minor, &context, &out);
    if (GSS_ERROR(major))
        fail(major, minor);
    else
        reply(&out, "ok");
    gss_release_buffer(&minor, &out);
}

static void do_import_context(void)
{
    OM_uint32 minor;
    forget();
    OM_uint32 major = gss_import_sec_context(&minor, &body, &context);
    if (GSS_ERROR(major))
        fail(major, minor);
    else
        reply(NULL, "ok");
}

/* ---- per-message protection ---- */

/* wrap conf=0|1\n<message>: ok conf=, the token as data. */
static void do_wrap(void)
{
    OM_uint32 minor;
    int sealed = 0;
    gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
    OM_uint32 major = gss_wrap(&minor, context, number("conf", 1) != 0, GSS_C_QOP_DEFAULT, &body, &sealed, &out);
    if (GSS_ERROR(major))
        fail(major, minor);
    else
        reply(&out, "ok conf=%d", sealed);
    gss_release_buffer(&minor, &out);
}

/* unwrap\n<token>: ok conf= info=none|duplicate|old|unseq|gap, the message as data. */
static void do_unwrap(void)
{
    OM_uint32 minor;
    int sealed = 0;
    gss_qop_t qop;
    gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
    OM_uint32 major = gss_unwrap(&minor, context, &body, &out, &sealed, &qop);
    if (GSS_ERROR(major))
        fail(major, minor);
    else
        reply(&out, "ok conf=%d info=%s", sealed, information(major));
    gss_release_buffer(&minor, &out);
}

/* mic\n<message>: the MIC as data. */
static void do_mic(void)
{
    OM_uint32 minor;
    gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
    OM_uint32 major = gss_get_mic(&minor, context, GSS_C_QOP_DEFAULT, &body, &out);
    if (GSS_ERROR(major))
        fail(major, minor);
    else
        reply(&out, "ok");
    gss_release_buffer(&minor, &out);
}

/* verify mic=HEX\n<message>: ok info= */
static void do_verify(void)
{
    OM_uint32 minor;
    char *hex = argument("mic");
    gss_buffer_desc mic = from_hex(hex ? hex : "", hex ? strlen(hex) : 0);
    OM_uint32 major = gss_verify_mic(&minor, context, &body, &mic, NULL);
    if (GSS_ERROR(major))
        fail(major, minor);
    else
        reply(NULL, "ok info=%s", information(major));
    free(mic.value);
    free(hex);
}

/* wrap-aead conf=0|1 associated=HEX\n<message>; unwrap-aead associated=HEX\n<token> */
static void do_wrap_aead(void)
{
    OM_uint32 minor;
    int sealed = 0;
    char *hex = argument("associated");
    gss_buffer_desc associated = from_hex(hex ? hex : "", hex ? strlen(hex) : 0), out = GSS_C_EMPTY_BUFFER;
    OM_uint32 major = gss_wrap_aead(&minor, context, number("conf", 1) != 0, GSS_C_QOP_DEFAULT, &associated, &body,
                                    &sealed, &out);
    if (GSS_ERROR(major))
        fail(major, minor);
    else
        reply(&out, "ok conf=%d", sealed);
    gss_release_buffer(&minor, &out);
    free(associated.value);
    free(hex);
}

static void do_unwrap_aead(void)
{
    OM_uint32 minor;
    int sealed = 0;
    char *hex = argument("associated");
    gss_buffer_desc associated = from_hex(hex ? hex : "", hex ? strlen(hex) : 0), out = GSS_C_EMPTY_BUFFER;
    OM_uint32 major = gss_unwrap_aead(&minor, context, &body, &associated, &out, &sealed, NULL);
    if (GSS_ERROR(major))
        fail(major, minor);
    else
        reply(&out, "ok conf=%d info=%s", sealed, information(major));
    gss_release_buffer(&minor, &out);
    free(associated.value);
    free(hex);
}

/*
 * The value of iov= is a comma-separated list of KIND[:HEX]: H header, D data, S sign-only, P padding,
 * T trailer, M MIC token, X stream. Without HEX a header, padding, trailer or MIC is allocated by the
 * library; data without HEX is what follows in a stream.
 */
static int parse_iov(gss_iov_buffer_desc *iov, int allocate_missing)
{
    static const struct {
        char letter;
        OM_uint32 type;
    } kinds[] = {
        {'H', GSS_IOV_BUFFER_TYPE_HEADER},  {'D', GSS_IOV_BUFFER_TYPE_DATA},
        {'S', GSS_IOV_BUFFER_TYPE_SIGN_ONLY}, {'P', GSS_IOV_BUFFER_TYPE_PADDING},
        {'T', GSS_IOV_BUFFER_TYPE_TRAILER}, {'M', GSS_IOV_BUFFER_TYPE_MIC_TOKEN},
        {'X', GSS_IOV_BUFFER_TYPE_STREAM},
    };
    char *text = argument("iov");
    int count = 0;
    for (const char *at = text; at && *at && count < MAX_IOV; count++) {
        size_t length = strcspn(at, ","), kind = 0;
        while (kind < sizeof kinds / sizeof *kinds && kinds[kind].letter != *at)
            kind++;
        if (kind == sizeof kinds / sizeof *kinds)
            die("unknown kind of buffer");
        memset(&iov[count], 0, sizeof iov[count]);
        iov[count].type = kinds[kind].type;
        if (length > 1)
            iov[count].buffer = from_hex(at + 2, length - 2);
        else if (allocate_missing && strchr("HPTM", *at))
            iov[count].type |= GSS_IOV_BUFFER_FLAG_ALLOCATE;
        at += length + (at[length] == ',');
    }
    free(text);
    return count;
}

/* ok conf= info= iov=HEX,HEX,...: the contents (or with lengths only, the lengths) of every buffer, in order. */
static void reply_iov(gss_iov_buffer_desc *iov, int count, int sealed, OM_uint32 major, int lengths_only)
{
    size_t size = 1;
    for (int i = 0; i < count; i++)
        size += 2 * iov[i].buffer.length + 24;
    char *out = allocate(size);
    for (int i = 0; i < count; i++) {
        if (i)
            strcat(out, ",");
        if (lengths_only) {
            sprintf(out + strlen(out), "%zu", iov[i].buffer.length);
        } else {
            char *hex = to_hex(iov[i].buffer.value, iov[i].buffer.length);
            strcat(out, hex);
            free(hex);
        }
    }
    reply(NULL, "ok conf=%d info=%s iov=%s", sealed, information(major), out);
    free(out);
}

/* iov-wrap conf= iov=; iov-unwrap iov=; iov-length conf= iov=; iov-mic iov=; iov-verify iov= */
static void do_iov(void)
{
    OM_uint32 major, minor, ignored;
    gss_iov_buffer_desc iov[MAX_IOV];
    int sealed = 0, conf = number("conf", 1) != 0, lengths_only = 0;
    if (strcmp(verb, "iov-wrap") == 0) {
        int count = parse_iov(iov, 1);
        major = gss_wrap_iov(&minor, context, conf, GSS_C_QOP_DEFAULT, &sealed, iov, count);
        if (GSS_ERROR(major))
            fail(major, minor);
        else
            reply_iov(iov, count, sealed, major, 0);
        gss_release_iov_buffer(&ignored, iov, count);
        return;
    }
    int count = parse_iov(iov, strcmp(verb, "iov-mic") == 0);
    if (strcmp(verb, "iov-unwrap") == 0) {
        major = gss_unwrap_iov(&minor, context, &sealed, NULL, iov, count);
    } else if (strcmp(verb, "iov-length") == 0) {
        major = gss_wrap_iov_length(&minor, context, conf, GSS_C_QOP_DEFAULT, &sealed, iov, count);
        lengths_only = 1;
    } else if (strcmp(verb, "iov-mic") == 0) {
        major = gss_get_mic_iov(&minor, context, GSS_C_QOP_DEFAULT, iov, count);
    } else {
        major = gss_verify_mic_iov(&minor, context, NULL, iov, count);
    }
    if (GSS_ERROR(major))
        fail(major, minor);
    else
        reply_iov(iov, count, sealed, major, lengths_only);
}

/* prf key=full|partial length=N\n<seed>: RFC 4401's bytes as data. */
static void do_prf(void)
{
    OM_uint32 minor;
    char *key = argument("key");
    gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
    int which = key && strcmp(key, "partial") == 0 ? GSS_C_PRF_KEY_PARTIAL : GSS_C_PRF_KEY_FULL;
    OM_uint32 major = gss_pseudo_random(&minor, context, which, &body, number("length", 32), &out);
    if (GSS_ERROR(major))
        fail(major, minor);
    else
        reply(&out, "ok");
    gss_release_buffer(&minor, &out);
    free(key);
}

/* size-limit conf=0|1 output=N: ok input=N */
static void do_size_limit(void)
{
    OM_uint32 minor, input = 0;
    OM_uint32 major = gss_wrap_size_limit(&minor, context, number("conf", 1) != 0, GSS_C_QOP_DEFAULT,
                                          (OM_uint32)number("output", 4096), &input);
    if (GSS_ERROR(major))
        fail(major, minor);
    else
        reply(NULL, "ok input=%u", input);
}

/* ---- tickets ---- */

/*
 * rewrite-times from=FILE:PATH to=FILE:PATH start=SECONDS end=SECONDS: copies a credential cache, its
 * clear-text times moved to now+start and now+end, so that a client believes a ticket to be valid
 * whose encrypted part says otherwise.
 */
static void do_rewrite_times(void)
{
    krb5_context library;
    krb5_ccache from = NULL, to = NULL;
    krb5_principal client = NULL;
    krb5_cc_cursor cursor;
    krb5_creds creds;
    krb5_timestamp now = 0;
    char *from_name = argument("from"), *to_name = argument("to");
    krb5_error_code code = krb5_init_context(&library);
    if (code)
        die("krb5_init_context");
    if (!(code = krb5_timeofday(library, &now)) && !(code = krb5_cc_resolve(library, from_name, &from)) &&
        !(code = krb5_cc_resolve(library, to_name, &to)) && !(code = krb5_cc_get_principal(library, from, &client)) &&
        !(code = krb5_cc_initialize(library, to, client)) && !(code = krb5_cc_start_seq_get(library, from, &cursor))) {
        while (krb5_cc_next_cred(library, from, &cursor, &creds) == 0) {
            if (!krb5_is_config_principal(library, creds.server)) {
                creds.times.starttime = (krb5_timestamp)(now + number("start", -60));
                creds.times.endtime = (krb5_timestamp)(now + number("end", 3600));
            }
            if (!code)
                code = krb5_cc_store_cred(library, to, &creds);
            krb5_free_cred_contents(library, &creds);
        }
        krb5_cc_end_seq_get(library, from, &cursor);
    }
    if (code)
        reply(NULL, "error major=000d0000 minor=%d what=%s %s", (int)code, verb, krb5_get_error_message(library, code));
    else
        reply(NULL, "ok");
    krb5_free_principal(library, client);
    if (from)
        krb5_cc_close(library, from);
    if (to)
        krb5_cc_close(library, to);
    krb5_free_context(library);
    free(from_name);
    free(to_name);
}

static const struct {
    const char *name;
    void (*run)(void);
} verbs[] = {
    {"initiator", do_initiator},
    {"acceptor", do_acceptor},
    {"step", do_step},
    {"inquire", do_inquire},
    {"export-name", do_export_name},
    {"import-name", do_import_name},
    {"session-key", do_session_key},
    {"store-delegated", do_store_delegated},
    {"export-context", do_export_context},
    {"import-context", do_import_context},
    {"wrap", do_wrap},
    {"unwrap", do_unwrap},
    {"mic", do_mic},
    {"verify", do_verify},
    {"wrap-aead", do_wrap_aead},
    {"unwrap-aead", do_unwrap_aead},
    {"iov-wrap", do_iov},
    {"iov-unwrap", do_iov},
    {"iov-length", do_iov},
    {"iov-mic", do_iov},
    {"iov-verify", do_iov},
    {"prf", do_prf},
    {"size-limit", do_size_limit},
    {"rewrite-times", do_rewrite_times},
};

int main(void)
{
    while (read_request()) {
        char *name = strndup(line, strcspn(line, " "));
        size_t i = 0;
        verb = name;
        while (i < sizeof verbs / sizeof *verbs && strcmp(verbs[i].name, name) != 0)
            i++;
        if (i < sizeof verbs / sizeof *verbs)
            verbs[i].run();
        else
            reply(NULL, "error major=000d0000 minor=0 what=%s no such verb", name);
        verb = "";
        free(name);
    }
    forget();
    free(line);
    return 0;
}
