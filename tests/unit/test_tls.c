/*
 * test_tls.c - certificates that are read, refused, and renewed while sessions are open.
 */
#include "tls.h"

#include <fcntl.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "support.h"

#define DAY (24 * 60 * 60)

struct rig {
    char folder[64];
    char certificates[96];
    char key[96];
};

static void write_file(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0600), 0);
}

static int set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    strcpy(rig->folder, "/tmp/kairos-tls-XXXXXX");
    assert_non_null(mkdtemp(rig->folder));
    sprintf(rig->certificates, "%s/cert.pem", rig->folder);
    sprintf(rig->key, "%s/key.pem", rig->folder);
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;
    unlink(rig->certificates);
    unlink(rig->key);
    rmdir(rig->folder);
    free(rig);
    return 0;
}

static bool reload(struct tls *tls, struct failure *failure)
{
    struct identity *identity = tls_read(tls, failure);
    if (identity != NULL)
        tls_adopt(tls, identity);
    return identity != NULL;
}

static gnutls_x509_privkey_t make_key(void)
{
    gnutls_x509_privkey_t key;
    assert_int_equal(gnutls_x509_privkey_init(&key), 0);
    assert_int_equal(gnutls_x509_privkey_generate(
                         key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
                     0);
    return key;
}

/* A certificate of KEY with the serial number SERIAL, good for the seconds from BEGIN to END. */
static gnutls_datum_t make_certificate(gnutls_x509_privkey_t key, unsigned char serial,
                                       time_t begin, time_t end)
{
    gnutls_x509_crt_t certificate;
    gnutls_datum_t pem;
    assert_int_equal(gnutls_x509_crt_init(&certificate), 0);
    gnutls_x509_crt_set_version(certificate, 3);
    gnutls_x509_crt_set_serial(certificate, &serial, 1);
    gnutls_x509_crt_set_dn(certificate, "CN=localhost", NULL);
    gnutls_x509_crt_set_issuer_dn(certificate, "CN=localhost", NULL);
    gnutls_x509_crt_set_activation_time(certificate, begin);
    gnutls_x509_crt_set_expiration_time(certificate, end);
    gnutls_x509_crt_set_key(certificate, key);
    assert_int_equal(gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA256, 0), 0);
    assert_int_equal(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &pem), 0);
    gnutls_x509_crt_deinit(certificate);
    return pem;
}

static void write_key(const struct rig *rig, gnutls_x509_privkey_t key)
{
    gnutls_datum_t pem;
    assert_int_equal(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem), 0);
    write_file(rig->key, pem.data, pem.size);
    gnutls_free(pem.data);
}

static void write_certificate(const struct rig *rig, gnutls_datum_t pem)
{
    write_file(rig->certificates, pem.data, pem.size);
    gnutls_free(pem.data);
}

/* Writes a pair of files whose certificate has the serial number SERIAL. */
static void write_pair(const struct rig *rig, unsigned char serial, time_t begin, time_t end)
{
    gnutls_x509_privkey_t key = make_key();
    write_key(rig, key);
    write_certificate(rig, make_certificate(key, serial, begin, end));
    gnutls_x509_privkey_deinit(key);
}

static void write_good_pair(const struct rig *rig, unsigned char serial)
{
    time_t now = time(NULL);
    write_pair(rig, serial, now - DAY, now + DAY);
}

static struct tls *create(const struct rig *rig)
{
    struct failure failure = {0};
    struct tls *tls = tls_create(rig->certificates, rig->key, &failure);
    check(tls != NULL, "%s", failure.text);
    return tls;
}

/* ---- Sessions ---- */

/* A server's session that shows IDENTITY, and the serial number that its client gets to see. */
struct pair {
    struct tls_session ours; /* of the server's */
    int sockets[2];
    gnutls_certificate_credentials_t credentials[2];
    gnutls_session_t server, client;
};

static gnutls_session_t open_session(unsigned role, int fd, gnutls_certificate_credentials_t *own)
{
    gnutls_session_t session;
    assert_int_equal(gnutls_init(&session, role | GNUTLS_NONBLOCK), 0);
    assert_int_equal(gnutls_certificate_allocate_credentials(own), 0);
    assert_int_equal(gnutls_priority_set_direct(session, TLS_PRIORITIES, NULL), 0);
    assert_int_equal(gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, *own), 0);
    gnutls_transport_set_int(session, fd);
    return session;
}

static void open_pair(struct pair *pair)
{
    pair->ours = (struct tls_session){0};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair->sockets), 0);
    pair->server = open_session(GNUTLS_SERVER, pair->sockets[0], &pair->credentials[0]);
    pair->client = open_session(GNUTLS_CLIENT, pair->sockets[1], &pair->credentials[1]);
    gnutls_certificate_set_retrieve_function3(pair->credentials[0], identity_show);
}

static unsigned serial_seen(struct pair *pair)
{
    int server = GNUTLS_E_AGAIN, client = GNUTLS_E_AGAIN;
    while (client == GNUTLS_E_AGAIN || server == GNUTLS_E_AGAIN) {
        client = client == 0 ? 0 : gnutls_handshake(pair->client);
        server = server == 0 ? 0 : gnutls_handshake(pair->server);
        assert_int_equal(tls_is_agreed(&pair->ours), server == 0);
    }
    check(client == 0 && server == 0, "%s, %s", gnutls_strerror(client), gnutls_strerror(server));
    unsigned count;
    unsigned char serial[20];
    size_t size = sizeof(serial);
    gnutls_x509_crt_t certificate;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(pair->client, &count);
    assert_int_equal(gnutls_x509_crt_init(&certificate), 0);
    assert_int_equal(gnutls_x509_crt_import(certificate, &chain[0], GNUTLS_X509_FMT_DER), 0);
    assert_int_equal(gnutls_x509_crt_get_serial(certificate, serial, &size), 0);
    gnutls_x509_crt_deinit(certificate);
    assert_int_equal(size, 1);
    return serial[0];
}

static void close_pair(struct pair *pair)
{
    gnutls_deinit(pair->server);
    gnutls_deinit(pair->client);
    for (int i = 0; i < 2; i++) {
        gnutls_certificate_free_credentials(pair->credentials[i]);
        close(pair->sockets[i]);
    }
}

static void sessions_show_what_they_began_with(void **state)
{
    const struct rig *rig = *state;
    struct failure failure;
    struct pair before, after;
    write_good_pair(rig, 1);
    struct tls *tls = create(rig);
    struct identity *first = tls_take(tls);
    open_pair(&before);
    before.ours.identity = first;
    tls_attach(&before.ours, before.server);

    write_good_pair(rig, 2);
    assert_true(reload(tls, &failure));
    struct identity *second = tls_take(tls);
    open_pair(&after);
    after.ours.identity = second;
    tls_attach(&after.ours, after.server);
    assert_int_equal(serial_seen(&before), 1);
    assert_int_equal(serial_seen(&after), 2);

    close_pair(&before);
    identity_give(first);
    close_pair(&after);
    identity_give(second);
    tls_destroy(tls);
}

static void session_without_identity_fails(void **state)
{
    struct pair pair;
    open_pair(&pair);
    int client = GNUTLS_E_AGAIN, server = GNUTLS_E_AGAIN;
    while (server == GNUTLS_E_AGAIN) {
        client = gnutls_handshake(pair.client);
        server = gnutls_handshake(pair.server);
    }
    assert_true(server < 0);
    assert_int_not_equal(client, 0);
    close_pair(&pair);
}

/* ---- Files that cannot be used ---- */

enum damage {
    NO_CERTIFICATE,
    NO_KEY,
    CERTIFICATE_IS_NONE,
    KEY_IS_NONE,
    CERTIFICATE_IS_EMPTY,
    KEY_IS_CERTIFICATE,
    KEY_OF_ANOTHER,
    KEY_WITH_PASSWORD,
    CERTIFICATE_IS_CUT,
    CERTIFICATE_IS_LONG,
};

static void damage(const struct rig *rig, enum damage kind)
{
    static char zeros[1024 * 1024];
    gnutls_x509_privkey_t key = make_key();
    gnutls_datum_t pem;
    switch (kind) {
    case NO_CERTIFICATE:
        unlink(rig->certificates);
        break;
    case NO_KEY:
        unlink(rig->key);
        break;
    case CERTIFICATE_IS_NONE:
        write_file(rig->certificates, "nonsense", 8);
        break;
    case KEY_IS_NONE:
        write_file(rig->key, "nonsense", 8);
        break;
    case CERTIFICATE_IS_EMPTY:
        write_file(rig->certificates, "", 0);
        break;
    case KEY_IS_CERTIFICATE:
        pem = make_certificate(key, 1, 0, DAY);
        write_file(rig->key, pem.data, pem.size);
        gnutls_free(pem.data);
        break;
    case KEY_OF_ANOTHER:
        write_key(rig, key);
        break;
    case KEY_WITH_PASSWORD:
        gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, "secret",
                                          GNUTLS_PKCS_PBES2_AES_256, &pem);
        write_file(rig->key, pem.data, pem.size);
        gnutls_free(pem.data);
        break;
    case CERTIFICATE_IS_CUT:
        pem = make_certificate(key, 1, 0, DAY);
        write_file(rig->certificates, pem.data, pem.size / 2);
        gnutls_free(pem.data);
        break;
    case CERTIFICATE_IS_LONG:
        write_file(rig->certificates, zeros, sizeof(zeros));
        break;
    }
    gnutls_x509_privkey_deinit(key);
}

static void bad_files_change_nothing(void **state)
{
    static const struct {
        enum damage damage;
        const char *message;
    } rows[] = {
        {NO_CERTIFICATE, "--tls-cert: cannot read "},
        {NO_KEY, "--tls-key: cannot read "},
        {CERTIFICATE_IS_NONE, "--tls-cert: no chain of PEM certificates in "},
        {KEY_IS_NONE, "--tls-key: no PEM private key in "},
        {CERTIFICATE_IS_EMPTY, "--tls-cert: no chain of PEM certificates in "},
        {KEY_IS_CERTIFICATE, "--tls-key: no PEM private key in "},
        {KEY_OF_ANOTHER, "is not that of the certificate in "},
        {KEY_WITH_PASSWORD, "has a password"},
        {CERTIFICATE_IS_CUT, "--tls-cert: no chain of PEM certificates in "},
        {CERTIFICATE_IS_LONG, "--tls-cert: cannot read "},
    };
    const struct rig *rig = *state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct failure failure = {0};
        write_good_pair(rig, 1);
        struct tls *tls = create(rig);
        struct identity *before = tls_take(tls);
        damage(rig, rows[i].damage);
        check(!reload(tls, &failure), "row %zu", i);
        check(strstr(failure.text, rows[i].message) != NULL, "row %zu: %s", i, failure.text);
        struct identity *after = tls_take(tls);
        assert_ptr_equal(before, after);
        identity_give(before);
        identity_give(after);
        tls_destroy(tls);

        failure.text[0] = '\0';
        assert_null(tls_create(rig->certificates, rig->key, &failure));
        check(strstr(failure.text, rows[i].message) != NULL, "row %zu: %s", i, failure.text);
    }
}

/* ---- Warnings ---- */

static void expect_warning(const struct rig *rig, const char *expected)
{
    char path[96], text[2048] = "";
    struct failure failure;
    struct log log;
    snprintf(path, sizeof(path), "%s/log", rig->folder);
    assert_true(log_open(&log, &(struct log_options){.file = path}, &failure));
    struct tls *tls = create(rig);
    tls_warn(tls, &log);
    tls_destroy(tls);
    log_close(&log);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    unlink(path);
    if (expected == NULL)
        assert_string_equal(text, "");
    else
        check(strstr(text, expected) != NULL, "%s", text);
}

static void warnings(void **state)
{
    const struct rig *rig = *state;
    time_t now = time(NULL);
    write_pair(rig, 1, now - DAY, now + DAY);
    expect_warning(rig, NULL);
    chmod(rig->key, 0640);
    expect_warning(rig, NULL);
    chmod(rig->key, 0604);
    expect_warning(rig, "chmod o-r");
    write_pair(rig, 1, 0, DAY);
    expect_warning(rig, " expired_at=1970-01-02T00:00:00Z\n");
    write_pair(rig, 1, now + DAY, now + 2 * DAY);
    expect_warning(rig, " not_good_before=");
}

static void nothing_is_given_back(void **state)
{
    identity_give(NULL);
    tls_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sessions_show_what_they_began_with, set_up, tear_down),
        cmocka_unit_test(session_without_identity_fails),
        cmocka_unit_test_setup_teardown(bad_files_change_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(warnings, set_up, tear_down),
        cmocka_unit_test(nothing_is_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
