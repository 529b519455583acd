#include "tls.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/x509.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <kairos/timestamp.h>

/* Certificates of a chain; there are rarely more than three. */
#define CHAIN_MAX 16

/* Bytes of a file; a chain has some thousand. */
#define FILE_MAX ((size_t)1024 * 1024)

struct identity {
    atomic_uint holders;
    gnutls_pcert_st chain[CHAIN_MAX];
    unsigned chain_length;
    gnutls_privkey_t key;
    time_t begin, end; /* when the first certificate is good */
    bool exposed;      /* others than the owner and his group can read the key */
};

struct tls {
    const char *certificates; /* paths */
    const char *key;
    pthread_mutex_t lock; /* over what follows */
    struct identity *identity;
};

/* ---- Reading ---- */

struct text {
    gnutls_datum_t data; /* from malloc */
    mode_t mode;
};

static void drop_text(struct text *text)
{
    if (text->data.data != NULL)
        explicit_bzero(text->data.data, text->data.size);
    free(text->data.data);
}

static bool read_all(int fd, struct text *text)
{
    size_t length = 0;
    for (ssize_t got; length < FILE_MAX; length += (size_t)got) {
        got = read(fd, text->data.data + length, FILE_MAX - length);
        if (got < 0)
            return false;
        if (got == 0)
            break;
    }
    text->data.size = (unsigned)length;
    errno = EFBIG;
    return length < FILE_MAX;
}

/* Reads the file PATH that OPTION names. */
static bool read_text(struct text *text, const char *option, const char *path,
                      struct failure *failure)
{
    struct stat found;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    *text = (struct text){.data.data = malloc(FILE_MAX)};
    bool done = fd >= 0 && text->data.data != NULL && fstat(fd, &found) == 0 && read_all(fd, text);
    if (done)
        text->mode = found.st_mode;
    else
        failure_set(failure, "--%s: cannot read %s: %s", option, path, strerror(errno));
    if (fd >= 0)
        close(fd);
    if (!done)
        drop_text(text);
    return done;
}

/* ---- Identities ---- */

void identity_give(struct identity *identity)
{
    if (identity == NULL || atomic_fetch_sub(&identity->holders, 1) != 1)
        return;
    for (unsigned i = 0; i < identity->chain_length; i++)
        gnutls_pcert_deinit(&identity->chain[i]);
    if (identity->key != NULL)
        gnutls_privkey_deinit(identity->key);
    free(identity);
}

/* From when to when the server's own certificate is good. */
static int read_dates(struct identity *identity)
{
    gnutls_x509_crt_t certificate;
    int error = gnutls_pcert_export_x509(&identity->chain[0], &certificate);
    if (error < 0)
        return error;
    identity->begin = gnutls_x509_crt_get_activation_time(certificate);
    identity->end = gnutls_x509_crt_get_expiration_time(certificate);
    gnutls_x509_crt_deinit(certificate);
    return 0;
}

static bool take_chain(struct identity *identity, const struct tls *tls, const struct text *text,
                       struct failure *failure)
{
    unsigned length = CHAIN_MAX;
    int error = gnutls_pcert_list_import_x509_raw(identity->chain, &length, &text->data,
                                                  GNUTLS_X509_FMT_PEM, GNUTLS_X509_CRT_LIST_SORT);
    if (error >= 0) {
        identity->chain_length = length;
        error = length == 0 ? GNUTLS_E_NO_CERTIFICATE_FOUND : read_dates(identity);
    }
    return error >= 0 || failure_set(failure, "--tls-cert: no chain of PEM certificates in %s: %s",
                                     tls->certificates, gnutls_strerror(error));
}

static bool take_key(struct identity *identity, const struct tls *tls, const struct text *text,
                     struct failure *failure)
{
    int error = gnutls_privkey_init(&identity->key);
    if (error >= 0)
        error = gnutls_privkey_import_x509_raw(identity->key, &text->data, GNUTLS_X509_FMT_PEM,
                                               NULL, 0);
    identity->exposed = (text->mode & S_IROTH) != 0;
    if (error == GNUTLS_E_DECRYPTION_FAILED)
        return failure_set(
            failure, "--tls-key: the key in %s has a password; one without is wanted", tls->key);
    return error >= 0 || failure_set(failure, "--tls-key: no PEM private key in %s: %s", tls->key,
                                     gnutls_strerror(error));
}

/* Whether the key is the one of the first certificate. */
static bool is_pair(const struct identity *identity)
{
    unsigned char ids[2][64];
    size_t sizes[2] = {sizeof(ids[0]), sizeof(ids[1])};
    gnutls_pubkey_t public_key;
    if (gnutls_pubkey_init(&public_key) < 0)
        return false;
    bool known =
        gnutls_pubkey_import_privkey(public_key, identity->key, 0, 0) >= 0 &&
        gnutls_pubkey_get_key_id(public_key, GNUTLS_KEYID_USE_SHA256, ids[0], &sizes[0]) >= 0 &&
        gnutls_pubkey_get_key_id(identity->chain[0].pubkey, GNUTLS_KEYID_USE_SHA256, ids[1],
                                 &sizes[1]) >= 0;
    gnutls_pubkey_deinit(public_key);
    return known && sizes[0] == sizes[1] && memcmp(ids[0], ids[1], sizes[0]) == 0;
}

static struct identity *make_identity(const struct tls *tls, const struct text *certificates,
                                      const struct text *key, struct failure *failure)
{
    struct identity *identity = calloc(1, sizeof(*identity));
    if (identity == NULL) {
        failure_set(failure, "out of memory");
        return NULL;
    }
    identity->holders = 1;
    if (take_chain(identity, tls, certificates, failure) && take_key(identity, tls, key, failure)) {
        if (is_pair(identity))
            return identity;
        failure_set(failure, "--tls-key: the key in %s is not that of the certificate in %s",
                    tls->key, tls->certificates);
    }
    identity_give(identity);
    return NULL;
}

static struct identity *read_identity(const struct tls *tls, struct failure *failure)
{
    struct text certificates, key;
    if (!read_text(&certificates, "tls-cert", tls->certificates, failure))
        return NULL;
    struct identity *identity = NULL;
    if (read_text(&key, "tls-key", tls->key, failure)) {
        identity = make_identity(tls, &certificates, &key, failure);
        drop_text(&key);
    }
    drop_text(&certificates);
    return identity;
}

/* ---- Life ---- */

struct tls *tls_create(const char *certificates, const char *key, struct failure *failure)
{
    struct tls *tls = calloc(1, sizeof(*tls));
    if (tls == NULL) {
        failure_set(failure, "out of memory");
        return NULL;
    }
    tls->certificates = certificates;
    tls->key = key;
    pthread_mutex_init(&tls->lock, NULL);
    tls->identity = read_identity(tls, failure);
    if (tls->identity != NULL)
        return tls;
    tls_destroy(tls);
    return NULL;
}

struct identity *tls_read(const struct tls *tls, struct failure *failure)
{
    return read_identity(tls, failure);
}

void tls_adopt(struct tls *tls, struct identity *identity)
{
    pthread_mutex_lock(&tls->lock);
    struct identity *before = tls->identity;
    tls->identity = identity;
    pthread_mutex_unlock(&tls->lock);
    identity_give(before);
}

void tls_destroy(struct tls *tls)
{
    if (tls == NULL)
        return;
    identity_give(tls->identity);
    pthread_mutex_destroy(&tls->lock);
    free(tls);
}

static void warn_of_date(const struct tls *tls, struct log *log, const char *what, time_t time)
{
    char date[KAIROS_TIMESTAMP_SIZE], path[4 * PATH_MAX + 3];
    int64_t moment = (int64_t)time * KAIROS_SECOND;
    if (moment < KAIROS_TIME_MIN || moment > KAIROS_TIME_MAX)
        return;
    kairos_timestamp_format(moment, date);
    log_quote(path, tls->certificates, strnlen(tls->certificates, PATH_MAX));
    log_write(log, LOG_WARNING, "tls_certificate file=%s %s=%s", path, what, date);
}

void tls_warn(const struct tls *tls, struct log *log)
{
    char path[4 * PATH_MAX + 3];
    const struct identity *identity = tls->identity;
    time_t now = time(NULL);
    if (now > identity->end)
        warn_of_date(tls, log, "expired_at", identity->end);
    if (now < identity->begin)
        warn_of_date(tls, log, "not_good_before", identity->begin);
    if (!identity->exposed)
        return;
    log_quote(path, tls->key, strnlen(tls->key, PATH_MAX));
    log_write(log, LOG_WARNING,
              "tls_key file=%s detail=\"every user of this machine can read it; chmod o-r it\"",
              path);
}

struct identity *tls_take(struct tls *tls)
{
    pthread_mutex_lock(&tls->lock);
    struct identity *identity = tls->identity;
    atomic_fetch_add(&identity->holders, 1);
    pthread_mutex_unlock(&tls->lock);
    return identity;
}

/* ---- In a session ---- */

/* One of the two sides is finished, which is the last that either says of keys. */
static int note_finished(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
                         const gnutls_datum_t *message)
{
    struct tls_session *ours = gnutls_db_get_ptr(session);
    (void)type;
    (void)when;
    (void)message;
    *(incoming ? &ours->client_finished : &ours->server_finished) = true;
    return 0;
}

/*
 * The session's own pointer is libmicrohttpd's. That of its store of sessions is free: there is no
 * such store.
 */
void tls_attach(struct tls_session *ours, gnutls_session_t session)
{
    gnutls_db_set_ptr(session, ours);
    gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_FINISHED, GNUTLS_HOOK_POST,
                                       note_finished);
}

bool tls_is_agreed(const struct tls_session *ours)
{
    return ours->client_finished && ours->server_finished;
}

int identity_show(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
                  gnutls_pcert_st **chain, unsigned *chain_length, gnutls_ocsp_data_st **ocsp,
                  unsigned *ocsp_length, gnutls_privkey_t *key, unsigned *flags)
{
    const struct tls_session *ours = gnutls_db_get_ptr(session);
    (void)info;
    if (ours == NULL)
        return -1;
    struct identity *identity = ours->identity;
    *chain = identity->chain;
    *chain_length = identity->chain_length;
    *ocsp = NULL;
    *ocsp_length = 0;
    *key = identity->key;
    *flags = 0;
    return 0;
}
