/* What SQLite calls: files by path in memory, as its unix VFS would answer (sector size, powersafe
 * overwrite, an empty file counts as absent), so that it does here what it does in production. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "disk_private.h"

enum { PATH_SIZE = 512, UNIX_SECTOR = 4096 };

/* The first sync of such a file, opened to be created, syncs its folder in the unix VFS. It is how
 * the end of a rollback journal becomes durable when a database is turned to WAL. */
enum { JOURNALS = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL };

/* Julian day 2440587.5 is 1970. */
#define JULIAN_1970_MS (INT64_C(210866760000000))

static struct disk_handle *of(sqlite3_file *base)
{
    return (struct disk_handle *)base; /* its first member */
}

static int act(sqlite3_file *base, char what, sqlite3_int64 offset, int length)
{
    const struct disk_handle *handle = of(base);
    return disk_act(handle->disk, &(struct disk_act){.what = what,
                                                     .name = handle->name,
                                                     .offset = (size_t)offset,
                                                     .length = (size_t)length});
}

static int close_file(sqlite3_file *base)
{
    struct disk_handle *handle = of(base);
    (void)disk_unlock(base, SQLITE_LOCK_NONE);
    disk_file_release(handle->file);
    disk_opened(handle->disk, -1);
    return SQLITE_OK;
}

static int read_file(sqlite3_file *base, void *out, int length, sqlite3_int64 offset)
{
    const int code = act(base, 'r', offset, length);
    if (code != SQLITE_OK)
        return code;
    return disk_file_read(of(base)->file, out, (size_t)length, (size_t)offset)
               ? SQLITE_OK
               : SQLITE_IOERR_SHORT_READ;
}

static int write_file(sqlite3_file *base, const void *data, int length, sqlite3_int64 offset)
{
    const struct disk_handle *handle = of(base);
    const int code = disk_act(handle->disk, &(struct disk_act){.what = 'w',
                                                               .name = handle->name,
                                                               .offset = (size_t)offset,
                                                               .length = (size_t)length,
                                                               .data = data});
    if (code == SQLITE_OK)
        disk_file_write(handle->file, data, (size_t)length, (size_t)offset);
    return code;
}

static int truncate_file(sqlite3_file *base, sqlite3_int64 size)
{
    const int code = act(base, 't', size, 0);
    if (code == SQLITE_OK)
        disk_file_truncate(of(base)->file, (size_t)size);
    return code;
}

static int sync_file(sqlite3_file *base, int flags)
{
    struct disk_handle *handle = of(base);
    const int code = act(base, 's', 0, flags);
    if (code != SQLITE_OK)
        return code;
    disk_sync(handle->disk, handle->file, handle->owes);
    handle->owes = NULL;
    return SQLITE_OK;
}

static int file_size(sqlite3_file *base, sqlite3_int64 *size)
{
    if (disk_is_off(of(base)->disk))
        return SQLITE_IOERR;
    *size = (sqlite3_int64)of(base)->file->now.size;
    return SQLITE_OK;
}

static int file_control(sqlite3_file *base, int operation, void *argument)
{
    (void)base;
    (void)operation;
    (void)argument;
    return SQLITE_NOTFOUND;
}

static int sector_size(sqlite3_file *base)
{
    (void)base;
    return UNIX_SECTOR;
}

static int characteristics(sqlite3_file *base)
{
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods METHODS = {
    .iVersion = 2,
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = file_size,
    .xLock = disk_lock,
    .xUnlock = disk_unlock,
    .xCheckReservedLock = disk_check_reserved,
    .xFileControl = file_control,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
    .xShmMap = disk_shm_map,
    .xShmLock = disk_shm_lock,
    .xShmBarrier = disk_shm_barrier,
    .xShmUnmap = disk_shm_unmap,
};

/* The product creates its database files on the real file system and opens them without CREATE. */
static struct disk_file *find_or_create(struct disk *disk, const char *path, int flags)
{
    struct disk_file *file = disk_find(disk, path);
    if (file)
        return disk_file_hold(file);
    if ((flags & SQLITE_OPEN_CREATE) || access(path, F_OK) == 0)
        return disk_file_hold(disk_create(disk, path));
    return NULL;
}

static int open_file(sqlite3_vfs *vfs, const char *path, sqlite3_file *base, int flags,
                     int *flags_out)
{
    struct disk_handle *handle = of(base);
    struct disk *disk = vfs->pAppData;
    *handle = (struct disk_handle){.disk = disk, .name = path ? disk_name_hash(path) : 0};
    if (disk_is_off(disk))
        return SQLITE_IOERR;
    handle->file = path ? find_or_create(disk, path, flags) : disk_file_new();
    if (!handle->file)
        return SQLITE_CANTOPEN;
    if ((flags & SQLITE_OPEN_CREATE) && (flags & JOURNALS))
        handle->owes = path; /* SQLite's, until the file is closed */
    if (path && (flags & SQLITE_OPEN_DELETEONCLOSE))
        disk_remove(disk, path, false);
    handle->base.pMethods = &METHODS;
    disk_opened(disk, 1);
    if (flags_out)
        *flags_out = flags;
    return SQLITE_OK;
}

static int delete_file(sqlite3_vfs *vfs, const char *path, int durably)
{
    struct disk *disk = vfs->pAppData;
    const int code = disk_act(
        disk,
        &(struct disk_act){.what = 'd', .name = disk_name_hash(path), .length = (size_t)durably});
    if (code != SQLITE_OK)
        return code;
    if (!disk_find(disk, path))
        return SQLITE_IOERR_DELETE_NOENT;
    disk_remove(disk, path, durably);
    return SQLITE_OK;
}

static int access_file(sqlite3_vfs *vfs, const char *path, int flags, int *out)
{
    struct disk *disk = vfs->pAppData;
    if (disk_is_off(disk))
        return SQLITE_IOERR;
    const struct disk_file *file = disk_find(disk, path);
    *out = file && (flags != SQLITE_ACCESS_EXISTS || file->now.size > 0);
    return SQLITE_OK;
}

static int full_path(sqlite3_vfs *vfs, const char *path, int size, char *out)
{
    (void)vfs;
    if (strlen(path) >= (size_t)size)
        return SQLITE_CANTOPEN;
    memcpy(out, path, strlen(path) + 1);
    return SQLITE_OK;
}

static int randomness(sqlite3_vfs *vfs, int length, char *out)
{
    disk_seed(vfs->pAppData, out, (size_t)length);
    return length;
}

/* Waiting for a lock: nobody else can move meanwhile, so there is no use in really waiting. */
static int no_sleep(sqlite3_vfs *vfs, int microseconds)
{
    (void)vfs;
    return microseconds;
}

static int last_error(sqlite3_vfs *vfs, int size, char *out)
{
    (void)vfs;
    (void)size;
    (void)out;
    return 0;
}

static int time_now(sqlite3_vfs *vfs, sqlite3_int64 *julian_ms)
{
    *julian_ms = disk_time(vfs->pAppData) + JULIAN_1970_MS;
    return SQLITE_OK;
}

static int days_now(sqlite3_vfs *vfs, double *days)
{
    sqlite3_int64 julian_ms = 0;
    (void)time_now(vfs, &julian_ms);
    *days = (double)julian_ms / 86400000.0;
    return SQLITE_OK;
}

sqlite3_vfs *disk_vfs_register(struct disk *disk)
{
    sqlite3_vfs *vfs = memory_new(1, sizeof *vfs);
    *vfs = (sqlite3_vfs){
        .iVersion = 2,
        .szOsFile = sizeof(struct disk_handle),
        .mxPathname = PATH_SIZE,
        .zName = "disk",
        .pAppData = disk,
        .xOpen = open_file,
        .xDelete = delete_file,
        .xAccess = access_file,
        .xFullPathname = full_path,
        .xRandomness = randomness,
        .xSleep = no_sleep,
        .xCurrentTime = days_now,
        .xGetLastError = last_error,
        .xCurrentTimeInt64 = time_now,
    };
    (void)sqlite3_initialize(); /* its own VFS first, or it would become the default later */
    (void)sqlite3_vfs_register(vfs, 1);
    return vfs;
}

void disk_vfs_release(sqlite3_vfs *vfs)
{
    (void)sqlite3_vfs_unregister(vfs);
    free(vfs);
}
