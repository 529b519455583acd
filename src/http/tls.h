/*
 * tls.h - the certificate by which the server proves who it is, and how it is renewed while
 * connections are open.
 *
 *     tls = tls_create("cert.pem", "key.pem", &failure);
 *     identity = tls_take(tls);                 a connection begins with what is in use
 *     tls_adopt(tls, tls_read(tls, &failure));  those that follow take the new one
 *     identity_give(identity);                  the connection is closed
 *     tls_destroy(tls);
 *
 * An identity is a chain of certificates and the key of the first one. It lives until the last
 * connection that has begun with it is closed.
 */
#ifndef KAIROS_HTTP_TLS_H
#define KAIROS_HTTP_TLS_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <stdbool.h>

#include "failure.h"
#include "log.h"

/* TLS 1.2 and later; the rest is as the library advises. Source: GnuTLS manual, "Priority strings".
 */
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct tls;
struct identity;

/*
 * Reads the files CERTIFICATES and KEY, which are PEM: the server's certificate first, then those
 * that lead to the authority. The paths stay the caller's and must outlive TLS. Returns NULL and
 * describes the failure.
 */
struct tls *tls_create(const char *certificates, const char *key, struct failure *failure);

/*
 * Reads the files anew. Returns what is in them, for tls_adopt, or to go to identity_give; or NULL,
 * and describes the failure. From any thread.
 */
struct identity *tls_read(const struct tls *tls, struct failure *failure);

/* Connections that follow begin with IDENTITY, which is taken over. From any thread. */
void tls_adopt(struct tls *tls, struct identity *identity);

/* What is not right though it works: a certificate that is out of date, a key that others can read.
 */
void tls_warn(const struct tls *tls, struct log *log);

/* No connection may have an identity of it any more; accepts NULL. */
void tls_destroy(struct tls *tls);

/* What is in use. From any thread; goes back to identity_give. */
struct identity *tls_take(struct tls *tls);

/* Accepts NULL. */
void identity_give(struct identity *identity);

/* What is kept of a session beside the library. All zero but for the identity is a new one. */
struct tls_session {
    struct identity *identity; /* what the server shows; NULL without TLS */
    bool client_finished, server_finished;
};

/* SESSION is going to be what OURS says, which has to outlive it. */
void tls_attach(struct tls_session *ours, gnutls_session_t session);

/* Whether the two sides have agreed on their keys. */
bool tls_is_agreed(const struct tls_session *ours);

/* What the library calls for the certificate of a session (gnutls/abstract.h). */
gnutls_certificate_retrieve_function3 identity_show;

#endif
