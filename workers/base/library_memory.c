/* The libraries' hooks, led to our own memory. Knows nothing of what they keep in it. */
#include "library_memory.h"

#include <event2/event.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <stdlib.h>

#include "buf.h"

static void *take(size_t size)
{
    return memory_resize(NULL, size, 1);
}

static void *resize(void *old, size_t size)
{
    return memory_resize(old, size, 1);
}

static void *crypto_take(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return take(size);
}

/* OpenSSL means free() by a size of 0. */
static void *crypto_resize(void *old, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    if (size > 0)
        return resize(old, size);
    free(old);
    return NULL;
}

static void crypto_free(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    free(memory);
}

void library_memory_init(void)
{
    json_set_alloc_funcs(take, free);
    event_set_mem_functions(take, resize, free);
    (void)CRYPTO_set_mem_functions(crypto_take, crypto_resize, crypto_free);
}
