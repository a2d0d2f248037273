/* The gate: reads raw bytes of one connection and lets only whole, well-framed requests through.
 *
 * Libraries are lenient about framing, and a proxy in front that reads a request differently is how
 * requests are smuggled. So the gate decides alone what a request is: it collects the head, checks
 * it, collects the body (decoding plain chunked), and only then emits the request in one plain
 * form: the same head without Transfer-Encoding and Expect, with one Content-Length, and with at
 * most "Connection: close" of all Connection options (always there for HTTP/1.0). It knows no
 * sockets: bytes in, bytes out, so that it can be tested and fuzzed alone. Rules: RFC 9112,
 * stricter where it allows leniency. */
#ifndef BOOKFLOW_GATE_H
#define BOOKFLOW_GATE_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

struct gate;

enum { GATE_HEAD_MAX = 16 * 1024 };

struct gate_refusal {
    int status; /* 400, 401, 413, 414, 417, 431, 505 */
    const char *sentence;
};

/* How large the body of a request may be, and what a larger one is told. `head` is the request line
 * and the header lines as they will be let out, each ended by CR LF. */
struct gate_limit {
    size_t bytes;
    struct gate_refusal larger;
};
typedef struct gate_limit gate_limit_fn(void *context, const char *method, const char *target,
                                        const char *head);

struct gate *gate_new(gate_limit_fn *limit, void *context);
void gate_free(struct gate *gate);

enum gate_verdict {
    GATE_MORE,     /* everything taken; the request is not whole yet */
    GATE_CONTINUE, /* as GATE_MORE, and the client waits for "100 Continue" */
    GATE_REQUEST,  /* one whole request stands in `out`; call again with what is left */
    GATE_REFUSED   /* gate_refusal() says why; the connection must be closed after the answer */
};

/* Takes bytes from `data`; *used says how many. A whole request is appended to `out`. */
enum gate_verdict gate_feed(struct gate *gate, const char *data, size_t length, size_t *used,
                            struct buf *out);

/* True between requests: no byte of the next one has been seen. */
bool gate_is_idle(const struct gate *gate);

struct gate_refusal gate_refusal(const struct gate *gate);

#endif
