/* The gate on raw bytes. Its verdict does not depend on how the bytes are cut into reads; what it
 * lets out was framed in one way only, by rules written here a second time; what it lets out it
 * lets through again unchanged; and it keeps no more memory than its limits say. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fuzz.h"
#include "gate.h"

#if defined(__SANITIZE_ADDRESS__)
#define WATCHES_MEMORY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WATCHES_MEMORY 1
#endif
#endif
#ifdef WATCHES_MEMORY
/* Of <sanitizer/allocator_interface.h>, which gcc does not bring along. */
size_t __sanitizer_get_current_allocated_bytes(void);
#endif

enum {
    BODY_MAX = 16,
    /* Head, rewritten head and body, each in a buffer that may be half empty, and the gate. */
    MEMORY_MAX = 2 * (GATE_HEAD_MAX + GATE_HEAD_MAX + 2 * BODY_MAX) + 4096
};

static size_t memory_used(void)
{
#ifdef WATCHES_MEMORY
    return __sanitizer_get_current_allocated_bytes();
#else
    return 0;
#endif
}

static struct gate_limit limit_of(void *context, const char *method, const char *target,
                                  const char *head)
{
    (void)context;
    FUZZ_CHECK(method[0] && target[0] == '/', "the limit is asked for '%s' '%s'", method, target);
    FUZZ_CHECK(strncmp(head, method, strlen(method)) == 0, "... and of another head: %s", head);
    return (struct gate_limit){BODY_MAX, {413, "The body is too large"}};
}

/* --- one request that was let out --- */

struct head {
    int lengths, encodings, hosts;
    size_t length; /* of Content-Length */
    bool sound;    /* every line is NAME: VALUE, ended by CR LF, without control characters */
    bool old;      /* HTTP/1.0 */
    const char *body;
};

static bool is_header(const char *line, const char *name)
{
    return strncasecmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':';
}

static bool line_is_sound(const char *line, const char *end)
{
    for (; line < end; line++)
        if ((unsigned char)*line < ' ' ? *line != '\t' : *line == 0x7f)
            return false;
    return true;
}

static void read_header(struct head *head, const char *line)
{
    head->hosts += is_header(line, "Host");
    head->encodings += is_header(line, "Transfer-Encoding");
    if (is_header(line, "Content-Length")) {
        head->lengths++;
        head->length = strtoul(line + strlen("Content-Length:"), NULL, 10);
    }
}

/* The text ends with a NUL. */
static struct head read_head(const char *text)
{
    struct head head = {.sound = true};
    const char *end = strstr(text, "\r\n");
    head.old = end && end - text >= 8 && strncmp(end - 8, "HTTP/1.0", 8) == 0;
    head.sound = end && line_is_sound(text, end);
    while (head.sound) {
        const char *line = end + 2;
        end = strstr(line, "\r\n");
        if (!end || end == line) {
            head.sound = end != NULL;
            head.body = end ? end + 2 : NULL;
            return head;
        }
        head.sound = line_is_sound(line, end) && memchr(line, ':', (size_t)(end - line));
        read_header(&head, line);
    }
    return head;
}

/* Let out: one length, no encoding, one host unless it is HTTP/1.0, and a body of that length. */
static void framed_safely(const char *text, size_t length)
{
    const struct head head = read_head(text);
    FUZZ_CHECK(head.sound && head.body, "a head that is none: %s", text);
    FUZZ_CHECK(head.lengths == 1 && head.encodings == 0, "%d lengths, %d encodings: %s",
               head.lengths, head.encodings, text);
    FUZZ_CHECK(head.hosts == 1 || (head.old && head.hosts == 0), "%d hosts: %s", head.hosts, text);
    FUZZ_CHECK(head.length <= BODY_MAX, "a body of %zu: %s", head.length, text);
    FUZZ_CHECK(length - (size_t)(head.body - text) == head.length,
               "a body of %zu said to be %zu: %s", length - (size_t)(head.body - text), head.length,
               text);
}

/* Taken in: what nobody could read in two ways. */
static void framed_once(const char *text)
{
    while (strncmp(text, "\r\n", 2) == 0)
        text += 2;
    const struct head head = read_head(text);
    FUZZ_CHECK(head.sound, "accepted without a sound head: %s", text);
    FUZZ_CHECK(head.lengths + head.encodings <= 1, "accepted with %d lengths and %d encodings: %s",
               head.lengths, head.encodings, text);
}

/* --- a stream of bytes, fed in pieces --- */

struct outcome {
    struct buf out;
    size_t requests;
    size_t taken;
    int status; /* of the refusal; 0: none */
    bool idle;
};

static void outcome_release(struct outcome *outcome)
{
    buf_release(&outcome->out);
}

static void let_out(struct outcome *outcome, const struct buf *request)
{
    outcome->requests++;
    framed_safely(buf_text(request), request->length);
    buf_append(&outcome->out, buf_text(request), request->length);
}

/* One read's worth. */
static void feed_piece(struct gate *gate, struct outcome *outcome, const char *copy, size_t length)
{
    for (size_t at = 0; at < length && outcome->status == 0;) {
        struct buf request AUTO(buf_release) = {0};
        size_t used = 0;
        const enum gate_verdict verdict = gate_feed(gate, copy + at, length - at, &used, &request);
        FUZZ_CHECK(used <= length - at, "%zu bytes taken of %zu", used, length - at);
        FUZZ_CHECK(verdict == GATE_REQUEST || request.length == 0, "bytes without a request");
        at += used;
        outcome->taken += used;
        if (verdict == GATE_REQUEST)
            let_out(outcome, &request);
        else if (verdict == GATE_REFUSED)
            outcome->status = gate_refusal(gate).status;
        else
            FUZZ_CHECK(at == length, "more is wanted, and %zu bytes are left", length - at);
    }
}

/* In a copy of exactly its size, so that the sanitizer sees what is read too far. */
static void feed_copy(struct gate *gate, struct outcome *outcome, const char *data, size_t length)
{
    const char byte = *data;
    if (length == 1) {
        feed_piece(gate, outcome, &byte, 1);
        return;
    }
    char *copy AUTO(memory_release) = memory_new(length, 1);
    memcpy(copy, data, length);
    feed_piece(gate, outcome, copy, length);
}

/* `seed` chooses the pieces: 0 is all at once, 1 is byte by byte. */
static struct outcome feed(const char *data, size_t size, uint32_t seed)
{
    struct outcome outcome = {0};
    struct gate *gate = gate_new(limit_of, NULL);
    const size_t before = memory_used();
    for (size_t at = 0; at < size;) {
        seed = seed > 1 ? seed * 1664525U + 1013904223U : seed;
        size_t piece = seed == 0 ? size : seed == 1 ? 1 : 1 + (seed >> 16) % (size / 32 + 16);
        piece = piece < size - at ? piece : size - at;
        feed_copy(gate, &outcome, data + at, piece);
        if (seed != 1) /* asking takes longer than a byte */
            FUZZ_CHECK(memory_used() <= before + outcome.out.capacity + MEMORY_MAX,
                       "the gate keeps %zu bytes", memory_used() - before - outcome.out.capacity);
        at += piece;
    }
    outcome.idle = gate_is_idle(gate);
    gate_free(gate);
    return outcome;
}

static void same(const struct outcome *a, const struct outcome *b)
{
    FUZZ_CHECK(a->requests == b->requests, "%zu requests, in pieces %zu", a->requests, b->requests);
    FUZZ_CHECK(a->status == b->status, "status %d, in pieces %d", a->status, b->status);
    FUZZ_CHECK(a->status != 0 || a->taken == b->taken, "%zu bytes taken, in pieces %zu", a->taken,
               b->taken);
    FUZZ_CHECK(a->idle == b->idle, "idle or not");
    FUZZ_CHECK(strcmp(buf_text(&a->out), buf_text(&b->out)) == 0, "let out '%s', in pieces '%s'",
               buf_text(&a->out), buf_text(&b->out));
}

/* Each request by itself, as far as the bytes go without a NUL: those are refused in a head and
 * would end the search in a body. */
static void accepted_were_framed_once(const char *data, size_t size)
{
    struct gate *gate = gate_new(limit_of, NULL);
    enum gate_verdict verdict = GATE_REQUEST;
    while (size > 0 && verdict == GATE_REQUEST) {
        struct buf out AUTO(buf_release) = {0};
        size_t used = 0;
        verdict = gate_feed(gate, data, size, &used, &out);
        char *request AUTO(memory_release) = memory_text_n(data, used);
        if (verdict == GATE_REQUEST)
            framed_once(request);
        data += used;
        size -= used;
    }
    gate_free(gate);
}

static void let_through_again(const struct outcome *outcome)
{
    struct outcome again AUTO(outcome_release) =
        feed(buf_text(&outcome->out), outcome->out.length, 0);
    if (again.status == 431) /* the length that was added is one header too many */
        return;
    FUZZ_CHECK(again.status == 0 && again.idle && again.requests == outcome->requests,
               "what was let out is refused with %d", again.status);
    FUZZ_CHECK(again.out.length == outcome->out.length &&
                   memcmp(buf_text(&again.out), buf_text(&outcome->out), again.out.length) == 0,
               "what was let out is changed again");
}

static uint32_t seed_of(const uint8_t *data, size_t size)
{
    uint32_t seed = 2166136261U;
    for (size_t i = 0; i < size; i++)
        seed = (seed ^ data[i]) * 16777619U;
    return seed | 2;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* char and uint8_t may look at the same bytes. */
    const char *raw = (const char *)data;
    struct outcome whole AUTO(outcome_release) = feed(raw, size, 0);
    struct outcome bytes AUTO(outcome_release) = feed(raw, size, 1);
    struct outcome pieces AUTO(outcome_release) = feed(raw, size, seed_of(data, size));
    same(&whole, &bytes);
    same(&whole, &pieces);
    accepted_were_framed_once(raw, size);
    let_through_again(&whole);
    return 0;
}
