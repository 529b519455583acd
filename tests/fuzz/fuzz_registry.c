/*
 * fuzz_registry.c - a registry's file with bytes that somebody has changed. Whatever they are, the
 * file is opened or refused with words, what was opened can be worked with, and is whole
 * afterwards.
 *
 * The first byte of the input steers: whether the checksums of slots and of the header are made to
 * fit what was changed, and whether the file is cut. Then follow changes of three bytes each: a
 * place, in what is not all zero of the file, and a value.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "engine.h"
#include "fuzz.h"
#include "registry_map.h"

#define NOW INT64_C(1754301600000000)

enum steer {
    STEER_SLOTS = 1 << 0,    /* checksums of slots fit */
    STEER_IDENTITY = 1 << 1, /* that of the header fits */
    STEER_REDO = 1 << 2,     /* that of the redo record fits */
    STEER_CUT = 1 << 3,      /* the file is cut within what can be changed */
};

/* What of the file is not all zero: header, the first cells, the first slots. */
struct image {
    union {
        struct header header;
        char header_page[HEADER_SIZE];
    };
    char cells[PAGE_SIZE];
    char slots[PAGE_SIZE];
};

struct den {
    char directory[64];
    char file[96];
};

/* ---- Files ---- */

static void make_den(struct den *den)
{
    const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(den->directory, sizeof(den->directory), "%s/fuzz-registry-XXXXXX", base);
    EXPECT(mkdtemp(den->directory) != NULL);
    snprintf(den->file, sizeof(den->file), "%s/registry", den->directory);
}

static void remove_den(const struct den *den)
{
    DIR *directory = opendir(den->directory);
    EXPECT(directory != NULL);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] != '.')
            EXPECT(unlinkat(dirfd(directory), entry->d_name, 0) == 0);
    }
    closedir(directory);
    EXPECT(rmdir(den->directory) == 0);
}

static struct registry *open_in(const struct den *den, struct registry_report *report)
{
    struct failure failure = {0};
    struct registry *registry = registry_open(den->directory, 1, report, &failure);
    EXPECT(registry != NULL || failure.text[0] != '\0');
    return registry;
}

static void read_image(const struct den *den, struct image *image)
{
    int fd = open(den->file, O_RDONLY);
    EXPECT(pread(fd, image->header_page, HEADER_SIZE, 0) == HEADER_SIZE);
    EXPECT(pread(fd, image->cells, PAGE_SIZE, HEADER_SIZE) == PAGE_SIZE);
    EXPECT(pread(fd, image->slots, PAGE_SIZE, HEADER_SIZE + (off_t)COLUMN_SIZE) == PAGE_SIZE);
    close(fd);
}

static void write_image(const struct den *den, const struct image *image, off_t size)
{
    int fd = open(den->file, O_RDWR | O_CREAT | O_TRUNC, 0600);
    EXPECT(pwrite(fd, image->header_page, HEADER_SIZE, 0) == HEADER_SIZE);
    EXPECT(pwrite(fd, image->cells, PAGE_SIZE, HEADER_SIZE) == PAGE_SIZE);
    EXPECT(pwrite(fd, image->slots, PAGE_SIZE, HEADER_SIZE + (off_t)COLUMN_SIZE) == PAGE_SIZE);
    EXPECT(ftruncate(fd, size) == 0);
    close(fd);
}

/* ---- The file that is changed ---- */

static void beat(struct engine *engine, const char *text, int64_t time)
{
    char name[KAIROS_SERVICE_SIZE];
    size_t length;
    EXPECT(kairos_service_parse(text, strlen(text), name, &length) == KAIROS_SERVICE_OK);
    EXPECT(engine_ping(engine, name, length, ENGINE_HEARTBEAT, time) <= ENGINE_OLDER);
}

/* A registry with services of every kind, and two gaps. */
static void make_image(struct image *image)
{
    struct den den;
    struct registry_report report;
    struct failure failure;
    struct engine_options options = engine_options_default();
    make_den(&den);
    struct registry *registry = open_in(&den, &report);
    struct engine *engine = engine_create(registry, &options, NOW, &failure);
    beat(engine, "push", NOW);
    beat(engine, "email", NOW);
    beat(engine, "a-name-that-is-too-long-for-one-slot-and-so-goes-on-in-another-one", NOW);
    engine_ping(engine, "email\0\0", 5, ENGINE_FAIL, NOW + 1);
    engine_tick(engine, NOW + 100 * KAIROS_SECOND, NOW + 100 * KAIROS_SECOND);
    for (int i = 1; i < 3; i++) {
        struct gap gap = {.from = NOW + i * KAIROS_HOUR,
                          .to = NOW + i * KAIROS_HOUR + KAIROS_MINUTE,
                          .reason = GAP_STALL};
        engine_record_gap(engine, &gap);
    }
    registry_stamp_alive(registry, NOW + 3 * KAIROS_HOUR);
    engine_destroy(engine);
    registry_close(registry);
    read_image(&den, image);
    remove_den(&den);
}

static void fit_slots(struct image *image)
{
    for (size_t i = 0; i < SLOTS_PER_PAGE; i++) {
        char *slot = image->slots + i * SLOT_SIZE;
        uint32_t checksum = (uint32_t)XXH3_64bits(slot + sizeof(checksum), SLOT_SIZE - 4);
        if (slot_use((struct slot *)slot) != SLOT_FREE)
            memcpy(slot, &checksum, sizeof(checksum));
    }
}

static void fit_identity(struct image *image)
{
    struct header_identity *identity = &image->header.identity;
    identity->checksum = XXH3_64bits(identity, offsetof(struct header_identity, checksum));
}

static void fit_redo(struct image *image)
{
    struct header_redo *redo = &image->header.redo;
    redo->checksum = header_redo_checksum(atomic_load(&redo->slot) - 1, &redo->image);
}

/* Changes IMAGE as the input says; returns the size of the file. */
static off_t change(struct image *image, const uint8_t *data, size_t size)
{
    off_t length = (off_t)map_size(1);
    unsigned steer = fuzz_take(&data, &size);
    if (steer & STEER_CUT)
        length = (off_t)((size_t)fuzz_take(&data, &size) * PAGE_SIZE / 8);
    while (size >= 3) {
        size_t place = fuzz_take(&data, &size);
        place = place << 8 | fuzz_take(&data, &size);
        ((uint8_t *)image)[place % sizeof(*image)] = fuzz_take(&data, &size);
    }
    if (steer & STEER_SLOTS)
        fit_slots(image);
    if (steer & STEER_IDENTITY)
        fit_identity(image);
    if (steer & STEER_REDO)
        fit_redo(image);
    return length;
}

/* ---- Working with what was opened ---- */

static void check_views(struct engine *engine)
{
    static struct service_view views[SLOTS_PER_PAGE];
    uint64_t cursor = 0;
    struct engine_filter all = engine_filter_all();
    size_t count = engine_list(engine, &all, NOW, &cursor, views, SLOTS_PER_PAGE);
    for (size_t i = 0; i < count; i++) {
        struct service_view found;
        EXPECT(engine_find(engine, views[i].name, views[i].length, NOW, &found) == ENGINE_OK);
        EXPECT(strcmp(found.name, views[i].name) == 0);
        if (found.has_incident)
            EXPECT(engine_update_incident(engine, NOW, &found.incident));
    }
}

static void work(struct registry *registry)
{
    struct failure failure;
    struct engine_options options = engine_options_default();
    struct engine *engine = engine_create(registry, &options, NOW, &failure);
    EXPECT(engine != NULL);
    check_views(engine);
    struct gap gap = {.from = NOW, .to = NOW + KAIROS_DAY, .reason = GAP_RESTART};
    engine_record_gap(engine, &gap);
    for (int64_t time = gap.to; time < NOW + 3 * KAIROS_DAY; time += KAIROS_DAY / 2) {
        engine_tick(engine, time, time);
        beat(engine, "push", time);
    }
    beat(engine, "another-name-that-is-too-long-for-one-slot", NOW + 3 * KAIROS_DAY);
    (void)engine_delete(engine, "email\0\0", 5, NOW + 3 * KAIROS_DAY);
    check_views(engine);
    engine_destroy(engine);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct image original;
    static bool made;
    struct image image;
    struct den den;
    struct registry_report report;
    if (!made)
        make_image(&original);
    made = true;
    image = original;
    off_t length = change(&image, data, size);

    make_den(&den);
    write_image(&den, &image, length);
    struct registry *registry = open_in(&den, &report);
    if (registry != NULL) {
        work(registry);
        registry_close(registry);
        registry = open_in(&den, &report);
        EXPECT(registry != NULL && !report.set_aside);
        registry_close(registry);
    }
    remove_den(&den);
    return 0;
}
