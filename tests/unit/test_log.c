/*
 * test_log.c - lines of the log, and foreign bytes in them.
 */
#include "log.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

static void levels_are_read_in_any_case(void **state)
{
    static const struct {
        const char *text;
        enum log_level level;
    } rows[] = {
        {"DEBUG", LOG_DEBUG}, {"debug", LOG_DEBUG},     {"Info", LOG_INFO},
        {"INFO", LOG_INFO},   {"warning", LOG_WARNING}, {"WARNING", LOG_WARNING},
        {"ERROR", LOG_ERROR}, {"eRRoR", LOG_ERROR},
    };
    static const char *const none[] = {"",    "WARN", "DEBUG ", " INFO",
                                       "ERR", "0",    "TRACE",  "ERRORS"};
    enum log_level level;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        check(log_level_parse(rows[i].text, &level) && level == rows[i].level, "%s", rows[i].text);
    }
    for (size_t i = 0; i < COUNT_OF(none); i++)
        check(!log_level_parse(none[i], &level), "%s", none[i]);
}

static void quoted_bytes(void **state)
{
    static const struct {
        struct bytes text;
        const char *quoted;
    } rows[] = {
        {BYTES(""), "\"\""},
        {BYTES("push"), "\"push\""},
        {BYTES("say \"hi\""), "\"say \\\"hi\\\"\""},
        {BYTES("a\\b"), "\"a\\\\b\""},
        {BYTES("\n\r\t"), "\"\\x0a\\x0d\\x09\""},
        {BYTES("a\0b"), "\"a\\x00b\""},
        {BYTES("\x7f~\x1f "), "\"\\x7f~\\x1f \""},
        {BYTES("\xc3\xa4\xff"), "\"\\xc3\\xa4\\xff\""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char quoted[64];
        log_quote(quoted, rows[i].text.text, rows[i].text.length);
        assert_string_equal(quoted, rows[i].quoted);
    }
}

/* Any bytes come back from their quotes, and need no more room than was promised. */
static void quotes_can_be_undone(void **state)
{
    struct dice dice = {1};
    for (int i = 0; i < 20000; i++) {
        char text[104], back[104];
        size_t length = dice_below(&dice, sizeof(text) + 1), count = 0;
        for (size_t at = 0; at < length; at++)
            text[at] = dice_chance(&dice, 50) ? dice_char(&dice, "\"\\xaz09 ")
                                              : (char)dice_below(&dice, 256);
        char *quoted = malloc(4 * length + 3);
        assert_non_null(quoted);
        log_quote(quoted, text, length);

        const char *c = quoted;
        assert_int_equal(*c++, '"');
        while (*c != '"') {
            assert_true(*c >= 0x20 && *c < 0x7f && count < sizeof(back));
            if (*c != '\\') {
                back[count++] = *c++;
            } else if (c[1] == 'x') {
                char hex[3] = {c[2], c[3], '\0'};
                back[count++] = (char)strtol(hex, NULL, 16);
                c += 4;
            } else {
                back[count++] = c[1];
                c += 2;
            }
        }
        assert_int_equal(c[1], '\0');
        assert_int_equal(count, length);
        assert_memory_equal(back, text, length);
        free(quoted);
    }
}

static bool open_log(struct log *log, const char *path, enum log_level level,
                     struct failure *failure)
{
    const struct log_options options = {.file = path, .level = level};
    return log_open(log, &options, failure);
}

/* A file of our own, and what was written to it. */
struct scratch {
    char path[32];
    struct text text;
};

static void scratch_init(struct scratch *scratch)
{
    *scratch = (struct scratch){.path = "/tmp/kairos-log-XXXXXX"};
    int descriptor = mkstemp(scratch->path);
    assert_true(descriptor >= 0);
    close(descriptor);
}

static const char *scratch_read(struct scratch *scratch)
{
    char block[1024];
    FILE *file = fopen(scratch->path, "r");
    assert_non_null(file);
    scratch->text.length = 0;
    text_print(&scratch->text, "%s", "");
    for (size_t size; (size = fread(block, 1, sizeof(block), file)) > 0;)
        text_add(&scratch->text, block, size);
    fclose(file);
    return scratch->text.bytes;
}

static void scratch_finish(struct scratch *scratch)
{
    unlink(scratch->path);
    text_finish(&scratch->text);
}

/* 2025-08-04T10:05:00.000Z WARN … */
static void check_date(const char *line)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ ";
    for (size_t i = 0; i < strlen(form); i++) {
        bool digit = line[i] >= '0' && line[i] <= '9';
        check(form[i] == 'd' ? digit : line[i] == form[i], "%s", line);
    }
}

static void a_line_has_a_date_a_level_and_words(void **state)
{
    struct scratch scratch;
    struct log log;
    struct failure failure;
    scratch_init(&scratch);
    assert_true(open_log(&log, scratch.path, LOG_DEBUG, &failure));
    log_write(&log, LOG_WARNING, "skipped event=%d reason=%s", 11, "missing_timestamp");
    log_close(&log);
    const char *line = scratch_read(&scratch);
    check_date(line);
    assert_string_equal(line + 25, "WARN skipped event=11 reason=missing_timestamp\n");
    scratch_finish(&scratch);
}

static void lower_levels_are_left_out(void **state)
{
    static const char *const expected[] = {"DEBUG INFO WARN ERROR ", "INFO WARN ERROR ",
                                           "WARN ERROR ", "ERROR "};
    for (int level = LOG_DEBUG; level <= LOG_ERROR; level++) {
        struct scratch scratch;
        struct log log;
        struct failure failure;
        struct text labels = {0};
        scratch_init(&scratch);
        assert_true(open_log(&log, scratch.path, (enum log_level)level, &failure));
        for (int written = LOG_DEBUG; written <= LOG_ERROR; written++)
            log_write(&log, (enum log_level)written, "words");
        log_close(&log);
        char *save, *line = strtok_r((char *)(uintptr_t)scratch_read(&scratch), "\n", &save);
        for (; line != NULL; line = strtok_r(NULL, "\n", &save))
            text_print(&labels, "%.*s ", (int)strcspn(line + 25, " "), line + 25);
        assert_string_equal(labels.bytes, expected[level]);
        text_finish(&labels);
        scratch_finish(&scratch);
    }
}

static void a_log_file_is_appended_to(void **state)
{
    struct scratch scratch;
    struct failure failure;
    scratch_init(&scratch);
    for (int i = 0; i < 3; i++) {
        struct log log;
        assert_true(open_log(&log, scratch.path, LOG_INFO, &failure));
        log_write(&log, LOG_INFO, "run");
        log_close(&log);
    }
    const char *text = scratch_read(&scratch);
    size_t lines = 0;
    for (; *text != '\0'; text++)
        lines += *text == '\n';
    assert_int_equal(lines, 3);
    scratch_finish(&scratch);
}

static void a_long_line_is_cut(void **state)
{
    for (size_t length = LOG_LINE_MAX - 64; length < LOG_LINE_MAX + 64; length++) {
        struct scratch scratch;
        struct log log;
        struct failure failure;
        struct text words = {0};
        while (words.length < length)
            text_print(&words, "%zu", words.length % 10);
        scratch_init(&scratch);
        assert_true(open_log(&log, scratch.path, LOG_INFO, &failure));
        log_write(&log, LOG_INFO, "%s", words.bytes);
        log_close(&log);
        size_t begin = strlen("2025-08-04T10:05:00.000Z INFO ");
        const char *line = scratch_read(&scratch) + begin;
        if (begin + length + 1 <= LOG_LINE_MAX) {
            assert_int_equal(strlen(line), length + 1);
            assert_memory_equal(line, words.bytes, length);
            assert_int_equal(line[length], '\n');
        } else {
            size_t kept = strlen(line) - 4;
            assert_int_equal(scratch.text.length, LOG_LINE_MAX);
            assert_memory_equal(line, words.bytes, kept);
            assert_string_equal(line + kept, "...\n");
        }
        text_finish(&words);
        scratch_finish(&scratch);
    }
}

static void formats_are_read_in_any_case(void **state)
{
    static const char *const none[] = {"", "JSON ", "xml", "texts", "0"};
    enum log_format format = LOG_JSON;
    assert_true(log_format_parse("Text", &format) && format == LOG_TEXT);
    assert_true(log_format_parse("JSON", &format) && format == LOG_JSON);
    for (size_t i = 0; i < COUNT_OF(none); i++)
        check(!log_format_parse(none[i], &format), "%s", none[i]);
}

static void a_line_as_an_object(void **state)
{
    struct scratch scratch;
    struct log log;
    struct failure failure;
    scratch_init(&scratch);
    const struct log_options options = {.file = scratch.path, .format = LOG_JSON};
    assert_true(log_open(&log, &options, &failure));
    log_write(&log, LOG_WARNING, "alert service=%s missed_count=%d", "push", 3);
    log_write(&log, LOG_INFO, "long detail=\"%0*d\"", 2 * LOG_LINE_MAX, 1);
    log_close(&log);
    const char *line = scratch_read(&scratch), *next = strchr(line, '\n') + 1;
    assert_memory_equal(line, "{\"time\": \"", 10);
    assert_memory_equal(line + 34,
                        "\", \"level\": \"WARN\", \"event\": \"alert\", \"service\": \"push\", "
                        "\"missed_count\": 3}\n",
                        (size_t)(next - line) - 34);
    assert_string_equal(next + strlen(next) - 6, "...\"}\n");
    scratch_finish(&scratch);
}

/* A file that was moved away keeps its lines, and the next ones go into a new one. */
static void a_file_is_opened_anew(void **state)
{
    struct scratch scratch, other;
    struct log log;
    struct failure failure;
    scratch_init(&scratch);
    scratch_init(&other);
    struct log_options options = {.file = scratch.path, .level = LOG_INFO};
    assert_true(log_open(&log, &options, &failure));
    log_write(&log, LOG_INFO, "first");
    assert_int_equal(rename(scratch.path, other.path), 0);
    log_write(&log, LOG_INFO, "second");
    options.level = LOG_WARNING;
    assert_true(log_adopt(&log, log_prepare(&options, &failure), &options));
    log_write(&log, LOG_WARNING, "third");
    log_write(&log, LOG_INFO, "not this one");
    options = (struct log_options){.file = other.path, .format = LOG_JSON};
    assert_true(log_adopt(&log, log_prepare(&options, &failure), &options));
    log_write(&log, LOG_DEBUG, "fourth");
    log_close(&log);
    const char *text = scratch_read(&scratch);
    assert_string_equal(text + 25, "WARN third\n");
    text = scratch_read(&other);
    assert_non_null(strstr(text, "INFO first\n"));
    assert_non_null(strstr(text, "INFO second\n{"));
    assert_non_null(strstr(text, "\"event\": \"fourth\"}\n"));
    options.file = "/nowhere/kairos.log";
    assert_int_equal(log_prepare(&options, &failure), -1);
    assert_non_null(strstr(failure.text, "/nowhere/kairos.log"));
    scratch_finish(&scratch);
    scratch_finish(&other);
}

struct hold {
    struct log *log;
    _Atomic int state; /* 1: it has the log; 2: it may let go */
};

static void *hold_log(void *data)
{
    struct hold *hold = data;
    flockfile(hold->log->stream);
    hold->state = 1;
    while (hold->state != 2)
        sched_yield();
    funlockfile(hold->log->stream);
    return NULL;
}

/* One that hangs is not waited for for ever, and stays as it is. */
static void a_log_that_hangs_is_not_changed(void **state)
{
    struct scratch scratch;
    struct log log;
    struct failure failure;
    pthread_t thread;
    scratch_init(&scratch);
    struct log_options options = {.file = scratch.path, .level = LOG_INFO};
    assert_true(log_open(&log, &options, &failure));
    struct hold hold = {.log = &log};
    assert_int_equal(pthread_create(&thread, NULL, hold_log, &hold), 0);
    while (hold.state != 1)
        sched_yield();
    options.level = LOG_ERROR;
    int fd = log_prepare(&options, &failure);
    assert_false(log_adopt(&log, fd, &options));
    assert_int_equal(log.level, LOG_INFO);
    hold.state = 2;
    pthread_join(thread, NULL);
    assert_true(log_adopt(&log, fd, &options)); /* it was not closed */
    assert_int_equal(log.level, LOG_ERROR);
    log_close(&log);
    scratch_finish(&scratch);
}

/* So many threads write so many lines each, some longer than a stream's buffer. */
#define WRITERS 4
#define LINES   200

struct writer {
    struct log *log;
    char letter;
};

static void *write_lines(void *data)
{
    struct writer *writer = data;
    char words[6000];
    memset(words, writer->letter, sizeof(words));
    for (int i = 0; i < LINES; i++)
        log_write(writer->log, LOG_INFO, "%.*s", i % 2 ? 10 : (int)sizeof(words), words);
    return NULL;
}

/* While the file is opened anew again and again. */
static void lines_of_several_threads_stay_whole(void **state)
{
    struct scratch scratch;
    struct log log;
    struct failure failure;
    pthread_t threads[WRITERS];
    struct writer writers[WRITERS];
    size_t lines = 0;
    scratch_init(&scratch);
    assert_true(open_log(&log, scratch.path, LOG_INFO, &failure));
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.log = &log, .letter = (char)('a' + i)};
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, &writers[i]), 0);
    }
    const struct log_options options = {.file = scratch.path, .level = LOG_INFO};
    for (int i = 0; i < 50; i++)
        assert_true(log_adopt(&log, log_prepare(&options, &failure), &options));
    for (int i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    log_close(&log);
    const char *text = scratch_read(&scratch);
    for (; *text != '\0'; lines++) {
        check_date(text);
        text += strlen("2025-08-04T10:05:00.000Z INFO ");
        const char letter[] = {*text, '\0'};
        size_t length = strspn(text, letter);
        assert_true(length == 10 || length == 6000);
        assert_int_equal(text[length], '\n');
        text += length + 1;
    }
    assert_int_equal(lines, WRITERS * LINES);
    scratch_finish(&scratch);
}

static void a_file_that_cannot_be_opened_is_named(void **state)
{
    struct log log;
    struct failure failure;
    assert_false(open_log(&log, "/nowhere/kairos.log", LOG_INFO, &failure));
    assert_string_equal(failure.text,
                        "--log-file: cannot open /nowhere/kairos.log: No such file or directory");
}

/* Nobody may ever come to read it. */
static void a_pipe_that_nobody_reads_is_not_waited_for(void **state)
{
    struct scratch scratch;
    struct log log;
    struct failure failure;
    scratch_init(&scratch);
    assert_int_equal(unlink(scratch.path), 0);
    assert_int_equal(mkfifo(scratch.path, 0600), 0);
    assert_false(open_log(&log, scratch.path, LOG_INFO, &failure));
    assert_non_null(strstr(failure.text, scratch.path));

    int reader = open(scratch.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(reader >= 0);
    assert_true(open_log(&log, scratch.path, LOG_INFO, &failure));
    assert_int_equal(fcntl(fileno(log.stream), F_GETFL) & O_NONBLOCK, 0);
    log_close(&log);
    close(reader);
    scratch_finish(&scratch);
}

static bool same_file(int one, int other)
{
    struct stat a, b;
    return fstat(one, &a) == 0 && fstat(other, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

static void without_a_file_it_is_stderr(void **state)
{
    struct log log;
    struct failure failure;
    assert_true(open_log(&log, NULL, LOG_ERROR, &failure));
    assert_true(same_file(fileno(log.stream), STDERR_FILENO));
    log_close(&log);
    assert_int_not_equal(fcntl(STDERR_FILENO, F_GETFD), -1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_are_read_in_any_case),
        cmocka_unit_test(quoted_bytes),
        cmocka_unit_test(quotes_can_be_undone),
        cmocka_unit_test(a_line_has_a_date_a_level_and_words),
        cmocka_unit_test(lower_levels_are_left_out),
        cmocka_unit_test(a_log_file_is_appended_to),
        cmocka_unit_test(a_long_line_is_cut),
        cmocka_unit_test(formats_are_read_in_any_case),
        cmocka_unit_test(a_line_as_an_object),
        cmocka_unit_test(a_file_is_opened_anew),
        cmocka_unit_test(a_log_that_hangs_is_not_changed),
        cmocka_unit_test(lines_of_several_threads_stay_whole),
        cmocka_unit_test(a_file_that_cannot_be_opened_is_named),
        cmocka_unit_test(a_pipe_that_nobody_reads_is_not_waited_for),
        cmocka_unit_test(without_a_file_it_is_stderr),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
