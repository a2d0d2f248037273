/* Counts, refuses and remembers allocations. The state is global, for hooks have no context. */
#include "allocations_memory.h"

#include <event2/event.h>
#include <jansson.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "library_memory.h"

enum { PLACES = 1 << 14 };

static struct {
    bool armed;
    bool all;
    int64_t number;
    int64_t asked;
    enum memory_owner refused;
    /* An allocation of a library that is on its way through the product's hook. */
    enum { DIRECT, LET_THROUGH, TO_BE_REFUSED } library;
    unsigned char *owners;
    size_t owners_size;
    bool watching;
    size_t live;
    void *places[PLACES]; /* open addressing; GONE is a place that was used */
} state = {.refused = MEMORY_OWNERS};

static char GONE[1];

void (*memory_on_abort)(void);

/* What --wrap calls the real ones; names given by the linker. */
void *__real_calloc(size_t count, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
void __real_free(void *memory);
void __real_event_set_mem_functions(void *(*take)(size_t), void *(*resize)(void *, size_t),
                                    void (*release)(void *));
int __real_CRYPTO_set_mem_functions(CRYPTO_malloc_fn take, CRYPTO_realloc_fn resize,
                                    CRYPTO_free_fn release);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
void __wrap_free(void *memory);
_Noreturn void __wrap_abort(void);
void __wrap_event_set_mem_functions(void *(*take)(size_t), void *(*resize)(void *, size_t),
                                    void (*release)(void *));
int __wrap_CRYPTO_set_mem_functions(CRYPTO_malloc_fn take, CRYPTO_realloc_fn resize,
                                    CRYPTO_free_fn release);

/* --- counting and refusing --- */

void memory_refuse(int64_t number, bool all)
{
    state.armed = true;
    state.all = all;
    state.number = number;
    state.asked = 0;
    state.refused = MEMORY_OWNERS;
}

void memory_note(unsigned char *owners, size_t size)
{
    state.owners = owners;
    state.owners_size = size;
}

void memory_relent(void)
{
    state.armed = false;
    state.library = DIRECT;
}

int64_t memory_asked(void)
{
    return state.asked;
}

enum memory_owner memory_refused(void)
{
    return state.refused;
}

static bool refused(enum memory_owner owner)
{
    if (!state.armed)
        return false;
    if ((size_t)state.asked < state.owners_size)
        state.owners[state.asked] = (unsigned char)owner;
    state.asked++;
    if (state.number == 0 || state.asked < state.number ||
        (state.asked > state.number && !state.all))
        return false;
    if (state.refused == MEMORY_OWNERS)
        state.refused = owner;
    return true;
}

/* --- remembering --- */

static size_t place_of(const void *memory)
{
    return (size_t)((uintptr_t)memory >> 4) % PLACES;
}

static void *remember(void *memory)
{
    if (!state.watching || !memory)
        return memory;
    size_t at = place_of(memory);
    while (state.places[at] && state.places[at] != GONE)
        at = (at + 1) % PLACES;
    state.places[at] = memory;
    state.live++;
    return memory;
}

static void forget(const void *memory)
{
    if (!state.watching || !memory)
        return;
    for (size_t at = place_of(memory); state.places[at]; at = (at + 1) % PLACES) {
        if (state.places[at] != memory)
            continue;
        state.places[at] = GONE;
        state.live--;
        return;
    }
}

void memory_watch(void)
{
    state.watching = true;
}

size_t memory_live(void)
{
    return state.live;
}

size_t memory_live_example(void)
{
    for (size_t at = 0; at < PLACES; at++)
        if (state.places[at] && state.places[at] != GONE)
            return malloc_usable_size(state.places[at]);
    return 0;
}

/* --- the product's own --- */

/* A library's allocation has been counted as the library's. */
static bool product_refused(void)
{
    return state.library == DIRECT ? refused(MEMORY_OURS) : state.library == TO_BE_REFUSED;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return product_refused() ? NULL : remember(__real_calloc(count, size));
}

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
    if (product_refused())
        return NULL;
    forget(old);
    return remember(__real_reallocarray(old, count, size));
}

void __wrap_free(void *memory)
{
    forget(memory);
    __real_free(memory);
}

_Noreturn void __wrap_abort(void)
{
    memory_relent();
    memory_on_abort();
    _Exit(EXIT_FAILURE);
}

void *steady_new(size_t count, size_t size)
{
    void *memory = __real_calloc(count, size);
    return memory ? memory : (_Exit(EXIT_FAILURE), NULL);
}

void *steady_resize(void *old, size_t count, size_t size)
{
    void *memory = __real_reallocarray(old, count > 0 ? count : 1, size);
    return memory ? memory : (_Exit(EXIT_FAILURE), NULL);
}

char *steady_text(const char *text)
{
    const size_t size = strlen(text) + 1;
    return memcpy(steady_new(size, 1), text, size);
}

void steady_release(void *pointer_to_variable)
{
    void *memory = NULL;
    memcpy(&memory, pointer_to_variable, sizeof memory);
    __real_free(memory);
}

/* --- the libraries', through what the product has told them --- */

static void *(*json_take)(size_t);
static void *(*event_take)(size_t);
static void *(*event_resize)(void *, size_t);
static CRYPTO_malloc_fn crypto_take;
static CRYPTO_realloc_fn crypto_resize;
static bool left_alone;

/* Goes through the product's hook, or fails at once where there is none. */
static bool fails_at_once(enum memory_owner owner)
{
    const bool no = refused(owner);
    state.library = no ? TO_BE_REFUSED : LET_THROUGH;
    return no && left_alone;
}

static void *done(void *memory)
{
    state.library = DIRECT;
    return memory;
}

static void *take_for_json(size_t size)
{
    if (fails_at_once(MEMORY_JANSSON))
        return done(NULL);
    return done(left_alone ? remember(malloc(size)) : json_take(size));
}

static void *take_for_event(size_t size)
{
    if (fails_at_once(MEMORY_LIBEVENT))
        return done(NULL);
    return done(event_take(size));
}

static void *resize_for_event(void *old, size_t size)
{
    if (fails_at_once(MEMORY_LIBEVENT))
        return done(NULL);
    return done(event_resize(old, size));
}

static void *take_for_crypto(size_t size, const char *file, int line)
{
    if (fails_at_once(MEMORY_OPENSSL))
        return done(NULL);
    return done(crypto_take(size, file, line));
}

static void *resize_for_crypto(void *old, size_t size, const char *file, int line)
{
    if (fails_at_once(MEMORY_OPENSSL))
        return done(NULL);
    return done(crypto_resize(old, size, file, line));
}

static void free_for_crypto(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    __wrap_free(memory);
}

void __wrap_event_set_mem_functions(void *(*take)(size_t), void *(*resize)(void *, size_t),
                                    void (*release)(void *))
{
    (void)release;
    event_take = take;
    event_resize = resize;
    __real_event_set_mem_functions(take_for_event, resize_for_event, __wrap_free);
}

int __wrap_CRYPTO_set_mem_functions(CRYPTO_malloc_fn take, CRYPTO_realloc_fn resize,
                                    CRYPTO_free_fn release)
{
    (void)release;
    crypto_take = take;
    crypto_resize = resize;
    return __real_CRYPTO_set_mem_functions(take_for_crypto, resize_for_crypto, free_for_crypto);
}

/* --- SQLite's: NULL is an answer that it has a code for --- */

static void *take_for_sqlite(int size)
{
    return refused(MEMORY_SQLITE) ? NULL : remember(malloc((size_t)size));
}

static void *resize_for_sqlite(void *old, int size)
{
    if (refused(MEMORY_SQLITE))
        return NULL;
    forget(old);
    return remember(realloc(old, (size_t)size));
}

static int size_for_sqlite(void *memory)
{
    return memory ? (int)malloc_usable_size(memory) : 0;
}

static int round_for_sqlite(int size)
{
    return (size + 7) & ~7;
}

static int begin_sqlite(void *context)
{
    (void)context;
    return SQLITE_OK;
}

static void end_sqlite(void *context)
{
    (void)context;
}

void memory_hook(bool alone)
{
    static const struct sqlite3_mem_methods METHODS = {
        take_for_sqlite,  __wrap_free,  resize_for_sqlite, size_for_sqlite,
        round_for_sqlite, begin_sqlite, end_sqlite,        NULL};
    json_free_t json_free = NULL;
    left_alone = alone;
    (void)sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    (void)sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0); /* or it would hide most of them */
    (void)sqlite3_config(SQLITE_CONFIG_MALLOC, &METHODS);
    if (!alone)
        library_memory_init();
    json_get_alloc_funcs(&json_take, &json_free);
    json_set_alloc_funcs(take_for_json, __wrap_free);
}
