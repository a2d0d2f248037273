/* A request that writes: loop -> writer -> loop. It knows requests and operations, and nothing of
 * bookings. */
#include "write.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "idempotency.h"
#include "json_fields.h"
#include "tokens.h"

struct write {
    struct operation operation; /* first: the writer hands this back */
    struct http_request *request;
    write_fn *apply;
    struct call call;
    json_t *body;
    struct answer answer;
    /* With an Idempotency-Key: */
    struct idempotency_key key; /* .key NULL = none */
    struct buf scope;
    struct idempotency_answer kept;
    bool answer_is_kept;
};

static void write_free(struct write *write)
{
    json_decref(write->body);
    json_decref(write->answer.body);
    json_decref(write->answer.extra);
    buf_release(&write->scope);
    idempotency_answer_release(&write->kept);
    free(write);
}

/* The answer as it will be replayed. A refusal is kept too: it was true when it was given. */
static void keep_answer(struct write *write, const struct error *refusal)
{
    struct answer *answer = &write->answer;
    json_t *body = answer->body;
    if (refusal) {
        write->kept.status = error_policy(refusal->kind)->http_status;
        body = json_pack("{s:s}", "error", refusal->text);
        if (answer->extra)
            (void)json_object_update(body, answer->extra);
    } else {
        write->kept.status = body ? answer->status : 204;
        buf_text_append(&write->kept.location, answer->location);
    }
    if (body)
        json_append(&write->kept.body, body);
    if (refusal)
        json_decref(body);
    write->answer_is_kept = true;
}

/* The handler in a savepoint of its own, so that a refusal is undone and yet its answer is kept. */
static bool apply_once(struct write *write, struct db *db, struct error *error)
{
    struct error refusal = {0};
    if (!db_savepoint(db, error))
        return false;
    if (write->apply(&write->call, db, &write->answer, &refusal)) {
        keep_answer(write, NULL);
        return db_savepoint_keep(db, error);
    }
    if (!db_savepoint_undo(db, error))
        return false;
    if (error_policy(refusal.kind)->retry)
        return error_set(error, refusal.kind, "%s", refusal.text);
    keep_answer(write, &refusal);
    return true;
}

static bool apply_with_key(struct write *write, struct db *db, struct error *error)
{
    bool found = false;
    if (!idempotency_find(db, &write->key, &write->kept, &found, error))
        return false;
    write->answer_is_kept = found;
    return found || (apply_once(write, db, error) &&
                     idempotency_keep(db, &write->key, &write->kept, write->call.now_ms, error));
}

static bool write_apply(struct operation *operation, struct db *db, struct error *error)
{
    struct write *write = (struct write *)operation; /* its first member */
    return write->key.key ? apply_with_key(write, db, error)
                          : write->apply(&write->call, db, &write->answer, error);
}

/* A kept refusal is given like a fresh one: its form follows from what this request accepts. */
static void reply_refusal(struct write *write)
{
    struct error error = {0};
    const struct buf *text = &write->kept.body;
    json_t *body AUTO(json_release) = json_parse_object(buf_text(text), text->length, &error);
    error_clear(&error);
    for (enum error_kind kind = ERROR_INVALID; kind < ERROR_KINDS && !error.kind; kind++)
        if (error_policy(kind)->http_status == write->kept.status)
            (void)error_set(&error, kind, "%s", json_string_value(json_object_get(body, "error")));
    http_reply_error(write->request, &error, body);
}

static void reply_kept(struct write *write)
{
    const struct idempotency_answer *kept = &write->kept;
    if (kept->status >= 400)
        reply_refusal(write);
    else if (kept->status == 204)
        http_reply_json(write->request, 204, NULL);
    else
        http_reply_text(write->request, kept->status, "application/json",
                        kept->location.length ? buf_text(&kept->location) : NULL,
                        buf_text(&kept->body), kept->body.length);
}

static void write_done(struct operation *operation, const struct error *failure)
{
    struct write *write = (struct write *)operation; /* its first member */
    if (failure) {
        /* What the handler had to add is true only of its own refusal. */
        http_reply_error(write->request, failure,
                         failure->kind == ERROR_CONFLICT ? write->answer.extra : NULL);
    } else {
        if (!write->answer_is_kept)
            keep_answer(write, NULL);
        reply_kept(write);
    }
    write_free(write);
}

static bool key_valid(const char *key)
{
    size_t length = strlen(key);
    for (size_t i = 0; i < length; i++)
        if (key[i] < 0x21 || key[i] > 0x7e)
            return false;
    return length >= 1 && length <= IDEMPOTENCY_KEY_MAX;
}

/* A key is its caller's: nobody is answered what another was told. The name, not the id: two tokens
 * of one caller live side by side while one takes over from the other. */
static void scope_to(struct buf *scope, const struct token *token)
{
    if (token)
        buf_printf(scope, " %s %s %s", token_role_name(token->role),
                   *token->provider_id ? token->provider_id : "-", token->name);
}

static bool take_key(struct write *write, struct error *error)
{
    struct http_request *request = write->request;
    const char *key = http_request_header(request, "Idempotency-Key");
    if (!key || http_request_method(request) != HTTP_POST)
        return true;
    if (!key_valid(key))
        return error_set(error, ERROR_INVALID,
                         "Idempotency-Key must be 1 to %d visible ASCII characters",
                         IDEMPOTENCY_KEY_MAX);
    size_t length = 0;
    const char *body = http_request_body(request, &length);
    digest_of(body, length, write->key.body);
    buf_printf(&write->scope, "POST %s", http_request_path(request));
    scope_to(&write->scope, http_request_token(request));
    write->key.scope = buf_text(&write->scope);
    write->key.key = key; /* lives as long as the request */
    return true;
}

void write_request(struct worker *worker, struct http_request *request, write_fn *apply)
{
    struct error error = {0};
    struct write *write = memory_new(1, sizeof *write);
    write->operation = (struct operation){.apply = write_apply, .done = write_done};
    write->request = request;
    write->apply = apply;
    write->answer.status = 200;
    write->body = http_request_json(request, &error);
    if (!write->body || !take_key(write, &error)) {
        http_reply_error(request, &error, NULL);
        write_free(write);
        return;
    }
    const struct token *token = http_request_token(request);
    write->call = (struct call){
        .worker = worker,
        .path = http_request_path(request),
        .body = write->body,
        .actor = token ? token->name : NULL,
        .now_ms = world_wall_ms(worker->world),
    };
    for (size_t i = 0; i < HTTP_PARAMETERS_MAX; i++)
        write->call.parameters[i] = http_request_parameter(request, i);
    writer_submit(worker->writer, &write->operation);
}
