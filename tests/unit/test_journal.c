/*
 * test_journal.c - what becomes of services, as lines of the log.
 */
#include "journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <kairos/timestamp.h>

#include "support.h"

struct fixture {
    struct log log;
    struct clock clock;
    char *text; /* of the log */
    size_t size;
};

static void init(struct fixture *fixture)
{
    const struct clock_reading reading = {.wall = 0, .boottime = 0, .monotonic = 0};
    clock_init(&fixture->clock, &reading, (const char[BOOT_ID_SIZE]){0}, NULL, TIME_NEVER);
    fixture->log =
        (struct log){.stream = open_memstream(&fixture->text, &fixture->size), .level = LOG_INFO};
    assert_non_null(fixture->log.stream);
}

static void finish(struct fixture *fixture)
{
    fclose(fixture->log.stream);
    free(fixture->text);
}

static void what_a_line_says(void **state)
{
    static const char *const lines[] = {
        " WARN alert service=push kind=silence alert_at=1970-01-01T00:00:03Z missed_count=3 "
        "last_seen=1970-01-01T00:00:00Z raised_at=1970-01-01T00:00:04Z\n",
        " WARN alert service=job kind=overrun alert_at=1970-01-01T00:00:03Z missed_count=0 "
        "last_seen=never raised_at=1970-01-01T00:00:04Z\n",
        " INFO recovered service=push started_at=1970-01-01T00:00:03Z "
        "recovered_at=1970-01-01T00:00:05Z\n",
        " INFO closed service=push started_at=1970-01-01T00:00:03Z "
        "ended_at=1970-01-01T00:00:05Z end=paused\n",
        " WARN gap from=1970-01-01T00:00:01Z to=1970-01-01T00:00:13.500000Z seconds=12.500 "
        "reason=stall\n",
    };
    struct fixture fixture;
    struct failure failure;
    init(&fixture);
    struct journal *journal = journal_create(&fixture.log, &fixture.clock, &failure);
    assert_non_null(journal);
    struct incident incident = {
        .service = "push",
        .kind = INCIDENT_SILENCE,
        .started_at = 3 * KAIROS_SECOND,
        .raised_at = 4 * KAIROS_SECOND,
        .missed_count = 3,
    };
    journal_opened(journal, &incident);
    struct incident overrun = incident;
    strcpy(overrun.service, "job");
    overrun.kind = INCIDENT_OVERRUN;
    overrun.last_seen = TIME_NEVER;
    overrun.missed_count = 0;
    journal_opened(journal, &overrun);
    incident.end = INCIDENT_RECOVERED;
    incident.ended_at = 5 * KAIROS_SECOND;
    journal_closed(journal, &incident);
    incident.end = INCIDENT_PAUSED;
    journal_closed(journal, &incident);
    const struct gap gap = {.from = KAIROS_SECOND, .to = 13500000, .reason = GAP_STALL};
    journal_gap(journal, &gap);
    journal_destroy(journal);
    fflush(fixture.log.stream);

    const char *at = fixture.text;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        at += strlen("1970-01-01T00:00:00.000Z");
        check(strncmp(at, lines[i], strlen(lines[i])) == 0, "%s: %s", lines[i], at);
        at += strlen(lines[i]);
    }
    assert_int_equal(*at, '\0');
    finish(&fixture);
}

/* What was written to a log that keeps nothing; each write is a line. */
struct tally {
    size_t logged;
    size_t lost;
};

static ssize_t count_line(void *cookie, const char *bytes, size_t size)
{
    static const char lost[] = " WARN not_logged count=";
    struct tally *tally = cookie;
    const char *found = memmem(bytes, size, lost, strlen(lost));
    if (found != NULL)
        tally->lost += strtoul(found + strlen(lost), NULL, 10);
    tally->logged += memmem(bytes, size, " WARN alert ", 12) != NULL;
    return (ssize_t)size;
}

/* Whoever tells more than the log can take is not held up, and nothing is lost unseen. */
static void a_log_that_hangs(void **state)
{
    const size_t told = 3000000; /* more than both of its buffers hold */
    const struct clock_reading reading = {.wall = 0, .boottime = 0, .monotonic = 0};
    struct tally tally = {0};
    struct log log = {
        .stream = fopencookie(&tally, "w", (cookie_io_functions_t){.write = count_line}),
        .level = LOG_INFO,
    };
    struct clock clock;
    struct failure failure;
    clock_init(&clock, &reading, (const char[BOOT_ID_SIZE]){0}, NULL, TIME_NEVER);
    struct journal *journal = journal_create(&log, &clock, &failure);
    assert_non_null(journal);
    struct incident incident = {.service = "push"};
    flockfile(log.stream);
    for (size_t i = 0; i < told; i++)
        journal_opened(journal, &incident);
    funlockfile(log.stream);
    while (!journal_destroy(journal))
        ; /* a million lines may take it longer than it waits */
    fclose(log.stream);
    assert_true(tally.lost > 0);
    assert_int_equal(tally.logged + tally.lost, told);
}

static void nobody_tells_anything(void **state)
{
    struct fixture fixture;
    struct failure failure;
    init(&fixture);
    journal_destroy(journal_create(&fixture.log, &fixture.clock, &failure));
    journal_destroy(NULL);
    fflush(fixture.log.stream);
    assert_int_equal(fixture.size, 0);
    finish(&fixture);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_line_says),
        cmocka_unit_test(a_log_that_hangs),
        cmocka_unit_test(nobody_tells_anything),
    };
    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
