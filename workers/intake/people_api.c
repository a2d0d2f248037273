/* Requests about the directory: users and providers, one code for both. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "intake_api.h"
#include "intake_store.h"
#include "json_fields.h"
#include "query.h"
#include "result.h"
#include "write.h"

/* The same routes stand below /users and below /providers. */
static enum person_kind kind_of(const char *path)
{
    return strncmp(path, "/users", strlen("/users")) == 0 ? PERSON_USER : PERSON_PROVIDER;
}

static json_t *person_to_json(const struct person *person)
{
    return json_pack("{s:s,s:s,s:o,s:o}", "id", person->id, "name", person->name, "email",
                     json_text_or_null(person->email), "phone", json_text_or_null(person->phone));
}

static bool read_field(const json_t *body, const char *name, char out[NAME_SIZE],
                       struct error *error)
{
    const char *text = NULL;
    if (!json_optional_text(body, name, NAME_MAX_CHARACTERS, &text, error))
        return false;
    (void)snprintf(out, NAME_SIZE, "%s", text ? text : "");
    return true;
}

static bool looks_like_email(const char *text)
{
    const char *at = strchr(text, '@');
    return at && at > text && at[1] && !strpbrk(text, " \t\r\n<>,;\"");
}

static bool read_person(const struct call *call, struct person *person, struct error *error)
{
    if (!read_field(call->body, "name", person->name, error) ||
        !read_field(call->body, "email", person->email, error) ||
        !read_field(call->body, "phone", person->phone, error))
        return false;
    if (!*person->name)
        return error_set(error, ERROR_INVALID, "name is required");
    if (*person->email && !looks_like_email(person->email))
        return error_set(error, ERROR_INVALID, "email must be an e-mail address");
    if (strspn(person->phone, "+0123456789 ()./-") != strlen(person->phone))
        return error_set(error, ERROR_INVALID, "phone must be a phone number");
    return true;
}

static bool apply_put(const struct call *call, struct db *db, struct answer *answer,
                      struct error *error)
{
    const enum person_kind kind = kind_of(call->path);
    struct person person = {0};
    bool created = false;
    if (!read_person(call, &person, error))
        return false;
    if (*call->parameters[0])
        id_copy(person.id, call->parameters[0]);
    else
        id_new(call->worker->world, person.id);
    if (!person_put(db, kind, &person, &created, error))
        return false;
    answer->status = created ? 201 : 200;
    answer->body = person_to_json(&person);
    if (created)
        (void)snprintf(answer->location, sizeof answer->location, "/%s/%s",
                       kind == PERSON_USER ? "users" : "providers", person.id);
    return true;
}

static const char *not_found(enum person_kind kind)
{
    return kind == PERSON_USER ? "User not found" : "Provider not found";
}

static bool apply_delete(const struct call *call, struct db *db, struct answer *answer,
                         struct error *error)
{
    const enum person_kind kind = kind_of(call->path);
    bool found = false;
    (void)answer;
    if (!person_delete(db, kind, call->parameters[0], &found, error))
        return false;
    return found || error_set(error, ERROR_NOT_FOUND, "%s", not_found(kind));
}

static void show(void *context, struct http_request *request)
{
    const struct worker *worker = context;
    const enum person_kind kind = kind_of(http_request_path(request));
    struct error error = {0};
    json_t *body = NULL;
    struct person person = {0};
    bool found = false;
    const char *id = http_request_parameter(request, 0);
    if (person_find(worker->reader, kind, id, &person, &found, &error) && !found)
        (void)error_set(&error, ERROR_NOT_FOUND, "%s", not_found(kind));
    if (found)
        body = person_to_json(&person);
    reply_result(request, body, &error);
}

static void list(void *context, struct http_request *request)
{
    const struct worker *worker = context;
    const enum person_kind kind = kind_of(http_request_path(request));
    struct error error = {0};
    size_t limit = PAGE_DEFAULT;
    size_t count = 0;
    const char *after = NULL;
    if (!query_limit(request, PAGE_MAX, &limit, &error) ||
        !query_id(request, "after", &after, &error)) {
        http_reply_error(request, &error, NULL);
        return;
    }
    const struct person_page page = {kind, after ? after : "", limit + 1}; /* and the one behind */
    struct person *people AUTO(memory_release) = memory_new(limit + 1, sizeof *people);
    if (!person_list(worker->reader, &page, people, &count, &error)) {
        http_reply_error(request, &error, NULL);
        return;
    }
    json_t *list_of_people = json_array();
    for (size_t i = 0; i < count && i < limit; i++)
        (void)json_array_append_new(list_of_people, person_to_json(&people[i]));
    json_t *next = count > limit ? json_string(people[limit - 1].id) : json_null();
    http_reply_json(request, 200,
                    json_pack("{s:o,s:o}", kind == PERSON_USER ? "users" : "providers",
                              list_of_people, "next", next));
}

static void put(void *context, struct http_request *request)
{
    write_request(context, request, apply_put);
}

static void delete (void *context, struct http_request *request)
{
    write_request(context, request, apply_delete);
}

const struct http_route *intake_people_routes(void)
{
    static const struct http_route routes[] = {
        {.method = HTTP_GET, .pattern = "/users", .handler = list, .access = HTTP_ADMIN},
        {.method = HTTP_POST, .pattern = "/users", .handler = put, .access = HTTP_ADMIN},
        {.method = HTTP_GET, .pattern = "/users/{id}", .handler = show, .access = HTTP_ADMIN},
        {.method = HTTP_PUT, .pattern = "/users/{id}", .handler = put, .access = HTTP_ADMIN},
        {.method = HTTP_DELETE, .pattern = "/users/{id}", .handler = delete, .access = HTTP_ADMIN},
        {.method = HTTP_GET, .pattern = "/providers", .handler = list, .access = HTTP_ADMIN},
        {.method = HTTP_POST, .pattern = "/providers", .handler = put, .access = HTTP_ADMIN},
        {.method = HTTP_GET,
         .pattern = "/providers/{id}",
         .handler = show,
         .access = HTTP_PROVIDER},
        {.method = HTTP_PUT, .pattern = "/providers/{id}", .handler = put, .access = HTTP_PROVIDER},
        {.method = HTTP_DELETE,
         .pattern = "/providers/{id}",
         .handler = delete,
         .access = HTTP_ADMIN},
        {0},
    };
    return routes;
}
