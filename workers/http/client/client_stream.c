/* Server-sent events: bytes become lines, lines become events (the HTML standard, section 9.2).
 * Knows nothing of what an event means. */
#include <string.h>

#include "client_transfer.h"
#include "world.h"

enum { LINE_MAX_BYTES = 1024 * 1024, REFUSAL_MAX_BYTES = 64 * 1024 };

struct stream {
    struct client *client;
    const struct client_stream_call *call;
    int64_t heard_ms;
    bool after_cr; /* a line feed now would belong to the line that is done */
    bool has_id;
    bool has_data;
    struct buf line;
    struct buf id;
    struct buf name;
    struct buf data;
    struct buf refusal; /* the body of an answer that is not 200 */
};

static void stream_release(struct stream *stream)
{
    struct buf *all[] = {&stream->line, &stream->id, &stream->name, &stream->data,
                         &stream->refusal};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        buf_release(all[i]);
}

static void set_text(struct buf *buf, const char *text)
{
    buf_clear(buf);
    buf_text_append(buf, text);
}

/* The blank line: the block is whole. */
static bool dispatch(struct stream *stream)
{
    bool go_on = true;
    if (stream->has_data || stream->has_id) {
        const struct client_event event = {
            .id = stream->has_id ? buf_text(&stream->id) : NULL,
            .name = stream->name.length ? buf_text(&stream->name) : "message",
            .data = stream->has_data ? buf_text(&stream->data) : NULL,
        };
        go_on = stream->call->event(stream->call->context, &event);
    }
    stream->has_id = stream->has_data = false;
    buf_clear(&stream->name);
    buf_clear(&stream->data);
    return go_on;
}

static void take_field(struct stream *stream, const char *name, const char *value)
{
    if (strcmp(name, "event") == 0) {
        set_text(&stream->name, value);
    } else if (strcmp(name, "id") == 0) {
        set_text(&stream->id, value);
        stream->has_id = true;
    } else if (strcmp(name, "data") == 0) {
        if (stream->has_data)
            buf_char(&stream->data, '\n');
        buf_text_append(&stream->data, value);
        stream->has_data = true;
    }
}

static bool take_line(struct stream *stream)
{
    char *line = stream->line.data;
    if (!line || line[0] == '\0')
        return dispatch(stream);
    char *colon = strchr(line, ':');
    if (colon == line)
        return stream->call->event(stream->call->context,
                                   &(struct client_event){.name = "message"});
    const char *value = "";
    if (colon) {
        *colon = '\0';
        value = colon[1] == ' ' ? colon + 2 : colon + 1;
    }
    take_field(stream, line, value);
    return true;
}

static bool take_byte(struct stream *stream, char byte)
{
    const bool second_half = stream->after_cr && byte == '\n';
    stream->after_cr = byte == '\r';
    if (second_half)
        return true;
    if (byte != '\n' && byte != '\r') {
        buf_char(&stream->line, byte);
        return !stream->line.overflow;
    }
    const bool go_on = take_line(stream);
    buf_clear(&stream->line);
    return go_on && !stream->data.overflow;
}

static size_t take_bytes(char *bytes, size_t size, size_t count, void *context)
{
    struct stream *stream = context;
    const size_t length = size * count;
    stream->heard_ms = world_ticks_ms(world_real());
    if (client_status(stream->client) != 200) {
        buf_append(&stream->refusal, bytes, length);
        return stream->refusal.overflow ? 0 : length;
    }
    for (size_t i = 0; i < length; i++)
        if (!take_byte(stream, bytes[i]))
            return 0;
    return length;
}

/* A line of the head; the empty one ends it. */
static size_t take_head(char *bytes, size_t size, size_t count, void *context)
{
    const struct stream *stream = context;
    (void)size;
    if (bytes[0] == '\r' && client_status(stream->client) == 200 && stream->call->opened)
        stream->call->opened(stream->call->context);
    return count;
}

static bool outcome(struct stream *stream, bool ended, struct error *error)
{
    const int status = client_status(stream->client);
    if (status != 200) {
        const struct client_answer answer = {.status = status, .body = stream->refusal};
        return client_refusal(&answer, error);
    }
    if (ended && (stream->line.overflow || stream->data.overflow))
        return error_set(error, ERROR_UNAVAILABLE, "an event of the stream is too large");
    return true;
}

bool client_stream(struct client *client, const struct client_stream_call *call,
                   struct error *error)
{
    struct stream stream AUTO(stream_release) = {
        .client = client,
        .call = call,
        .heard_ms = world_ticks_ms(world_real()),
        .line.maximum = LINE_MAX_BYTES,
        .data.maximum = LINE_MAX_BYTES,
        .refusal.maximum = REFUSAL_MAX_BYTES,
    };
    struct transfer transfer AUTO(client_transfer_release) = {.write = take_bytes,
                                                              .context = &stream,
                                                              .heard_ms = &stream.heard_ms,
                                                              .silence_ms = call->silence_ms};
    client_header(&transfer, "Accept", "text/event-stream");
    if (client->authorization)
        client_header(&transfer, "Authorization", client->authorization);
    if (call->last_event_id)
        client_header(&transfer, "Last-Event-ID", call->last_event_id);
    client_prepare(client, &transfer, call->path);
    (void)curl_easy_setopt(client->easy, CURLOPT_HEADERFUNCTION, take_head);
    (void)curl_easy_setopt(client->easy, CURLOPT_HEADERDATA, &stream);
    bool ended = false;
    return client_run(client, &transfer, &ended, error) && outcome(&stream, ended, error);
}
