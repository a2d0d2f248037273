/* Stores as bytes. Speaks to the disk as SQLite does, through its VFS. */
#include "world_template.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "buf.h"
#include "decision_store.h"
#include "disk.h"
#include "intake_store.h"
#include "world_side.h"

const char *const template_files[SIDES] = {[INTAKE] = "intake.db", [DECISION] = "decision.db"};

/* --- a whole file --- */

struct file {
    sqlite3_file *handle; /* NULL = not open */
};

static void file_release(struct file *file)
{
    if (file->handle && file->handle->pMethods)
        (void)file->handle->pMethods->xClose(file->handle);
    free(file->handle);
}

static bool file_open(struct file *file, const char *path, struct error *error)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    const int flags = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    file->handle = memory_new(1, (size_t)vfs->szOsFile);
    return vfs->xOpen(vfs, path, file->handle, flags, NULL) == SQLITE_OK ||
           error_set(error, ERROR_UNAVAILABLE, "the disk does not open %s", path);
}

static bool read_file(const char *path, struct image *image, struct error *error)
{
    struct file file AUTO(file_release) = {0};
    sqlite3_int64 length = 0;
    if (!file_open(&file, path, error))
        return false;
    if (file.handle->pMethods->xFileSize(file.handle, &length) != SQLITE_OK || length == 0)
        return error_set(error, ERROR_UNAVAILABLE, "%s is empty", path);
    image->length = (size_t)length;
    image->bytes = memory_new(1, image->length);
    return file.handle->pMethods->xRead(file.handle, image->bytes, (int)length, 0) == SQLITE_OK ||
           error_set(error, ERROR_UNAVAILABLE, "the disk does not read %s", path);
}

bool template_put(const struct template *template, int side, const char *folder,
                  struct error *error)
{
    const struct image *image = &template->images[side];
    struct file file AUTO(file_release) = {0};
    struct buf path AUTO(buf_release) = {0};
    buf_printf(&path, "%s/%s", folder, template_files[side]);
    if (!file_open(&file, buf_text(&path), error))
        return false;
    const struct sqlite3_io_methods *methods = file.handle->pMethods;
    return (methods->xWrite(file.handle, image->bytes, (int)image->length, 0) == SQLITE_OK &&
            methods->xSync(file.handle, SQLITE_SYNC_FULL) == SQLITE_OK) ||
           error_set(error, ERROR_UNAVAILABLE, "the disk does not take %s", buf_text(&path));
}

/* --- what is in them --- */

static bool add_slots(struct db *db, struct error *error)
{
    for (int i = 0; i < SLOTS; i++) {
        struct slot slot = {.start_s = EPOCH_S + SLOT_FIRST_S + (int64_t)i * SLOT_EVERY_S};
        bool added = false;
        slot.end_s = slot.start_s + SLOT_LENGTH_S;
        (void)snprintf(slot.id, sizeof slot.id, "slot-%d", i);
        (void)snprintf(slot.provider_id, sizeof slot.provider_id, "provider-%d", i % PROVIDERS);
        if (!slot_add(db, &slot, &added, error))
            return false;
    }
    return true;
}

/* The poison user is not among them. */
static bool add_people(struct db *db, struct error *error)
{
    for (int i = 0; i < PROVIDERS + USERS; i++) {
        struct person person = {.name = "N", .email = "n@example.org", .phone = "+4912345678"};
        const bool is_provider = i < PROVIDERS;
        bool created = false;
        (void)snprintf(person.id, sizeof person.id, is_provider ? "provider-%d" : "user-%d",
                       is_provider ? i : i - PROVIDERS + 1);
        if (!person_put(db, is_provider ? PERSON_PROVIDER : PERSON_USER, &person, &created, error))
            return false;
    }
    return true;
}

static bool make_store(int side, const char *path, struct error *error)
{
    struct db *db AUTO(db_release) =
        db_open(path, DB_WRITE, side == INTAKE ? intake_schema() : decision_schema(), error);
    if (!db)
        return false;
    return db_begin(db, error) &&
           (side != INTAKE || (add_slots(db, error) && add_people(db, error))) &&
           db_commit(db, error);
}

static bool make_image(struct template *template, int side, const char *folder, struct error *error)
{
    struct buf path AUTO(buf_release) = {0};
    buf_printf(&path, "%s/%s", folder, template_files[side]);
    return make_store(side, buf_text(&path), error) &&
           read_file(buf_text(&path), &template->images[side], error);
}

bool template_make(struct template *template, const char *folder, struct error *error)
{
    struct disk *disk = disk_new(1, DISK_HONEST);
    const bool made = make_image(template, INTAKE, folder, error) &&
                      make_image(template, DECISION, folder, error);
    disk_free(disk);
    return made;
}

void template_release(struct template *template)
{
    for (int i = 0; i < SIDES; i++)
        free(template->images[i].bytes);
}
