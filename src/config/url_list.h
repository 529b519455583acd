/*
 * url_list.h - addresses of the web, with commas between them:
 *
 *   https://kairos.example.com/ping/kairos-1, http://10.0.0.7:8000/ping/kairos-1
 *
 * They may hold secrets, a ping key or a password: what is wrong with one is said without it.
 */
#ifndef KAIROS_CONFIG_URL_LIST_H
#define KAIROS_CONFIG_URL_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "failure.h"

/* Addresses in a list, and bytes of each with a NUL. */
#define URL_LIST_MAX 10
#define URL_SIZE     2048

/* Whether TEXT is a list of up to URL_LIST_MAX addresses, none included; or describes why not. */
bool url_list_check(const char *text, struct failure *failure);

/*
 * Copies the next address at *AT, in a list that was checked, to URL and moves *AT behind it.
 * Returns false when there is no further one.
 */
bool url_list_next(const char **at, char url[URL_SIZE]);

/* Writes the host in URL, and nothing else of it, to HOST. */
void url_host(const char *url, char *host, size_t size);

#endif
