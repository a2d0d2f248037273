/* The directory of intake.db: users and providers, for names and notifications. */
#include <stdio.h>

#include "intake_store.h"
#include "rows.h"

static const char *const kind_names[] = {[PERSON_USER] = "user", [PERSON_PROVIDER] = "provider"};

/* A stored text was checked when it came in; a longer one would be damage, and is cut. */
static void read_text(char out[NAME_SIZE], const char *text)
{
    (void)snprintf(out, NAME_SIZE, "%s", text);
}

static void read_person(const struct db_rows *rows, void *element)
{
    struct person *person = element;
    id_copy(person->id, db_column_text(rows, 0));
    read_text(person->name, db_column_text(rows, 1));
    read_text(person->email, db_column_text(rows, 2));
    read_text(person->phone, db_column_text(rows, 3));
}

bool person_put(struct db *db, enum person_kind kind, const struct person *person, bool *created,
                struct error *error)
{
    const struct db_value *values =
        BIND(db_text(kind_names[kind]), db_text(person->id), db_text(person->name),
             db_text(person->email), db_text(person->phone));
    if (!db_run(db,
                "INSERT INTO people (kind, id, name, email, phone) VALUES (?1, ?2, ?3, ?4, ?5)"
                " ON CONFLICT DO NOTHING",
                values, error))
        return false;
    *created = db_changes(db) == 1;
    return *created || db_run(db,
                              "UPDATE people SET name = ?3, email = ?4, phone = ?5"
                              " WHERE kind = ?1 AND id = ?2",
                              values, error);
}

bool person_find(struct db *db, enum person_kind kind, const char *id, struct person *person,
                 bool *found, struct error *error)
{
    const struct row_query query = {
        "SELECT id, name, email, phone FROM people WHERE kind = ? AND id = ?",
        BIND(db_text(kind_names[kind]), db_text(id))};
    const struct row_target target = {read_person, person, sizeof *person};
    return rows_read_one(db, &query, &target, found, error);
}

bool person_delete(struct db *db, enum person_kind kind, const char *id, bool *found,
                   struct error *error)
{
    if (!db_run(db, "DELETE FROM people WHERE kind = ? AND id = ?",
                BIND(db_text(kind_names[kind]), db_text(id)), error))
        return false;
    *found = db_changes(db) == 1;
    return true;
}

bool person_list(struct db *db, const struct person_page *page, struct person people[],
                 size_t *count, struct error *error)
{
    const struct row_query query = {
        "SELECT id, name, email, phone FROM people WHERE kind = ? AND id > ? ORDER BY id LIMIT ?",
        BIND(db_text(kind_names[page->kind]), db_text(page->after), db_int((int64_t)page->limit))};
    const struct row_target target = {read_person, people, sizeof *people};
    return rows_read_all(db, &query, &target, count, error);
}
