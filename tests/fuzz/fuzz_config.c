/*
 * fuzz_config.c - YAML, as it is and as a configuration.
 *
 * The first byte steers: if it is even, what the YAML means is written and must be read again as
 * the same; if it is odd, it is a configuration: what is wrong with it is told in lines with a
 * place, and otherwise all that it declares is within its bounds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <kairos/service.h>

#include "config_file.h"
#include "fuzz.h"
#include "key.h"
#include "yaml_json.h"

/* So that an input cannot make much of little. */
#define NODES_MAX 10000

#define PATH      "f"

static void check_yaml(const char *text, size_t length)
{
    size_t again_length;
    struct failure failure = {""};
    json_t *value = yaml_json_read(text, length, NODES_MAX, &failure);
    if (value == NULL) {
        unsigned long long line, column;
        EXPECT(sscanf(failure.text, "line %llu, column %llu: ", &line, &column) == 2);
        EXPECT(line >= 1 && line <= length + 1 && column >= 1 && column <= length + 1);
        return;
    }
    char *again = yaml_json_write(value, &again_length);
    EXPECT(again != NULL && strlen(again) == again_length);
    json_t *same = yaml_json_read(again, again_length, NODES_MAX, &failure);
    EXPECT(same != NULL && json_equal(value, same));
    free(again);
    json_decref(same);
    json_decref(value);
}

static void check_problems(const struct problems *problems, size_t length)
{
    EXPECT(problems->more == 0 || problems->count == PROBLEMS_MAX);
    for (size_t i = 0; i < problems->count; i++) {
        unsigned long long line;
        EXPECT(sscanf(problems->texts[i], PATH ":%llu: ", &line) == 1);
        EXPECT(line >= 1 && line <= length + 1);
        EXPECT(strchr(problems->texts[i], '\n') == NULL);
    }
}

static void check_declaration(const struct declaration *declaration)
{
    char name[KAIROS_SERVICE_SIZE];
    size_t length;
    struct service_change change;
    EXPECT(declaration->name != NULL && declaration->line >= 1);
    if (!declaration->is_pattern)
        EXPECT(kairos_service_parse(declaration->name, strlen(declaration->name), name, &length) ==
                   KAIROS_SERVICE_OK &&
               strcmp(name, declaration->name) == 0);
    declaration_change(declaration, &change);
    EXPECT(service_change_check(&change) == ENGINE_OK);
}

static void check_config(const char *text, size_t length)
{
    struct problems problems = {0};
    struct settings *settings = fuzz_allocate(1, sizeof(*settings));
    memset(settings, 0, sizeof(*settings));
    config_text_take(settings, PATH, text, length, &problems);
    check_problems(&problems, length);
    for (size_t i = 0; i < settings->declarations.count && !problems_exist(&problems); i++)
        check_declaration(&settings->declarations.list[i]);
    if (!problems_exist(&problems))
        EXPECT(declarations_equal(&settings->declarations, &settings->declarations));
    problems_finish(&problems);
    settings_destroy(settings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool config = fuzz_take(&data, &size) % 2 == 1;
    char *copy = fuzz_copy(data, size);
    if (config)
        check_config(copy, size);
    else
        check_yaml(copy, size);
    free(copy);
    return 0;
}
