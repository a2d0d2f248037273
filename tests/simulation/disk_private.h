/* What the files of the disk share, and nobody else includes: bytes that forget (disk_file.c), the
 * disk itself (disk.c), locks and shared memory (disk_locks.c), what SQLite calls (disk_vfs.c). */
#ifndef BOOKFLOW_DISK_PRIVATE_H
#define BOOKFLOW_DISK_PRIVATE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "disk.h"

enum { DISK_SECTOR = 512 };

struct disk_bytes {
    unsigned char *data;
    size_t size;
    size_t capacity;
};

/* A write or a truncation since the last sync. */
struct disk_change {
    size_t offset; /* of a truncation: the new size */
    size_t length;
    size_t logged; /* where the log has the bytes */
    bool truncates;
};

struct disk_handle;
struct disk_shm;

struct disk_file {
    size_t references;      /* names and open handles */
    struct disk_bytes now;  /* what everybody reads */
    struct disk_bytes safe; /* what a power cut cannot take */
    struct disk_bytes log;  /* the bytes of the changes, one behind the other */
    struct disk_change *changes;
    size_t count, capacity;

    size_t sharing;              /* handles that hold at least SHARED */
    struct disk_handle *writing; /* holds RESERVED, PENDING or EXCLUSIVE; NULL = nobody */
    struct disk_shm *shm;        /* while anybody has it mapped */
};

/* An open file, as SQLite has it. */
struct disk_handle {
    sqlite3_file base; /* first: SQLite's pointer is ours */
    struct disk *disk;
    struct disk_file *file;
    uint64_t name;    /* of the path, without its folder; 0 = a file without a name */
    const char *owes; /* a path whose folder is to be synced with the first sync; or NULL */
    int level;        /* SQLITE_LOCK_... */
    bool mapped;
    unsigned shm_shared, shm_exclusive; /* a bit per lock */
};

struct disk_file *disk_file_new(void);
struct disk_file *disk_file_hold(struct disk_file *file);
void disk_file_release(struct disk_file *file);
struct disk_file *disk_file_copy(const struct disk_file *file);

/* True when all of it was there; the rest reads as zero. */
bool disk_file_read(const struct disk_file *file, void *out, size_t length, size_t offset);
void disk_file_write(struct disk_file *file, const void *data, size_t length, size_t offset);
void disk_file_truncate(struct disk_file *file, size_t size);
void disk_file_sync(struct disk_file *file);
void disk_file_lose_power(struct disk_file *file, uint64_t *chance);

/* SplitMix64: any state is a good one. */
uint64_t disk_random(uint64_t *state);
uint64_t disk_hash(uint64_t hash, const void *data, size_t length);

/* One operation: counted, traced, and perhaps the one that fails. The code for SQLite. */
struct disk_act {
    char what;
    uint64_t name;
    size_t offset;
    size_t length;
    const void *data; /* of a write */
};
int disk_act(struct disk *disk, const struct disk_act *act);

uint64_t disk_name_hash(const char *path);
struct disk_file *disk_find(struct disk *disk, const char *path); /* NULL = none */
struct disk_file *disk_create(struct disk *disk, const char *path);
void disk_remove(struct disk *disk, const char *path, bool durably);
/* The file and its own name; with `path` all the names of its folder, too. */
void disk_sync(struct disk *disk, struct disk_file *file, const char *path);
void disk_opened(struct disk *disk, int handles); /* one more, or -1 */
int64_t disk_time(const struct disk *disk);
void disk_seed(struct disk *disk, void *out, size_t length);

int disk_lock(sqlite3_file *base, int level);
int disk_unlock(sqlite3_file *base, int level);
int disk_check_reserved(sqlite3_file *base, int *reserved);
int disk_shm_map(sqlite3_file *base, int region, int size, int extend, void volatile **out);
int disk_shm_lock(sqlite3_file *base, int offset, int count, int flags);
void disk_shm_barrier(sqlite3_file *base);
int disk_shm_unmap(sqlite3_file *base, int remove);

/* Registers the disk as SQLite's default VFS. */
sqlite3_vfs *disk_vfs_register(struct disk *disk);
void disk_vfs_release(sqlite3_vfs *vfs);

#endif
