/* Memory that is refused on demand: every allocation of the product's objects (by the linker's
 * --wrap) and of the libraries (by their own hooks) is counted, and the one that is asked for
 * fails. Knows nothing of what is done with it. */
#ifndef BOOKFLOW_ALLOCATIONS_MEMORY_H
#define BOOKFLOW_ALLOCATIONS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum memory_owner {
    MEMORY_OURS,
    MEMORY_SQLITE,
    MEMORY_JANSSON,
    MEMORY_LIBEVENT,
    MEMORY_OPENSSL,
    MEMORY_OWNERS
};

/* Before anything has allocated. `left_alone`: the product's library_memory_init() is left out, so
 * that jansson, libevent and OpenSSL return NULL: a planted bug. */
void memory_hook(bool left_alone);

/* Notes whose each of the first `size` allocations is that memory_refuse() counts. */
void memory_note(unsigned char *owners, size_t size);

/* From now on the allocation of that number fails, 0 = none; with `all` also every one behind it.
 */
void memory_refuse(int64_t number, bool all);
void memory_relent(void);

/* Since memory_refuse(). */
int64_t memory_asked(void);
/* Whose allocation was refused first; MEMORY_OWNERS = none was. */
enum memory_owner memory_refused(void);

/* What was allocated since memory_watch() and is not freed. */
void memory_watch(void);
size_t memory_live(void);
size_t memory_live_example(void); /* the size of one of them */

/* Called instead of abort(); does not return. */
extern void (*memory_on_abort)(void);

/* For the harness and its disk: not counted, never refused. */
void *steady_new(size_t count, size_t size);
void *steady_resize(void *old, size_t count, size_t size);
char *steady_text(const char *text);
void steady_release(void *pointer_to_variable);

#endif
