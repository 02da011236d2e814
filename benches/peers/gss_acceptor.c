/*
 * The smallest service that authenticates its clients by a GSS-API library: its size is in docs/BENCHMARKS.md.
 *
 *     gss_acceptor PORT
 *
 * The keytab is the one that KRB5_KTNAME names. Tokens have their length before them, in four octets, the first the
 * most significant.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gssapi/gssapi.h>

/* No token is longer. */
#define MOST (1 << 16)

static int whole(int peer, uint8_t *at, size_t length)
{
    while (length > 0) {
        ssize_t got = read(peer, at, length);
        if (got <= 0)
            return 0;
        at += got;
        length -= (size_t)got;
    }
    return 1;
}

static int all(int peer, const uint8_t *at, size_t length)
{
    while (length > 0) {
        ssize_t sent = write(peer, at, length);
        if (sent <= 0)
            return 0;
        at += sent;
        length -= (size_t)sent;
    }
    return 1;
}

static void serve(int peer, gss_cred_id_t credential)
{
    static uint8_t token[MOST];
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    gss_name_t client = GSS_C_NO_NAME;
    OM_uint32 major = GSS_S_CONTINUE_NEEDED, minor;
    while (major == GSS_S_CONTINUE_NEEDED) {
        uint32_t length;
        if (!whole(peer, (uint8_t *)&length, sizeof length) || ntohl(length) > MOST ||
            !whole(peer, token, ntohl(length)))
            break;
        gss_buffer_desc in = {ntohl(length), token}, out = GSS_C_EMPTY_BUFFER;
        major = gss_accept_sec_context(&minor, &context, credential, &in, GSS_C_NO_CHANNEL_BINDINGS, &client, NULL,
                                       &out, NULL, NULL, NULL);
        length = htonl((uint32_t)out.length);
        if (!all(peer, (uint8_t *)&length, sizeof length) || !all(peer, out.value, out.length))
            major = GSS_S_FAILURE;
        gss_release_buffer(&minor, &out);
    }
    gss_buffer_desc name = GSS_C_EMPTY_BUFFER;
    if (major == GSS_S_COMPLETE && gss_display_name(&minor, client, &name, NULL) == GSS_S_COMPLETE)
        printf("%.*s\n", (int)name.length, (char *)name.value);
    else
        fprintf(stderr, "refused: %08x\n", major);
    gss_release_buffer(&minor, &name);
    gss_release_name(&minor, &client);
    gss_delete_sec_context(&minor, &context, GSS_C_NO_BUFFER);
}

int main(int count, char **arguments)
{
    if (count != 2) {
        fprintf(stderr, "usage: gss_acceptor PORT\n");
        return 2;
    }
    OM_uint32 minor;
    gss_cred_id_t credential;
    if (gss_acquire_cred(&minor, GSS_C_NO_NAME, 0, GSS_C_NO_OID_SET, GSS_C_ACCEPT, &credential, NULL, NULL)) {
        fprintf(stderr, "gss_acceptor: no credential\n");
        return 1;
    }
    struct sockaddr_in at = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)atoi(arguments[1])),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 16)) {
        perror("gss_acceptor");
        return 1;
    }
    for (;;) {
        int peer = accept(listener, NULL, NULL);
        if (peer < 0)
            continue;
        serve(peer, credential);
        close(peer);
    }
}
