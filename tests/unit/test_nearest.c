/*
 * test_nearest.c - which known word was meant.
 */
#include "nearest.h"

#include "support.h"

static void found(void **state)
{
    static const char *const known[] = {"host",      "port",     "interval", "allowed_misses",
                                        "log_level", "log_file", "tls_cert", "tls_key"};
    static const struct {
        const char *word, *found;
    } rows[] = {
        {"prot", "port"},
        {"ports", "port"},
        {"PORT", "port"},
        {"hots", "host"},
        {"intervall", "interval"},
        {"allowed-misses", "allowed_misses"},
        {"allowedmisses", "allowed_misses"},
        {"alowed_mises", "allowed_misses"},
        {"loglevel", "log_level"},
        {"tls_certificate", NULL},
        {"tls_kye", "tls_key"},
        {"x", NULL},
        {"", NULL},
        {"workers", NULL},
        {"0123456789012345678901234567890123456789012345678901234567890123456789", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct nearest nearest = nearest_to(rows[i].word);
        for (size_t k = 0; k < COUNT_OF(known); k++)
            nearest_try(&nearest, known[k]);
        check((nearest.found == NULL) == (rows[i].found == NULL) &&
                  (nearest.found == NULL || strcmp(nearest.found, rows[i].found) == 0),
              "%s: %s", rows[i].word, nearest.found != NULL ? nearest.found : "none");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
