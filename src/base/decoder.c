#include "decoder.h"

static const struct decoder *const decoders[] = {&decoder_gzip, &decoder_zstd, &decoder_plain};

const struct decoder *decoder_of(const unsigned char *head, size_t length)
{
    size_t i = 0;
    while (!decoders[i]->matches(head, length))
        i++;
    return decoders[i];
}
