/* A disk that loses power: an SQLite VFS in memory, the process's default VFS while it exists.
 *
 * Files live by path and survive every "process" that opened them. A write is visible at once and
 * durable with the file's next successful sync; a new or removed file is durable with the sync of
 * the file (or its folder), as on ext4. At a power cut each write since the last sync is kept, lost
 * or torn at a sector of 512 bytes, each sector by itself, as the seed has it. One thread; shared
 * memory and locks work between connections of the process. Every read, write, sync, truncate,
 * delete is one operation, counted from 1. Also the source of SQLite's randomness and time, so that
 * one seed is one history. */
#ifndef BOOKFLOW_DISK_H
#define BOOKFLOW_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct disk;

/* Controls: a disk that lies must be found out by every harness that uses it. */
enum disk_honesty { DISK_HONEST, DISK_SYNC_LIES };

struct disk *disk_new(uint64_t seed, enum disk_honesty honesty);
void disk_free(struct disk *disk);

/* SQLite reads the time from here (ms since 1970, UTC); it stands still until moved. */
void disk_set_time(struct disk *disk, int64_t wall_ms);

/* Operations so far. */
int64_t disk_operations(const struct disk *disk);

/* The power goes at the start of the operation that many from now (1 = the next); 0 = not. From
 * then on every operation fails with SQLITE_IOERR, never with one of the fsync codes, which stop
 * our process. */
void disk_cut_after(struct disk *disk, int64_t operations);
void disk_cut(struct disk *disk); /* now */
bool disk_is_off(const struct disk *disk);

/* To be called when every connection is closed: throws away what was not durable, the power is
 * back.
 */
void disk_power_on(struct disk *disk);

/* For many ends of one cut, with every connection closed: keeps the files as they are before
 * disk_power_on(), and goes back to them as often as wanted, off, with another seed for what the
 * cut does. */
void disk_keep(struct disk *disk);
void disk_go_back(struct disk *disk, uint64_t seed);

/* The operation that many from now fails with this SQLite code, once, without effect; then all is
 * well again. With `times` > 1 so many in a row. */
void disk_fail_after(struct disk *disk, int64_t operations, int code, int64_t times);

/* Notes what the first `size` operations are: r(ead), w(rite), t(runcate), s(ync), d(elete). */
void disk_watch(struct disk *disk, char *kinds, size_t size);

/* Of every operation so far, its file, offset and bytes: equal for equal histories. */
uint64_t disk_trace(const struct disk *disk);

/* Of every file's name and bytes as they are now: equal for equal contents. */
uint64_t disk_content(const struct disk *disk);

#endif
