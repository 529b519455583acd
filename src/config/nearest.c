#include "nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* No known word is longer. */
#define LENGTH_MAX 64

struct nearest nearest_to(const char *word)
{
    return (struct nearest){.word = word, .distance = strlen(word) / 3 + 2};
}

/* Case, and '-' or '_', make no difference. */
static bool is_same(char a, char b)
{
    a = a == '-' ? '_' : (char)tolower((unsigned char)a);
    b = b == '-' ? '_' : (char)tolower((unsigned char)b);
    return a == b;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/*
 * Letters to insert, delete, replace, or swap with their neighbour. Source: optimal string
 * alignment, https://en.wikipedia.org/wiki/Damerau-Levenshtein_distance.
 */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][LENGTH_MAX + 1]; /* by length of what was taken of A, modulo 3 */
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3], *above = rows[(i - 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t change = above[j - 1] + !is_same(a[i - 1], b[j - 1]);
            row[j] = least(change, least(row[j - 1], above[j]) + 1);
            if (i > 1 && j > 1 && is_same(a[i - 1], b[j - 2]) && is_same(a[i - 2], b[j - 1]))
                row[j] = least(row[j], rows[(i - 2) % 3][j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

void nearest_try(struct nearest *nearest, const char *known)
{
    size_t word_length = strlen(nearest->word), known_length = strlen(known);
    if (word_length > LENGTH_MAX || known_length > LENGTH_MAX)
        return;
    size_t changes = distance(nearest->word, word_length, known, known_length);
    if (changes >= nearest->distance)
        return;
    nearest->distance = changes;
    nearest->found = known;
}
