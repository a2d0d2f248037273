/* The gate: what is let through and in which form, what is refused, and that neither depends on
 * how the bytes were cut into reads. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "gate.h"
#include "gate_refusals.h"

enum { BODY_LIMIT = 16, BULK_LIMIT = 64 };

static struct gate_limit limit_of(void *context, const char *method, const char *target,
                                  const char *head)
{
    (void)context;
    if (strcmp(method, "PUT") != 0 || strcmp(target, "/bulk?x") != 0)
        return (struct gate_limit){BODY_LIMIT, {413, "Too large"}};
    if (strstr(head, "\r\nStranger: 1\r\n"))
        return (struct gate_limit){BODY_LIMIT, {401, "Who are you?"}};
    return (struct gate_limit){BULK_LIMIT, {413, "Too large"}};
}

/* What came of a whole text fed in pieces: every request let out, and the verdict at the end. */
struct outcome {
    struct buf out;
    int requests;
    int status; /* of the refusal; 0: none */
    bool idle;
};

static void outcome_release(struct outcome *outcome)
{
    buf_release(&outcome->out);
}

static void feed_piece(struct gate *gate, struct outcome *outcome, const char *data, size_t length)
{
    while (length > 0 && outcome->status == 0) {
        size_t used = 0;
        const enum gate_verdict verdict = gate_feed(gate, data, length, &used, &outcome->out);
        outcome->requests += verdict == GATE_REQUEST;
        outcome->status = verdict == GATE_REFUSED ? gate_refusal(gate).status : 0;
        cr_assert(verdict == GATE_REQUEST || verdict == GATE_REFUSED || used == length);
        data += used;
        length -= used;
    }
}

/* `first` bytes, and then the rest in pieces of `piece`. A copy on the heap of exactly the piece's
 * size lets the sanitizer see every byte read too far. */
static void feed_text(struct outcome *outcome, struct buf text, size_t first, size_t piece)
{
    struct gate *gate = gate_new(limit_of, NULL);
    *outcome = (struct outcome){.requests = 0};
    size_t at = 0;
    while (at < text.length) {
        size_t length = at == 0 && first > 0 ? first : piece;
        length = length < text.length - at ? length : text.length - at;
        char *copy AUTO(memory_release) = memory_new(length, 1);
        memcpy(copy, text.data + at, length);
        feed_piece(gate, outcome, copy, length);
        at += length;
    }
    outcome->idle = gate_is_idle(gate);
    gate_free(gate);
}

static void expect_same(const char *name, const struct outcome *a, const struct outcome *b)
{
    cr_assert_eq(a->requests, b->requests, "%s: %d requests, in pieces %d", name, a->requests,
                 b->requests);
    cr_assert_eq(a->status, b->status, "%s: %d, in pieces %d", name, a->status, b->status);
    cr_assert_eq(a->idle, b->idle, "%s: idle", name);
    cr_assert_str_eq(buf_text(&a->out), buf_text(&b->out), "%s", name);
}

/* Feeds it whole, byte by byte, and split at every place; all outcomes must be the same. */
static void feed_every_way(const char *name, struct buf text, struct outcome *whole)
{
    feed_text(whole, text, 0, text.length);
    struct outcome single AUTO(outcome_release) = {.requests = 0};
    feed_text(&single, text, 0, 1);
    expect_same(name, whole, &single);
    for (size_t split = 1; split < text.length; split++) {
        struct outcome parts AUTO(outcome_release) = {.requests = 0};
        feed_text(&parts, text, split, text.length);
        expect_same(name, whole, &parts);
    }
}

Test(gate, refuses_what_could_be_read_in_two_ways)
{
    const size_t count = sizeof refusals / sizeof refusals[0];
    cr_assert_geq(count, 40);
    for (size_t i = 0; i < count; i++) {
        const struct refused *item = &refusals[i];
        struct buf text AUTO(buf_release) = {0};
        buf_append(&text, item->text, item->length);
        struct outcome whole AUTO(outcome_release) = {.requests = 0};
        feed_every_way(item->name, text, &whole);
        cr_expect_eq(whole.status, item->status, "%s: %d", item->name, whole.status);
        cr_expect_eq(whole.requests, 0, "%s", item->name);
        cr_expect_str_eq(buf_text(&whole.out), "", "%s", item->name);
    }
}

struct passed {
    const char *name;
    const char *text;
    const char *out;
    int requests;
    bool idle;
};

static const struct passed passes[] = {
    {"plain", "GET /a?b=c%20 HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n",
     "GET /a?b=c%20 HTTP/1.1\r\nHost: a\r\nAccept: */*\r\nContent-Length: 0\r\n\r\n", 1, true},
    {"white space around values", "GET / HTTP/1.1\r\nHost:a:80\r\nX: \t b \t\r\nY:\r\n\r\n",
     "GET / HTTP/1.1\r\nHost: a:80\r\nX: b\r\nY: \r\nContent-Length: 0\r\n\r\n", 1, true},
    {"body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0003\r\n\r\nabc",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 1, true},
    {"body that fills the limit",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 16\r\n\r\n"
     "0123456789abcdef",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 16\r\n\r\n0123456789abcdef", 1, true},
    {"body of HEAD", "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx",
     "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", 1, true},
    {"chunked",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
     "3\r\nabc\r\n00A\r\n0123456789\r\n0\r\n\r\n",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 13\r\n\r\nabc0123456789", 1, true},
    {"chunked and empty",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
     "00\r\n\r\n",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 1, true},
    {"expectation",
     "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n"
     "\r\nx",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", 1, true},
    {"close", "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close ,y\r\n\r\n",
     "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", 1, true},
    {"keep-alive", "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, closed\r\n\r\n",
     "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 1, true},
    {"HTTP/1.0", "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
     "GET / HTTP/1.0\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", 1, true},
    {"IPv6 host", "GET / HTTP/1.1\r\nHost: [::1]:3000\r\n\r\n",
     "GET / HTTP/1.1\r\nHost: [::1]:3000\r\nContent-Length: 0\r\n\r\n", 1, true},
    {"unknown method", "BREW-2! / HTTP/1.1\r\nHost: a\r\n\r\n",
     "BREW-2! / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 1, true},
    {"value beyond ASCII", "GET / HTTP/1.1\r\nHost: a\r\nX: \xc3\xbc\r\n\r\n",
     "GET / HTTP/1.1\r\nHost: a\r\nX: \xc3\xbc\r\nContent-Length: 0\r\n\r\n", 1, true},
    {"empty line in front", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n\r\n",
     "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 1, true},
    {"pipelined",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"
     "\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n"
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\ny\r\n"
     "0\r\n\r\nGET /d HTTP/1.1\r\nHost: a\r\n\r\n",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"
     "GET /b HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\ny"
     "GET /d HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
     4, true},
    {"not whole", "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n",
     "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 1, false},
    {"body not whole", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx", "", 0, false},
    {"chunks without their end",
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
     "1\r\nx\r\n0\r\n",
     "", 0, false},
    {"nothing", "", "", 0, true},
};

Test(gate, lets_well_formed_requests_through_in_one_plain_form)
{
    for (size_t i = 0; i < sizeof passes / sizeof passes[0]; i++) {
        const struct passed *item = &passes[i];
        struct buf text AUTO(buf_release) = {0};
        buf_text_append(&text, item->text);
        struct outcome whole AUTO(outcome_release) = {.requests = 0};
        feed_every_way(item->name, text, &whole);
        cr_expect_eq(whole.status, 0, "%s: %d", item->name, whole.status);
        cr_expect_eq(whole.requests, item->requests, "%s: %d", item->name, whole.requests);
        cr_expect_eq(whole.idle, item->idle, "%s", item->name);
        cr_expect_str_eq(buf_text(&whole.out), item->out, "%s", item->name);
    }
}

Test(gate, lets_requests_out_before_a_refusal)
{
    struct buf text AUTO(buf_release) = {0};
    buf_text_append(&text, "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n\r\nGET /");
    struct outcome whole AUTO(outcome_release) = {.requests = 0};
    feed_every_way("refusal behind a request", text, &whole);
    cr_expect_eq(whole.requests, 1);
    cr_expect_eq(whole.status, 400);
}

static void head_of(struct buf *text, size_t length)
{
    buf_text_append(text, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
    while (text->length < length - 4)
        buf_char(text, 'x');
    buf_text_append(text, "\r\n\r\n");
}

Test(gate, limits_the_head)
{
    static const struct {
        size_t length;
        size_t piece;
        int status;
    } heads[] = {
        {GATE_HEAD_MAX, GATE_HEAD_MAX, 0},
        {GATE_HEAD_MAX, 1, 0},
        {GATE_HEAD_MAX, 1000, 0},
        {GATE_HEAD_MAX + 1, 1, 431},
        {GATE_HEAD_MAX + 1, GATE_HEAD_MAX, 431},
        {GATE_HEAD_MAX + 1, 2 * GATE_HEAD_MAX, 431},
        {4 * GATE_HEAD_MAX, 1000, 431},
    };
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        struct buf text AUTO(buf_release) = {0};
        head_of(&text, heads[i].length);
        struct outcome outcome AUTO(outcome_release) = {.requests = 0};
        feed_text(&outcome, text, 0, heads[i].piece);
        cr_expect_eq(outcome.status, heads[i].status, "case %zu: %d", i, outcome.status);
        cr_expect_eq(outcome.requests, heads[i].status == 0, "case %zu", i);
    }
}

Test(gate, limits_the_number_of_headers_and_the_target)
{
    static const struct {
        int headers;
        int target;
        int status;
    } heads[] = {{100, 1, 0}, {101, 1, 431}, {1, 8 * 1024, 0}, {1, 8 * 1024 + 1, 414}};
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        struct buf text AUTO(buf_release) = {0};
        buf_printf(&text, "GET /%0*d HTTP/1.1\r\nHost: a\r\n", heads[i].target - 1, 0);
        if (heads[i].target == 1) {
            buf_clear(&text);
            buf_text_append(&text, "GET / HTTP/1.1\r\nHost: a\r\n");
        }
        for (int header = 1; header < heads[i].headers; header++)
            buf_printf(&text, "X%d: y\r\n", header);
        buf_text_append(&text, "\r\n");
        struct outcome outcome AUTO(outcome_release) = {.requests = 0};
        feed_text(&outcome, text, 0, text.length);
        cr_expect_eq(outcome.status, heads[i].status, "case %zu: %d", i, outcome.status);
    }
}

Test(gate, says_when_the_client_waits_for_a_continue)
{
    static const char head[] = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
                               "Content-Length: 1\r\n\r\n";
    struct buf out AUTO(buf_release) = {0};
    size_t used = 0;
    struct gate *gate = gate_new(limit_of, NULL);
    cr_expect_eq(gate_feed(gate, head, strlen(head), &used, &out), GATE_CONTINUE);
    cr_expect_eq(used, strlen(head));
    cr_expect_not(gate_is_idle(gate));
    cr_expect_eq(gate_feed(gate, "x", 1, &used, &out), GATE_REQUEST);
    cr_expect(gate_is_idle(gate));
    gate_free(gate);
}

Test(gate, stays_shut_once_it_has_refused)
{
    static const char good[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    struct buf out AUTO(buf_release) = {0};
    size_t used = 0;
    struct gate *gate = gate_new(limit_of, NULL);
    cr_expect_eq(gate_feed(gate, "\n", 1, &used, &out), GATE_REFUSED);
    cr_expect_eq(gate_feed(gate, good, strlen(good), &used, &out), GATE_REFUSED);
    cr_expect_eq(used, 0);
    cr_expect_eq(gate_refusal(gate).status, 400);
    cr_expect_eq(out.length, 0);
    gate_free(gate);
    gate_free(NULL);
}

Test(gate, lets_the_limit_look_at_the_head_and_say_why_a_larger_body_is_refused)
{
    static const char *const rest[] = {
        "Content-Length: 17\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n9\r\n012345678\r\n8\r\n",
    };
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++) {
        struct buf text AUTO(buf_release) = {0};
        struct buf out AUTO(buf_release) = {0};
        size_t used = 0;
        struct gate *gate = gate_new(limit_of, NULL);
        buf_printf(&text, "PUT /bulk?x HTTP/1.1\r\nHost: a\r\nstranger:1\r\nStranger: 1\r\n%s",
                   rest[i]);
        cr_assert_eq(gate_feed(gate, buf_text(&text), text.length, &used, &out), GATE_REFUSED);
        cr_expect_eq(gate_refusal(gate).status, 401, "case %zu", i);
        cr_expect_str_eq(gate_refusal(gate).sentence, "Who are you?");
        gate_free(gate);
    }
}
