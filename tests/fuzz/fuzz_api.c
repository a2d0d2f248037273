/* A request through gate, router, handlers, rules and stores to its answer, without a socket. It is
 * answered once, in well-formed HTTP and JSON, never with a 500; and what it left in the outbox is
 * an event that the queue takes and the other worker reads.
 *
 * An input is "METHOD target", header lines, an empty line, and the body. The length is added here:
 * a fuzzer that had to get it right would try nothing else. */
#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "booking_json.h"
#include "checks.h"
#include "decision_api.h"
#include "fuzz_store.h"
#include "intake_api.h"
#include "json_fields.h"
#include "outbox.h"
#include "server_private.h"
#include "worker.h"

/* In place of connection.c, for the linker wraps its functions: an answer goes into a buffer. */
struct connection {
    struct evbuffer *output;
    struct http_request *request;
    int answers;
};

struct evbuffer *__wrap_connection_output(struct connection *connection);
void __wrap_connection_answered(struct connection *connection, bool close);
void __wrap_connection_streams(struct connection *connection, struct http_stream *stream);
void __wrap_connection_flush(struct connection *connection);

struct evbuffer *__wrap_connection_output(struct connection *connection)
{
    return connection->output;
}

void __wrap_connection_answered(struct connection *connection, bool close)
{
    (void)close;
    connection->answers++;
    request_free(connection->request);
}

void __wrap_connection_streams(struct connection *connection, struct http_stream *stream)
{
    (void)connection, (void)stream;
    FUZZ_CHECK(false, "no route here makes a stream");
}

void __wrap_connection_flush(struct connection *connection)
{
    (void)connection;
}

/* --- the workers --- */

struct service {
    struct http_server server;
    struct worker worker;
};

/* Without those that need a publisher or a stream. */
static void add_decision_routes(struct service *service)
{
    static struct http_route kept[ROUTES_MAX];
    size_t count = 0;
    for (const struct http_route *route = decision_routes(); route->pattern; route++)
        if (!strstr(route->pattern, "/events") && !strstr(route->pattern, "/pipeline"))
            kept[count++] = *route;
    kept[count] = (struct http_route){0};
    http_server_routes(&service->server, kept, &service->worker);
}

static struct service service_of(struct fuzz_stores *stores, struct writer *writer)
{
    return (struct service){
        .worker = {.reader = writer->db, .writer = writer, .world = &stores->world}};
}

/* --- the answer --- */

static const char *header(const char *answer, const char *name)
{
    const char *at = strstr(answer, name);
    return at ? at + strlen(name) : NULL;
}

static void head_is_sound(const char *answer, const char *body)
{
    for (const char *at = answer; at < body; at++) {
        const unsigned char c = (unsigned char)*at;
        const bool line_end = (c == '\r' && at[1] == '\n') || (c == '\n' && at[-1] == '\r');
        FUZZ_CHECK(line_end || (c >= ' ' && c <= '~'), "byte %02x in the head: %s", c, answer);
    }
}

static void body_is_sound(const char *body, size_t length, int status)
{
    struct error error = {0};
    json_t *root AUTO(json_release) = json_parse_object(body, length, &error);
    FUZZ_CHECK(root, "%d with a body that is no JSON object: %s: %s", status, error.text, body);
    const char *sentence = json_string_value(json_object_get(root, "error"));
    FUZZ_CHECK(status < 400 || (sentence && *sentence), "%d without a sentence: %s", status, body);
    FUZZ_CHECK(!sentence || fuzz_is_showable(sentence, strlen(sentence)), "a sentence that acts");
    const json_t *booking = json_object_get(root, "booking");
    struct booking read;
    FUZZ_CHECK(!booking || booking_from_json(booking, &read, &error), "no booking: %s: %s",
               error.text, body);
}

static bool is_expected(int status)
{
    static const int expected[] = {200, 201, 204, 400, 404, 405, 409, 413, 415, 422};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        if (expected[i] == status)
            return true;
    return false;
}

static void answer_is_sound(struct evbuffer *output, bool head_only)
{
    const size_t length = evbuffer_get_length(output);
    char *answer AUTO(memory_release) = memory_new(length + 1, 1);
    (void)evbuffer_remove(output, answer, length);
    char *body = strstr(answer, "\r\n\r\n");
    FUZZ_CHECK(strncmp(answer, "HTTP/1.1 ", 9) == 0 && body, "no answer: %s", answer);
    body += strlen("\r\n\r\n");
    const int status = (int)strtol(answer + 9, NULL, 10);
    const char *said = header(answer, "Content-Length: ");
    const size_t rest = length - (size_t)(body - answer);
    FUZZ_CHECK(is_expected(status), "status %d: %s", status, answer);
    FUZZ_CHECK(said || status == 204, "no length: %s", answer);
    FUZZ_CHECK(head_only ? rest == 0 : !said || strtoul(said, NULL, 10) == rest, "length: %s",
               answer);
    head_is_sound(answer, body);
    if (rest > 0)
        body_is_sound(body, rest, status);
}

/* --- what goes out --- */

static void event_is_sound(const struct outbox_row *row)
{
    struct event event;
    struct error error = {0};
    FUZZ_CHECK(event_from_json(row->body, strlen(row->body), &event, &error),
               "the other worker refuses %s: %s", row->body, error.text);
    FUZZ_CHECK(event.type == row->type && strcmp(event.id, row->event_id) == 0 &&
                   strcmp(event.booking.id, row->booking_id) == 0,
               "a row of another event");
    FUZZ_CHECK(queue_check_entry(&(struct queue_entry){.body = row->body}, &error),
               "the queue refuses %s: %s", row->body, error.text);
}

static void outbox_is_sound(struct db *db)
{
    enum { MANY = 8 };
    struct outbox_row rows[MANY];
    struct error error = {0};
    int64_t after = 0;
    for (size_t count = MANY; count == MANY;) {
        FUZZ_CHECK(outbox_load(db, after, rows, MANY, &count, &error), "%s", error.text);
        for (size_t i = 0; i < count; i++) {
            after = rows[i].sequence;
            event_is_sound(&rows[i]);
            outbox_row_release(&rows[i]);
        }
    }
}

/* --- the request --- */

/* Turns the input into one HTTP request; false: it is none. */
static bool write_request_text(char *input, struct buf *out, bool *head_only)
{
    const char *line = fuzz_line(&input);
    if (!line)
        return false;
    *head_only = strncmp(line, "HEAD ", 5) == 0;
    buf_printf(out, "%s HTTP/1.1\r\nHost: a\r\n", line);
    while ((line = fuzz_line(&input)) && *line)
        buf_printf(out, "%s\r\n", line);
    buf_printf(out, "Content-Length: %zu\r\n\r\n%s", strlen(input), input);
    return true;
}

/* False: the gate has not let exactly this one through. */
static bool pass_gate(struct service *service, const struct buf *text, struct buf *request)
{
    struct gate *gate = gate_new(request_body_limit, &service->server);
    size_t used = 0;
    const enum gate_verdict verdict = gate_feed(gate, buf_text(text), text->length, &used, request);
    gate_free(gate);
    return verdict == GATE_REQUEST && used == text->length;
}

static void serve(struct service *service, const struct buf *text, bool head_only)
{
    struct buf request = {0};
    if (!pass_gate(service, text, &request)) {
        buf_release(&request);
        return;
    }
    struct connection connection = {.output = evbuffer_new()};
    connection.request = request_new(&service->server, &connection, request);
    request_dispatch(connection.request);
    (void)fuzz_writer_run(service->worker.writer);
    FUZZ_CHECK(connection.answers == 1, "answered %d times", connection.answers);
    FUZZ_CHECK(service->server.open_requests == 0, "a request is left open");
    answer_is_sound(connection.output, head_only);
    outbox_is_sound(service->worker.writer->db);
    evbuffer_free(connection.output);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *input AUTO(memory_release) = fuzz_text(data, size);
    struct buf text AUTO(buf_release) = {0};
    bool head_only = false;
    if (!write_request_text(input, &text, &head_only))
        return 0;
    struct fuzz_stores *stores = fuzz_stores_begin();
    struct service intake = service_of(stores, &stores->intake);
    struct service decision = service_of(stores, &stores->decision);
    http_server_routes(&intake.server, intake_booking_routes(), &intake.worker);
    http_server_routes(&intake.server, intake_slot_routes(), &intake.worker);
    http_server_routes(&intake.server, intake_people_routes(), &intake.worker);
    add_decision_routes(&decision);
    serve(&intake, &text, head_only);
    serve(&decision, &text, head_only);
    fuzz_stores_undo(stores);
    return 0;
}
