/*
 * test_multipart.c - forms: what must be accepted and what refused, cut anywhere.
 */
#include "multipart.h"

#include "support.h"

#define TYPE     "multipart/form-data; boundary=b"
#define FIELD(n) "Content-Disposition: form-data; name=\"" n "\"\r\n\r\n"

/* What comes out of a form, as text: "name=value;" for each field, and how it ends. */
static void describe(struct multipart *multipart, struct text *text, const char *form,
                     size_t length, size_t piece_max)
{
    bool bad = false;
    for (size_t at = 0; at < length && !bad;) {
        size_t size = length - at < piece_max ? length - at : piece_max;
        struct slice piece = {form + at, size}, value;
        enum multipart_event event;
        while (!bad && (event = multipart_read(multipart, &piece, &value)) != MULTIPART_MORE) {
            if (event == MULTIPART_FIELD)
                text_print(text, "%s=", multipart->name);
            else if (event == MULTIPART_VALUE)
                text_add(text, value.text, value.length);
            else if (event == MULTIPART_END)
                text_print(text, ";");
            bad = event == MULTIPART_BAD;
        }
        check(bad || piece.length == 0, "%zu bytes were left", piece.length);
        at += size;
        check(bad || multipart->offset == at, "offset %ju", (uintmax_t)multipart->offset);
    }
    if (bad)
        text_print(text, "bad: %s", multipart->error);
    else if (!multipart_is_complete(multipart))
        text_print(text, "incomplete");
}

/* Reads a form in pieces of every size, which end at a forbidden page. */
static void check_form(const char *type, struct bytes form, const char *expected)
{
    static struct multipart multipart;
    struct failure failure;
    struct fence fence;
    struct text text = {0};
    fence_init(&fence, form.length);
    const char *placed = fence_place(&fence, form.text, form.length);
    for (size_t size = 1; size <= form.length; size++) {
        check(multipart_open(&multipart, type, &failure), "%s", failure.text);
        text.length = 0;
        text_print(&text, "%s", "");
        describe(&multipart, &text, placed, form.length, size);
        check(strcmp(text.bytes, expected) == 0, "%s instead of %s: %s in pieces of %zu",
              text.bytes, expected, shown(form.text, form.length), size);
    }
    text_finish(&text);
    fence_finish(&fence);
}

static const struct {
    struct bytes form;
    const char *expected;
} forms[] = {
    {BYTES("--b\r\n" FIELD("a") "1\r\n--b--\r\n"), "a=1;"},
    {BYTES("--b\r\n" FIELD("a") "1\r\n--b--"), "a=1;"},
    {BYTES("--b\r\n" FIELD("a") "1\r\n--b\r\n" FIELD("b") "2\r\n--b--"), "a=1;b=2;"},
    {BYTES("--b--"), ""},
    {BYTES("--b--\r\n--b\r\nwhatever"), ""},
    {BYTES("preamble\r\n--c\r\n\r\n--b\r\n" FIELD("a") "1\r\n--b--"), "a=1;"},
    {BYTES("\r\n--b \t\r\n" FIELD("a") "1\r\n--b\t --"),
     "a=1;bad: a boundary with something behind "
     "it"},
    {BYTES("--b \t\r\n" FIELD("a") "1\r\n--b\t \r\n" FIELD("b") "\r\n--b--"), "a=1;b=;"},
    /* Empty values, in both ways to write them. */
    {BYTES("--b\r\n" FIELD("a") "\r\n--b--"), "a=;"},
    {BYTES("--b\r\n" FIELD("a") "--b--"), "a=;"},
    {BYTES("--b\r\nContent-Disposition: form-data; name=a\n\n--b\r\n--b--"), "a=--b;"},
    /* What looks like a boundary, and is none. */
    {BYTES("--b\r\n" FIELD("a") "--\r\n--\r\n-b\r\n\r\n\r--b\r\n--b--"),
     "a=--\r\n--\r\n-b\r\n\r\n\r--b;"},
    {BYTES("--b\r\n" FIELD("a") "-\r\n--b--"), "a=-;"},
    {BYTES("--b\r\n" FIELD("a") "--c\r\n--b--"), "a=--c;"},
    {BYTES("--b\r\n" FIELD("a") "\n--b\r\n--b--"), "a=\n--b;"},
    {BYTES("--b\r\n" FIELD("a") "\r\r\n--b--"), "a=\r;"},
    {BYTES("--b\r\n" FIELD("a") "\r\n\r\n--b--"), "a=\r\n;"},
    /* Lines that end in LF alone. */
    {BYTES("--b\nContent-Disposition: form-data; name=a\n\n1\n2\n--b--\n"), "a=1\n2;"},
    {BYTES("x\n--b\nContent-Disposition: form-data; name=a\n\n\n--b--\n"), "a=;"},
    /* Headers. */
    {BYTES("--b\r\ncontent-disposition:FORM-DATA;NAME=a\r\n\r\n1\r\n--b--"), "a=1;"},
    {BYTES("--b\r\nX: 1\r\nContent-Disposition: form-data;\r\n\tfilename=\"x;name=no\"; "
           "name=\"a\"\r\nY:"
           "\r\n\r\n1\r\n--b--"),
     "a=1;"},
    {BYTES("--b\r\nContent-Disposition: form-data; name=\"a\\\"b\\\\c\\d\"\r\n\r\n1\r\n--b--"),
     "a\"b\\c\\d=1;"},
    {BYTES("--b\r\nContent-Disposition: form-data; x; name = a ; y\r\n\r\n1\r\n--b--"), "a=1;"},
    {BYTES("--b\r\nContent-Disposition: form-data; name=\"\"\r\n\r\n1\r\n--b--"), "=1;"},
    {BYTES("--b\r\nContent-Transfer-Encoding: Binary\r\n" FIELD("a") "1\r\n--b--"), "a=1;"},
    /* Incomplete. */
    {BYTES(" "), "incomplete"},
    {BYTES("--b"), "incomplete"},
    {BYTES("--b-"), "incomplete"},
    {BYTES("--b\r\n" FIELD("a")), "a=incomplete"},
    {BYTES("--b\r\n" FIELD("a") "1\r\n"), "a=1incomplete"},
    {BYTES("--b\r\n" FIELD("a") "1\r\n--b"), "a=1;incomplete"},
    {BYTES("--c\r\n" FIELD("a") "1\r\n--c--"), "incomplete"},
    /* Bad. */
    {BYTES("--bb\r\n"), "bad: a boundary with something behind it"},
    {BYTES("--b-x"), "bad: a boundary with something behind it"},
    {BYTES("--b\r\n\r\n1"), "bad: a part without \"Content-Disposition: form-data\""},
    {BYTES("--b\r\nContent-Disposition: attachment; name=a\r\n\r\n1"),
     "bad: a part without \"Content-Disposition: form-data\""},
    {BYTES("--b\r\nContent-Disposition: form-data\r\n\r\n1"), "bad: a part without a name"},
    {BYTES("--b\r\nContent-Disposition: form-data; filename=\"name=a\r\n\r\n1"),
     "bad: a part without a name"},
    {BYTES("--b\r\nContent-Transfer-Encoding: base64\r\n" FIELD("a") "1"),
     "bad: a part with a Content-Transfer-Encoding; send it as it is"},
    {BYTES("--b\r\nContent-Type: Multipart/mixed; boundary=c\r\n" FIELD("a") "1"),
     "bad: a part that has parts; send each file as a part of the form"},
    {BYTES("--b\r\nX: \0\r\n" FIELD("a") "1"), "bad: a part with a NUL in its header"},
};

static void forms_cut_anywhere(void **state)
{
    for (size_t i = 0; i < COUNT_OF(forms); i++)
        check_form(TYPE, forms[i].form, forms[i].expected);
}

static void long_headers_and_names(void **state)
{
    for (size_t length = MULTIPART_HEADER_MAX - 200; length < MULTIPART_HEADER_MAX + 10; length++) {
        static struct multipart multipart;
        struct failure failure;
        struct text form = {0}, text = {0};
        text_print(&form, "--b\r\nX: %*d\r\n" FIELD("a") "1\r\n--b--", (int)length, 1);
        assert_true(multipart_open(&multipart, TYPE, &failure));
        describe(&multipart, &text, form.bytes, form.length, form.length);
        bool fits = length + strlen("X: \r\n" FIELD("a")) <= MULTIPART_HEADER_MAX;
        check((strcmp(text.bytes, "a=1;") == 0) == fits, "%zu: %s", length, text.bytes);
        text_finish(&form);
        text_finish(&text);
    }
    for (int length = MULTIPART_NAME_MAX; length <= MULTIPART_NAME_MAX + 1; length++) {
        static struct multipart multipart;
        struct failure failure;
        struct text form = {0}, text = {0};
        text_print(&form, "--b\r\nContent-Disposition: form-data; name=\"%*d\"\r\n\r\n--b--",
                   length, 1);
        assert_true(multipart_open(&multipart, TYPE, &failure));
        describe(&multipart, &text, form.bytes, form.length, form.length);
        assert_int_equal(strncmp(text.bytes, "bad", 3) == 0, length > MULTIPART_NAME_MAX);
        text_finish(&form);
        text_finish(&text);
    }
}

#define LONGEST "0123456789012345678901234567890123456789012345678901234567890123456789"

static void types(void **state)
{
    static const struct {
        const char *type;
        bool form, good;
    } rows[] = {
        {NULL, false, false},
        {"", false, false},
        {"application/json", false, false},
        {"multipart/mixed; boundary=b", false, false},
        {"multipart/form-datax; boundary=b", false, false},
        {"multipart/form-data", true, false},
        {"multipart/form-data; boundary", true, false},
        {"multipart/form-data; boundary=", true, false},
        {"multipart/form-data; boundary=\"\"", true, false},
        {"multipart/form-data; boundary=\"a\tb\"", true, false},
        {"multipart/form-data; boundary=" LONGEST "0", true, false},
        {"multipart/form-data; boundary=" LONGEST, true, true},
        {" MULTIPART/Form-Data ;x=\"boundary=no;\"; BOUNDARY=b", true, true},
        {"multipart/form-data;boundary=\"a ;b\"", true, true},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        static struct multipart multipart;
        struct failure failure;
        check(multipart_is_form(rows[i].type) == rows[i].form, "%s", rows[i].type);
        if (rows[i].form)
            check(multipart_open(&multipart, rows[i].type, &failure) == rows[i].good, "%s",
                  rows[i].type);
    }
    check_form("multipart/form-data;boundary=\"a ;b\"",
               (struct bytes)BYTES("--a ;b\r\n" FIELD("a") "1\r\n--a ;b--"), "a=1;");
    check_form("multipart/form-data;boundary=" LONGEST,
               (struct bytes)BYTES("--" LONGEST "\r\n" FIELD("a") "\r\n--" LONGEST "--"), "a=;");
}

/* Values made of pieces of boundaries come out as they went in. */
static void values_of_every_kind(void **state)
{
    static const char *const morsels[] = {"\r",     "\n", "-", "--",   "--b",
                                          "\r\n--", "b",  "x", "\r\n-"};
    struct dice dice = {3};
    struct text value = {0}, form = {0}, expected = {0};
    for (int round = 0; round < 2000; round++) {
        value.length = form.length = expected.length = 0;
        text_print(&value, "x");
        for (size_t count = dice_below(&dice, 12); count > 0; count--)
            text_print(&value, "%s", morsels[dice_below(&dice, COUNT_OF(morsels))]);
        if (strstr(value.bytes, "\r\n--b") != NULL)
            continue;
        text_print(&form, "--b\r\n" FIELD("a") "%s\r\n--b--", value.bytes);
        text_print(&expected, "a=%s;", value.bytes);
        check_form(TYPE, (struct bytes){form.bytes, form.length}, expected.bytes);
    }
    text_finish(&value);
    text_finish(&form);
    text_finish(&expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_cut_anywhere),
        cmocka_unit_test(long_headers_and_names),
        cmocka_unit_test(types),
        cmocka_unit_test(values_of_every_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
