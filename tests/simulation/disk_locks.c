/* Locks on files and the memory that connections share, as SQLite asks for them; between the
 * connections of this one process, on one thread. Nothing here survives the last connection. */
#include <assert.h>
#include <stdlib.h>

#include "buf.h"
#include "disk_private.h"

enum { REGIONS = 1024 };

struct disk_shm {
    size_t handles;
    void *regions[REGIONS];
    size_t shared[SQLITE_SHM_NLOCK];
    bool exclusive[SQLITE_SHM_NLOCK];
};

static struct disk_handle *of(sqlite3_file *base)
{
    return (struct disk_handle *)base; /* its first member */
}

static int take_shared(struct disk_handle *handle)
{
    const struct disk_handle *writing = handle->file->writing;
    if (writing && writing->level >= SQLITE_LOCK_PENDING)
        return SQLITE_BUSY;
    handle->file->sharing++;
    handle->level = SQLITE_LOCK_SHARED;
    return SQLITE_OK;
}

/* EXCLUSIVE waits for the readers to leave, and as PENDING lets no new one in. */
int disk_lock(sqlite3_file *base, int level)
{
    struct disk_handle *handle = of(base);
    struct disk_file *file = handle->file;
    if (handle->level >= level)
        return SQLITE_OK;
    if (level == SQLITE_LOCK_SHARED)
        return take_shared(handle);
    if (file->writing && file->writing != handle)
        return SQLITE_BUSY;
    file->writing = handle;
    if (level == SQLITE_LOCK_EXCLUSIVE && file->sharing > 1) {
        handle->level = SQLITE_LOCK_PENDING;
        return SQLITE_BUSY;
    }
    handle->level = level;
    return SQLITE_OK;
}

int disk_unlock(sqlite3_file *base, int level)
{
    struct disk_handle *handle = of(base);
    if (handle->level <= level)
        return SQLITE_OK;
    if (handle->file->writing == handle)
        handle->file->writing = NULL;
    if (level == SQLITE_LOCK_NONE)
        handle->file->sharing--;
    handle->level = level;
    return SQLITE_OK;
}

int disk_check_reserved(sqlite3_file *base, int *reserved)
{
    *reserved = of(base)->file->writing != NULL;
    return SQLITE_OK;
}

static void join(struct disk_handle *handle)
{
    if (handle->mapped)
        return;
    if (!handle->file->shm)
        handle->file->shm = memory_new(1, sizeof *handle->file->shm);
    handle->file->shm->handles++;
    handle->mapped = true;
}

int disk_shm_map(sqlite3_file *base, int region, int size, int extend, void volatile **out)
{
    struct disk_handle *handle = of(base);
    join(handle);
    *out = NULL;
    if (region < 0 || region >= REGIONS)
        return SQLITE_FULL;
    void **memory = &handle->file->shm->regions[region];
    if (!*memory && extend)
        *memory = memory_new((size_t)size, 1);
    *out = *memory;
    return SQLITE_OK;
}

static void shm_give_back(struct disk_handle *handle, int lock)
{
    const unsigned bit = 1u << lock;
    struct disk_shm *shm = handle->file->shm;
    if (handle->shm_shared & bit)
        shm->shared[lock]--;
    if (handle->shm_exclusive & bit)
        shm->exclusive[lock] = false;
    handle->shm_shared &= ~bit;
    handle->shm_exclusive &= ~bit;
}

static bool shm_is_free(const struct disk_handle *handle, int lock, bool exclusively)
{
    const struct disk_shm *shm = handle->file->shm;
    const unsigned bit = 1u << lock;
    const size_t own = (handle->shm_shared & bit) ? 1 : 0;
    if (shm->exclusive[lock] && !(handle->shm_exclusive & bit))
        return false;
    return !exclusively || shm->shared[lock] == own;
}

static void shm_take(struct disk_handle *handle, int lock, bool exclusively)
{
    const unsigned bit = 1u << lock;
    if (exclusively) {
        handle->file->shm->exclusive[lock] = true;
        handle->shm_exclusive |= bit;
    } else if (!(handle->shm_shared & bit)) {
        handle->file->shm->shared[lock]++;
        handle->shm_shared |= bit;
    }
}

/* All of them or none. */
int disk_shm_lock(sqlite3_file *base, int offset, int count, int flags)
{
    struct disk_handle *handle = of(base);
    const bool exclusively = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
    assert(offset >= 0 && offset + count <= SQLITE_SHM_NLOCK);
    for (int i = offset; i < offset + count; i++)
        if ((flags & SQLITE_SHM_LOCK) && !shm_is_free(handle, i, exclusively))
            return SQLITE_BUSY;
    for (int i = offset; i < offset + count; i++)
        if (flags & SQLITE_SHM_LOCK)
            shm_take(handle, i, exclusively);
        else
            shm_give_back(handle, i);
    return SQLITE_OK;
}

void disk_shm_barrier(sqlite3_file *base)
{
    (void)base; /* one thread */
}

int disk_shm_unmap(sqlite3_file *base, int remove)
{
    struct disk_handle *handle = of(base);
    struct disk_shm *shm = handle->file->shm;
    (void)remove; /* a first opener empties it anyway */
    if (!handle->mapped)
        return SQLITE_OK;
    for (int i = 0; i < SQLITE_SHM_NLOCK; i++)
        shm_give_back(handle, i);
    handle->mapped = false;
    if (--shm->handles > 0)
        return SQLITE_OK;
    for (size_t i = 0; i < REGIONS; i++)
        free(shm->regions[i]);
    free(shm);
    handle->file->shm = NULL;
    return SQLITE_OK;
}
