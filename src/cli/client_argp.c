#include "client_argp.h"

#include <stdlib.h>

#include "option_values.h"

enum option_key {
    OPTION_URL = 'u',
    OPTION_CACERT = 0x100, /* no short form */
};

static const struct argp_option entries[] = {
    {"url", OPTION_URL, "URL", 0,
     "The server's address: http://…, https://… or unix:/path (default: KAIROS_URL in the "
     "environment, or " CLIENT_URL_DEFAULT ")",
     CLIENT_ARGP_GROUP},
    {"cacert", OPTION_CACERT, "FILE", 0,
     "Trust the certificates in FILE, not the system's (default: KAIROS_CACERT)",
     CLIENT_ARGP_GROUP},
    {0},
};

static void check_url(const struct argp_state *state, const char *from, const char *url)
{
    const char *wrong = client_check_url(url);
    if (wrong != NULL)
        wrong_usage(state, "%s: '%s' %s; write one as in " CLIENT_URL_DEFAULT, from, url, wrong);
}

/* A variable that is empty is none. */
static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && *value != '\0' ? value : NULL;
}

/* What was not named is taken from the environment. */
static void finish(const struct argp_state *state, struct client_options *options)
{
    if (options->cacert == NULL)
        options->cacert = variable("KAIROS_CACERT");
    if (options->url != NULL)
        return;
    options->url = variable("KAIROS_URL");
    if (options->url == NULL)
        options->url = CLIENT_URL_DEFAULT;
    check_url(state, "KAIROS_URL", options->url);
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
    struct client_options *options = state->input;
    switch (key) {
    case OPTION_URL:
        check_url(state, "--url", argument);
        options->url = argument;
        return 0;
    case OPTION_CACERT:
        if (*argument == '\0')
            wrong_usage(state, "--cacert: the path is empty");
        options->cacert = argument;
        return 0;
    case ARGP_KEY_END:
        finish(state, options);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp client_argp = {.options = entries, .parser = parse_option};
