/*
 * main.c - feeds files to a fuzz target without libFuzzer: each one named, and each in the
 * directories named. Says how many there were; none is a failure.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

/* Reads the whole of FILE into a new allocation; NULL if that fails. */
static uint8_t *read_all(FILE *file, size_t *size)
{
    uint8_t *data = NULL;
    size_t capacity = 0, count = 1;
    for (*size = 0; count > 0; *size += count) {
        if (*size == capacity) {
            capacity = capacity * 2 + 4096;
            uint8_t *larger = realloc(data, capacity);
            if (larger == NULL)
                break;
            data = larger;
        }
        count = fread(data + *size, 1, capacity - *size, file);
    }
    if (count == 0 && !ferror(file))
        return data;
    free(data);
    return NULL;
}

static bool feed_file(const char *path)
{
    size_t size;
    FILE *file = fopen(path, "rb");
    uint8_t *data = file == NULL ? NULL : read_all(file, &size);
    if (file != NULL)
        fclose(file);
    if (data == NULL) {
        fprintf(stderr, "%s: cannot be read\n", path);
        return false;
    }
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return true;
}

static bool feed(const char *path, size_t *inputs);

static bool feed_directory(const char *directory, size_t *inputs)
{
    struct dirent **entries;
    int count = scandir(directory, &entries, NULL, alphasort);
    bool done = count >= 0;
    if (!done)
        fprintf(stderr, "%s: cannot be listed\n", directory);
    for (int i = 0; i < count; i++) {
        char *path;
        if (done && entries[i]->d_name[0] != '.') {
            done =
                asprintf(&path, "%s/%s", directory, entries[i]->d_name) >= 0 && feed(path, inputs);
            free(path);
        }
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return done;
}

static bool feed(const char *path, size_t *inputs)
{
    struct stat status;
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode))
        return feed_directory(path, inputs);
    ++*inputs;
    return feed_file(path);
}

int main(int argc, char **argv)
{
    size_t inputs = 0;
    for (int i = 1; i < argc; i++) {
        if (!feed(argv[i], &inputs))
            return EXIT_FAILURE;
    }
    printf("%zu inputs\n", inputs);
    return inputs > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
