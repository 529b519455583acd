/*
 * fuzz_fields.c - what the server itself reads of header fields: a line each, NAME:VALUE.
 */
#include <stdlib.h>
#include <string.h>

#include "fields.h"
#include "forwarded.h"
#include "fuzz.h"

/* A slice of just its own size, so that a sanitizer sees a read beyond it. */
static struct slice copy_of(struct slice text)
{
    return (struct slice){fuzz_copy(text.text, text.length), text.length};
}

/* An address is written so that it can be read again. */
static void check_ip(const struct ip *ip)
{
    char text[IP_TEXT_SIZE];
    struct ip again;
    size_t length = ip_format(ip, text);
    EXPECT(length < IP_TEXT_SIZE && length == strlen(text));
    EXPECT(ip_parse((struct slice){text, length}, &again));
    EXPECT(memcmp(&again, ip, sizeof(again)) == 0);
}

static void check_forwarded(struct slice value)
{
    static const char *const lists[] = {"", "10.0.0.0/8, ::1", "0.0.0.0/0, ::/0"};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct failure failure;
        struct networks trusted = {0};
        struct ip ip = {0};
        EXPECT(networks_add(&trusted, lists[i], &failure));
        bool further = forwarded_read(value, &trusted, &ip);
        check_ip(&ip);
        EXPECT(!further || networks_have(&trusted, &ip));
    }
}

/* Whatever a list of networks is read as, its own addresses are in it. */
static void check_networks(struct slice value)
{
    struct failure failure;
    struct networks networks = {0};
    char *text = fuzz_allocate(value.length + 1, 1);
    memcpy(text, value.text == NULL ? "" : value.text, value.length);
    text[value.length] = '\0';
    networks_add(&networks, text, &failure);
    EXPECT(networks.count <= NETWORKS_MAX);
    for (size_t i = 0; i < networks.count; i++) {
        EXPECT(networks.list[i].bits <= 128);
        EXPECT(networks_have(&networks, &networks.list[i].ip));
    }
    free(text);
}

/* Adds a line to FIELDS; its name and value are copies that the caller frees. */
static void add_line(struct fields *fields, struct slice line, struct slice copies[2])
{
    const char *colon = line.length == 0 ? NULL : memchr(line.text, ':', line.length);
    size_t name = colon == NULL ? line.length : (size_t)(colon - line.text);
    size_t rest = colon == NULL ? line.length : name + 1;
    copies[0] = copy_of((struct slice){line.text, name});
    copies[1] = copy_of((struct slice){line.text + rest, line.length - rest});
    fields_add(fields, copies[0], copies[1]);
    check_forwarded(copies[1]);
    check_networks(copies[1]);
}

#define LINES_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fields fields = {0};
    struct slice copies[LINES_MAX][2];
    size_t count = 0;
    const char *at = (const char *)data, *end = at + size;
    for (; at < end && count < LINES_MAX; count++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline == NULL ? end : newline;
        add_line(&fields, (struct slice){at, (size_t)(stop - at)}, copies[count]);
        at = newline == NULL ? end : newline + 1;
    }
    const char *wrong = fields_wrong(&fields, false);
    EXPECT(wrong == NULL || strlen(wrong) > 0);
    EXPECT(wrong == NULL || fields_wrong(&fields, true) != NULL);
    EXPECT(fields.request_id.length == 0 || is_request_id(fields.request_id));
    if (wrong == NULL)
        EXPECT(fields.lengths + fields.codings <= 1 && fields.hosts <= 1);
    while (count-- > 0) {
        free((char *)copies[count][0].text);
        free((char *)copies[count][1].text);
    }
    return 0;
}
