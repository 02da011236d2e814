/*
 * A peer of `cargo xtask bench`: operations of the GSS-API library that it is linked with, so many times.
 *
 *     gss_bench krb5|spnego|ntlm|ntlm-spnego SERVICE@HOST [USER]
 *
 * Both sides are in this process; credentials come from where the library looks (KRB5CCNAME, KRB5_KTNAME,
 * NTLM_USER_FILE) and are acquired once. With MIT's library, BENCH_MEMORY=1 copies both files into its MEMORY types
 * first.
 *
 * Standard input has lines; each is answered by one:
 *
 *     initiate TIMES            the initiator's calls of so many handshakes
 *     accept TIMES              the acceptor's
 *     handshake TIMES           both
 *     wrap SEAL SIZE TIMES      SEAL is 0 or 1; the initiator's context wraps
 *     unwrap SEAL SIZE TIMES    the acceptor's unwraps what was wrapped before
 *     mic SIZE TIMES            gss_get_mic by the initiator
 *     verify SIZE TIMES         gss_verify_mic by the acceptor
 *
 *     NANOSECONDS ALLOCATIONS BYTES PEAK    what the calls took, with the release of what they returned
 *     cannot                                the library protects messages in another way
 *     error WHAT
 *
 * The last three are zero unless `count` is in front of the line. Peak is the most that was held at once above what
 * was held when the line came, by the sizes that malloc gave: up to 15 octets more each than was asked for, and 24
 * at least.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#ifdef MIT
#include <krb5.h>
#endif

/* ---- what is measured ---- */

static uint64_t nanoseconds, allocations, bytes;
/* Octets; what is freed may have been there before. */
static int64_t held, peak;
/* Whether this line counts, and whether what is measured of it runs now. */
static int counts, counting;

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void __libc_free(void *);

static void took(void *piece, size_t size)
{
    allocations++;
    bytes += size;
    held += (int64_t)malloc_usable_size(piece);
    if (held > peak)
        peak = held;
}

/* These take the place of the C library's for everything in this process. Of what is timed they are a branch. */
void *malloc(size_t size)
{
    if (!counting)
        return __libc_malloc(size);
    void *piece = __libc_malloc(size);
    took(piece, size);
    return piece;
}

void *calloc(size_t count, size_t size)
{
    if (!counting)
        return __libc_calloc(count, size);
    void *piece = __libc_calloc(count, size);
    took(piece, count * size);
    return piece;
}

void *realloc(void *old, size_t size)
{
    if (!counting)
        return __libc_realloc(old, size);
    held -= (int64_t)malloc_usable_size(old);
    void *piece = __libc_realloc(old, size);
    took(piece, size);
    return piece;
}

void free(void *piece)
{
    if (counting)
        held -= (int64_t)malloc_usable_size(piece);
    __libc_free(piece);
}

static uint64_t now(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * 1000000000 + (uint64_t)at.tv_nsec;
}

static uint64_t began;

static void start(void)
{
    counting = counts;
    began = now();
}

static void stop(void)
{
    nanoseconds += now() - began;
    counting = 0;
}

/* ---- the library ---- */

static gss_OID_desc krb5 = {9, "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"};
static gss_OID_desc spnego = {6, "\x2b\x06\x01\x05\x05\x02"};
static gss_OID_desc ntlm = {10, "\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a"};
static gss_OID_desc host_based = {10, "\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x04"};
static gss_OID_desc user_name = {10, "\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x01"};

static gss_OID mechanism;
static gss_name_t target;
static gss_cred_id_t ours = GSS_C_NO_CREDENTIAL, theirs = GSS_C_NO_CREDENTIAL;
static gss_ctx_id_t initiator = GSS_C_NO_CONTEXT, acceptor = GSS_C_NO_CONTEXT;
static char problem[512];
static int cannot;

static int failed(const char *what, OM_uint32 major, OM_uint32 minor)
{
    if (!GSS_ERROR(major))
        return 0;
    OM_uint32 ignored, more = 0;
    gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
    gss_display_status(&ignored, minor, GSS_C_MECH_CODE, mechanism, &more, &text);
    snprintf(problem, sizeof problem, "%s: %08x %.*s", what, major, (int)text.length, (char *)text.value);
    gss_release_buffer(&ignored, &text);
    return 1;
}

static void forget(void)
{
    OM_uint32 minor;
    if (initiator != GSS_C_NO_CONTEXT)
        gss_delete_sec_context(&minor, &initiator, GSS_C_NO_BUFFER);
    if (acceptor != GSS_C_NO_CONTEXT)
        gss_delete_sec_context(&minor, &acceptor, GSS_C_NO_BUFFER);
}

/* What Countersign asks for beside it: sealed and signed, and where it is Kerberos, mutual and no replays. */
static OM_uint32 flags = GSS_C_CONF_FLAG | GSS_C_INTEG_FLAG;

enum { INITIATE = 1, ACCEPT = 2 };

/* One handshake, of which the calls of `side` are measured. */
static int establish(int side)
{
    gss_buffer_desc to = GSS_C_EMPTY_BUFFER, from = GSS_C_EMPTY_BUFFER;
    OM_uint32 first = GSS_S_CONTINUE_NEEDED, second = GSS_S_CONTINUE_NEEDED, minor, ignored;
    while (first == GSS_S_CONTINUE_NEEDED || second == GSS_S_CONTINUE_NEEDED) {
        if (side & INITIATE)
            start();
        first = gss_init_sec_context(&minor, ours, &initiator, target, mechanism, flags, 0,
                                     GSS_C_NO_CHANNEL_BINDINGS, &from, NULL, &to, NULL, NULL);
        if (side & INITIATE)
            stop();
        if (side & ACCEPT)
            start();
        gss_release_buffer(&ignored, &from);
        if (side & ACCEPT)
            stop();
        if (failed("gss_init_sec_context", first, minor))
            return 0;
        if (to.length == 0)
            break;
        if (side & ACCEPT)
            start();
        gss_name_t client = GSS_C_NO_NAME;
        second = gss_accept_sec_context(&minor, &acceptor, theirs, &to, GSS_C_NO_CHANNEL_BINDINGS, &client, NULL,
                                        &from, NULL, NULL, NULL);
        if (client != GSS_C_NO_NAME)
            gss_release_name(&ignored, &client);
        if (side & ACCEPT)
            stop();
        if (side & INITIATE)
            start();
        gss_release_buffer(&ignored, &to);
        if (side & INITIATE)
            stop();
        if (failed("gss_accept_sec_context", second, minor))
            return 0;
    }
    if (first != GSS_S_COMPLETE || second != GSS_S_COMPLETE) {
        snprintf(problem, sizeof problem, "the handshake did not end");
        return 0;
    }
    return 1;
}

static int handshakes(int side, long times)
{
    for (long i = 0; i < times; i++) {
        if (!establish(side))
            return 0;
        OM_uint32 minor;
        if (side & INITIATE) {
            start();
            gss_delete_sec_context(&minor, &initiator, GSS_C_NO_BUFFER);
            stop();
        }
        if (side & ACCEPT) {
            start();
            gss_delete_sec_context(&minor, &acceptor, GSS_C_NO_BUFFER);
            stop();
        }
        forget();
    }
    return 1;
}

/* ---- messages ---- */

enum message { WRAP, UNWRAP, MIC, VERIFY };

static const gss_buffer_desc *text_of(size_t size)
{
    static gss_buffer_desc text;
    if (text.length != size) {
        free(text.value);
        text.value = malloc(size);
        memset(text.value, 'x', size);
        text.length = size;
    }
    return &text;
}

static int make(enum message what, int seal, const gss_buffer_desc *text, gss_buffer_t out)
{
    OM_uint32 minor, major;
    int sealed = seal;
    gss_buffer_t in = (gss_buffer_t)text;
    if (what == WRAP || what == UNWRAP)
        major = gss_wrap(&minor, initiator, seal, GSS_C_QOP_DEFAULT, in, &sealed, out);
    else
        major = gss_get_mic(&minor, initiator, GSS_C_QOP_DEFAULT, in, out);
    if (sealed != seal) {
        cannot = 1;
        return 0;
    }
    return !failed("making a message", major, minor);
}

static int check(enum message what, gss_buffer_t in, const gss_buffer_desc *text)
{
    OM_uint32 minor, major;
    if (what == VERIFY) {
        major = gss_verify_mic(&minor, acceptor, (gss_buffer_t)text, in, NULL);
        return !failed("gss_verify_mic", major, minor);
    }
    gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
    major = gss_unwrap(&minor, acceptor, in, &out, NULL, NULL);
    int right = out.length == text->length;
    gss_release_buffer(&minor, &out);
    if (!right)
        snprintf(problem, sizeof problem, "another message was unwrapped");
    return !failed("gss_unwrap", major, minor) && right;
}

/* At most so many octets of messages wait to be unwrapped. */
#define WAITING (4 << 20)
#define MOST 256

/* New contexts, with their first message behind them: some derive keys for it. */
static int warm(enum message what, int seal, const gss_buffer_desc *text)
{
    gss_buffer_desc first = GSS_C_EMPTY_BUFFER;
    OM_uint32 minor;
    int right = establish(0) && make(what, seal, text, &first) && check(what == MIC ? VERIFY : what, &first, text);
    gss_release_buffer(&minor, &first);
    return right;
}

static int messages(enum message what, int seal, size_t size, long times)
{
    static gss_buffer_desc made[MOST];
    OM_uint32 minor;
    const gss_buffer_desc *text = text_of(size);
    if (initiator == GSS_C_NO_CONTEXT && !warm(what, seal, text))
        return 0;
    int opens = what == UNWRAP || what == VERIFY;
    long at_once = WAITING / (long)(size + 64);
    at_once = at_once < 1 ? 1 : at_once > MOST ? MOST : at_once;
    while (times > 0) {
        long count = times < at_once ? times : at_once;
        times -= count;
        int right = 1;
        if (!opens)
            start();
        for (long i = 0; i < count; i++) {
            right &= make(what, seal, text, &made[i]);
            if (!opens)
                gss_release_buffer(&minor, &made[i]);
        }
        if (!opens)
            stop();
        else
            start();
        for (long i = 0; opens && i < count; i++)
            right &= check(what, &made[i], text);
        if (opens)
            stop();
        for (long i = 0; opens && i < count; i++)
            gss_release_buffer(&minor, &made[i]);
        if (!right)
            return 0;
    }
    /* What was made and thrown away left the two sides at different places of their streams. */
    if (!opens)
        forget();
    return 1;
}

/* ---- the program ---- */

static int obey(char *line)
{
    long size, times;
    int seal;
    if (sscanf(line, "initiate %ld", &times) == 1)
        return handshakes(INITIATE, times);
    if (sscanf(line, "accept %ld", &times) == 1)
        return handshakes(ACCEPT, times);
    if (sscanf(line, "handshake %ld", &times) == 1)
        return handshakes(INITIATE | ACCEPT, times);
    if (sscanf(line, "wrap %d %ld %ld", &seal, &size, &times) == 3)
        return messages(WRAP, seal, (size_t)size, times);
    if (sscanf(line, "unwrap %d %ld %ld", &seal, &size, &times) == 3)
        return messages(UNWRAP, seal, (size_t)size, times);
    if (sscanf(line, "mic %ld %ld", &size, &times) == 2)
        return messages(MIC, 0, (size_t)size, times);
    if (sscanf(line, "verify %ld %ld", &size, &times) == 2)
        return messages(VERIFY, 0, (size_t)size, times);
    snprintf(problem, sizeof problem, "no such operation");
    return 0;
}

#ifdef MIT
static void copy_into_memory(void)
{
    krb5_context context;
    krb5_ccache cache, cache_copy;
    krb5_keytab keytab, keytab_copy;
    krb5_principal client;
    krb5_kt_cursor cursor;
    krb5_keytab_entry entry;
    if (krb5_init_context(&context) || krb5_cc_default(context, &cache) || krb5_kt_default(context, &keytab) ||
        krb5_cc_resolve(context, "MEMORY:bench", &cache_copy) ||
        krb5_kt_resolve(context, "MEMORY:bench", &keytab_copy) || krb5_cc_get_principal(context, cache, &client) ||
        krb5_cc_initialize(context, cache_copy, client) || krb5_cc_copy_creds(context, cache, cache_copy) ||
        krb5_kt_start_seq_get(context, keytab, &cursor)) {
        fprintf(stderr, "gss_bench: cannot copy into MEMORY\n");
        exit(1);
    }
    while (krb5_kt_next_entry(context, keytab, &entry, &cursor) == 0)
        krb5_kt_add_entry(context, keytab_copy, &entry);
    /* All stays open: the types forget what nobody has open. */
    setenv("KRB5CCNAME", "MEMORY:bench", 1);
    setenv("KRB5_KTNAME", "MEMORY:bench", 1);
}
#endif

static gss_name_t name_of(const char *text, gss_OID type)
{
    OM_uint32 minor;
    gss_name_t name = GSS_C_NO_NAME;
    gss_buffer_desc buffer = {strlen(text), (void *)text};
    OM_uint32 major = gss_import_name(&minor, &buffer, type, &name);
    if (failed("gss_import_name", major, minor)) {
        fprintf(stderr, "gss_bench: %s\n", problem);
        exit(1);
    }
    return name;
}

/* Of SPNEGO's credential, `offered` is the only mechanism; Heimdal prefers Kerberos anyway. */
static void acquire(gss_name_t name, gss_cred_usage_t usage, gss_OID offered, gss_cred_id_t *out)
{
    gss_OID_set_desc wanted = {1, mechanism};
    OM_uint32 minor;
    OM_uint32 major = gss_acquire_cred(&minor, name, 0, &wanted, usage, out, NULL, NULL);
#ifdef MIT
    gss_OID_set_desc inside = {1, offered};
    if (!GSS_ERROR(major) && mechanism == &spnego)
        major = gss_set_neg_mechs(&minor, *out, &inside);
#else
    (void)offered;
#endif
    if (failed("gss_acquire_cred", major, minor)) {
        fprintf(stderr, "gss_bench: %s\n", problem);
        exit(1);
    }
}

int main(int count, char **arguments)
{
    if (count < 3) {
        fprintf(stderr, "usage: gss_bench krb5|spnego|ntlm|ntlm-spnego SERVICE@HOST [USER]\n");
        return 2;
    }
    const char *mech = arguments[1];
    int is_ntlm = strncmp(mech, "ntlm", 4) == 0;
    mechanism = strstr(mech, "spnego") ? &spnego : is_ntlm ? &ntlm : &krb5;
    if (!is_ntlm)
        flags |= GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG;
#ifdef MIT
    if (getenv("BENCH_MEMORY") && !is_ntlm)
        copy_into_memory();
#endif
    target = name_of(arguments[2], &host_based);
    gss_name_t user = count > 3 ? name_of(arguments[3], &user_name) : GSS_C_NO_NAME;
    acquire(user, GSS_C_INITIATE, is_ntlm ? &ntlm : &krb5, &ours);
    acquire(GSS_C_NO_NAME, GSS_C_ACCEPT, is_ntlm ? &ntlm : &krb5, &theirs);
    char line[128];
    while (fgets(line, sizeof line, stdin)) {
        nanoseconds = allocations = bytes = 0;
        held = peak = 0;
        problem[0] = '\0';
        cannot = 0;
        counts = strncmp(line, "count ", 6) == 0;
        if (obey(counts ? line + 6 : line))
            printf("%llu %llu %llu %llu\n", (unsigned long long)nanoseconds, (unsigned long long)allocations,
                   (unsigned long long)bytes, (unsigned long long)peak);
        else {
            counting = 0;
            if (cannot)
                puts("cannot");
            else
                printf("error %s\n", problem);
            forget();
        }
        fflush(stdout);
    }
    return 0;
}
