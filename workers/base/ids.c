/* Identifiers. Takes time and chance from the world; knows nothing of what an id names. */
#include "ids.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

static bool id_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == ':' || c == '-';
}

bool id_valid(const char *text, size_t length)
{
    if (length == 0 || length > ID_MAX)
        return false;
    for (size_t i = 0; i < length; i++)
        if (!id_letter(text[i]))
            return false;
    return true;
}

static void write_uuid(const uint8_t bytes[16], char out[ID_SIZE])
{
    static const char DIGITS[] = "0123456789abcdef";
    size_t at = 0;
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[at++] = '-';
        out[at++] = DIGITS[bytes[i] >> 4];
        out[at++] = DIGITS[bytes[i] & 0x0F];
    }
    out[at] = '\0';
}

/* RFC 9562, section 5.7: 48 bits of time, version 7, 12 random bits, variant, 62 random bits. */
void id_new(const struct world *world, char out[ID_SIZE])
{
    uint8_t bytes[16] = {0};
    const uint64_t now = (uint64_t)world_wall_ms(world);
    world->random(world->context, bytes + 6, sizeof bytes - 6);
    for (size_t i = 0; i < 6; i++)
        bytes[i] = (uint8_t)(now >> (40 - 8 * i));
    bytes[6] = (uint8_t)(0x70 | (bytes[6] & 0x0F));
    bytes[8] = (uint8_t)(0x80 | (bytes[8] & 0x3F));
    write_uuid(bytes, out);
}

void id_copy(char out[ID_SIZE], const char *id)
{
    const size_t length = strlen(id);
    assert(length <= ID_MAX);
    memmove(out, id, length + 1);
}
