/* The gate: collects one request at a time and lets it out whole. What a head may look like is in
 * gate_head.c; here is where a request begins and ends. Knows no sockets.
 *
 * A verdict depends on the bytes alone, never on how they were cut into reads: every check is made
 * at the byte that decides it. */
#include "gate.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "gate_head.h"

enum phase {
    PHASE_START,    /* between requests */
    PHASE_START_LF, /* in the one empty line that may stand before a request */
    PHASE_HEAD,
    PHASE_BODY,
    PHASE_CHUNK_SIZE,
    PHASE_CHUNK_SIZE_LF,
    PHASE_CHUNK_DATA,
    PHASE_CHUNK_END,
    PHASE_CHUNK_END_LF,
    PHASE_LAST, /* behind the chunk of size 0 */
    PHASE_LAST_LF,
    PHASE_REFUSED,
    PHASES
};

/* What may be kept by a connection that waits for its next request. */
enum { KEPT_MEMORY = 2048, CHUNK_DIGITS_MAX = 8 };

struct gate {
    gate_limit_fn *limit;
    void *context;
    enum phase phase;
    bool skipped_line;
    int line_ends;          /* how much of CR LF CR LF has been seen */
    uint64_t left;          /* of the body or of the chunk */
    int digits;             /* of the chunk size */
    struct gate_limit most; /* of this request's body */
    struct buf head;        /* as received */
    struct buf request;     /* as it will be let out */
    struct buf body;        /* of a chunked request: its length is known only at its end */
    struct gate_head facts;
    struct gate_refusal refusal;
};

struct feed {
    const char *data;
    size_t left;
};

/* What is taken in a phase: first the byte that must come (0: any may), then what `take` takes. */
struct step {
    const char *otherwise;
    enum gate_verdict (*take)(struct gate *gate, struct feed *feed); /* NULL: nothing */
    enum phase next;                                                 /* without `take` */
    char wanted;
};

static char next_byte(struct feed *feed)
{
    feed->left--;
    return *feed->data++;
}

static enum gate_verdict refuse(struct gate *gate, int status, const char *sentence)
{
    gate->refusal = (struct gate_refusal){.status = status, .sentence = sentence};
    gate->phase = PHASE_REFUSED;
    return GATE_REFUSED;
}

static enum gate_verdict enter(struct gate *gate, enum phase phase)
{
    gate->phase = phase;
    return GATE_MORE;
}

/* --- Before the request. --- */

static enum gate_verdict start(struct gate *gate, struct feed *feed)
{
    if (*feed->data != '\r')
        return enter(gate, PHASE_HEAD);
    (void)next_byte(feed);
    if (gate->skipped_line)
        return refuse(gate, 400, "The request line is empty");
    gate->skipped_line = true;
    return enter(gate, PHASE_START_LF);
}

/* --- The head. --- */

static enum gate_verdict request_is_whole(struct gate *gate)
{
    gate->phase = PHASE_START;
    gate->skipped_line = false;
    return GATE_REQUEST;
}

static enum gate_verdict refuse_body(struct gate *gate)
{
    return refuse(gate, gate->most.larger.status, gate->most.larger.sentence);
}

static enum gate_verdict body_follows(struct gate *gate, enum phase phase, const struct feed *feed)
{
    gate->phase = phase;
    return gate->facts.expects_continue && feed->left == 0 ? GATE_CONTINUE : GATE_MORE;
}

static void emit_length(struct gate *gate, uint64_t length)
{
    buf_printf(&gate->request, "Content-Length: %llu\r\n\r\n", (unsigned long long)length);
}

static enum gate_verdict head_is_whole(struct gate *gate, const struct feed *feed)
{
    struct gate_head *facts = &gate->facts;
    buf_clear(&gate->request);
    if (!gate_head_parse(facts, gate->head.data, &gate->request))
        return refuse(gate, facts->refusal.status, facts->refusal.sentence);
    if (!facts->chunked && facts->length == 0) {
        emit_length(gate, 0);
        return request_is_whole(gate);
    }
    gate->most = gate->limit(gate->context, facts->method, facts->target, buf_text(&gate->request));
    if (facts->chunked) {
        gate->left = 0;
        gate->digits = 0;
        return body_follows(gate, PHASE_CHUNK_SIZE, feed);
    }
    if (facts->length > gate->most.bytes)
        return refuse_body(gate);
    gate->left = facts->length;
    emit_length(gate, facts->length);
    return body_follows(gate, PHASE_BODY, feed);
}

enum head_byte { HEAD_NEXT, HEAD_END, HEAD_BAD };

/* Tabs and printable bytes (those above 0x7f too: values may hold them), CR only before LF and LF
 * only behind CR. */
static enum head_byte head_byte(struct gate *gate, char byte)
{
    unsigned char c = (unsigned char)byte;
    if (gate->line_ends % 2 == 1) {
        if (c != '\n')
            return HEAD_BAD;
        return ++gate->line_ends == 4 ? HEAD_END : HEAD_NEXT;
    }
    if (c == '\r') {
        gate->line_ends++;
        return HEAD_NEXT;
    }
    gate->line_ends = 0;
    return (c >= ' ' && c != 0x7f) || c == '\t' ? HEAD_NEXT : HEAD_BAD;
}

static enum gate_verdict head(struct gate *gate, struct feed *feed)
{
    size_t room = GATE_HEAD_MAX - gate->head.length;
    size_t most = feed->left < room ? feed->left : room;
    enum head_byte last = HEAD_NEXT;
    size_t taken = 0;
    if (gate->head.length == 0)
        gate->line_ends = 0;
    while (taken < most && last == HEAD_NEXT)
        last = head_byte(gate, feed->data[taken++]);
    buf_append(&gate->head, feed->data, taken);
    feed->data += taken;
    feed->left -= taken;
    if (last == HEAD_BAD)
        return refuse(gate, 400, "The head holds a control character or a stray line end");
    if (last == HEAD_END)
        return head_is_whole(gate, feed);
    return feed->left > 0 ? refuse(gate, 431, "The head is too large") : GATE_MORE;
}

/* --- The body. --- */

static void take(struct gate *gate, struct feed *feed, struct buf *to)
{
    size_t count = gate->left < feed->left ? (size_t)gate->left : feed->left;
    buf_append(to, feed->data, count);
    feed->data += count;
    feed->left -= count;
    gate->left -= count;
}

static enum gate_verdict body(struct gate *gate, struct feed *feed)
{
    take(gate, feed, &gate->request);
    return gate->left == 0 ? request_is_whole(gate) : GATE_MORE;
}

static enum gate_verdict chunk_size(struct gate *gate, struct feed *feed)
{
    char c = next_byte(feed);
    if (c == '\r' && gate->digits > 0)
        return enter(gate, PHASE_CHUNK_SIZE_LF);
    int value = gate_hex_digit(c);
    if (value < 0 || ++gate->digits > CHUNK_DIGITS_MAX)
        return refuse(gate, 400, "A chunk size is malformed; chunk extensions are not taken");
    gate->left = gate->left * 16 + (uint64_t)value;
    return GATE_MORE;
}

static enum gate_verdict chunk_size_lf(struct gate *gate, struct feed *feed)
{
    (void)feed;
    gate->digits = 0;
    if (gate->left > gate->most.bytes - gate->body.length)
        return refuse_body(gate);
    return enter(gate, gate->left > 0 ? PHASE_CHUNK_DATA : PHASE_LAST);
}

static enum gate_verdict chunk_data(struct gate *gate, struct feed *feed)
{
    take(gate, feed, &gate->body);
    return enter(gate, gate->left > 0 ? PHASE_CHUNK_DATA : PHASE_CHUNK_END);
}

static enum gate_verdict last_lf(struct gate *gate, struct feed *feed)
{
    (void)feed;
    emit_length(gate, gate->body.length);
    buf_append(&gate->request, gate->body.data, gate->body.length);
    return request_is_whole(gate);
}

static const char stray_cr[] = "The request begins with a stray CR";
static const char bad_size[] = "A chunk size is malformed";
static const char bad_chunk[] = "A chunk does not end where its size says";
static const char trailer[] = "Trailers are not taken";
static const char bad_end[] = "The chunked body does not end well";

static const struct step steps[PHASES] = {
    [PHASE_START] = {.take = start},
    [PHASE_START_LF] = {.wanted = '\n', .otherwise = stray_cr, .next = PHASE_START},
    [PHASE_HEAD] = {.take = head},
    [PHASE_BODY] = {.take = body},
    [PHASE_CHUNK_SIZE] = {.take = chunk_size},
    [PHASE_CHUNK_SIZE_LF] = {.wanted = '\n', .otherwise = bad_size, .take = chunk_size_lf},
    [PHASE_CHUNK_DATA] = {.take = chunk_data},
    [PHASE_CHUNK_END] = {.wanted = '\r', .otherwise = bad_chunk, .next = PHASE_CHUNK_END_LF},
    [PHASE_CHUNK_END_LF] = {.wanted = '\n', .otherwise = bad_chunk, .next = PHASE_CHUNK_SIZE},
    [PHASE_LAST] = {.wanted = '\r', .otherwise = trailer, .next = PHASE_LAST_LF},
    [PHASE_LAST_LF] = {.wanted = '\n', .otherwise = bad_end, .take = last_lf},
};

static enum gate_verdict take_step(struct gate *gate, struct feed *feed)
{
    const struct step *step = &steps[gate->phase];
    if (step->wanted && next_byte(feed) != step->wanted)
        return refuse(gate, 400, step->otherwise);
    return step->take ? step->take(gate, feed) : enter(gate, step->next);
}

/* --- Public. --- */

static void tidy(struct buf *buf)
{
    if (buf->capacity > KEPT_MEMORY)
        buf_release(buf);
    else
        buf_clear(buf);
}

static void emit(struct gate *gate, struct buf *out)
{
    assert(!gate->request.overflow && !gate->body.overflow);
    buf_append(out, gate->request.data, gate->request.length);
    tidy(&gate->head);
    tidy(&gate->request);
    tidy(&gate->body);
}

struct gate *gate_new(gate_limit_fn *limit, void *context)
{
    struct gate *gate = memory_new(1, sizeof *gate);
    gate->limit = limit;
    gate->context = context;
    return gate;
}

void gate_free(struct gate *gate)
{
    if (!gate)
        return;
    buf_release(&gate->head);
    buf_release(&gate->request);
    buf_release(&gate->body);
    free(gate);
}

enum gate_verdict gate_feed(struct gate *gate, const char *data, size_t length, size_t *used,
                            struct buf *out)
{
    struct feed feed = {.data = data, .left = length};
    enum gate_verdict verdict = gate->phase == PHASE_REFUSED ? GATE_REFUSED : GATE_MORE;
    while (feed.left > 0 && verdict == GATE_MORE)
        verdict = take_step(gate, &feed);
    *used = length - feed.left;
    if (verdict == GATE_REQUEST)
        emit(gate, out);
    return verdict;
}

bool gate_is_idle(const struct gate *gate)
{
    return gate->phase == PHASE_START;
}

struct gate_refusal gate_refusal(const struct gate *gate)
{
    return gate->refusal;
}
