/* The head of one request: request line and header lines, checked and rewritten. Part of the gate.
 */
#ifndef BOOKFLOW_GATE_HEAD_H
#define BOOKFLOW_GATE_HEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "gate.h"

enum { GATE_METHOD_MAX = 32, GATE_TARGET_MAX = 8 * 1024, GATE_HEADERS_MAX = 100 };

/* What the head says of the rest of the request. */
struct gate_head {
    const char *method; /* into the text given to gate_head_parse() */
    const char *target;
    int minor; /* of HTTP/1.x */
    int headers;
    int hosts;
    uint64_t length; /* of Content-Length */
    bool has_length;
    bool chunked;
    bool expects_continue;
    bool close;
    struct gate_refusal refusal; /* when gate_head_parse() returned false */
};

/* Reads a head that ends with its empty line and holds no control characters but tabs and CR LF
 * pairs. Appends the rewritten head to `out`, without framing (Content-Length, Transfer-Encoding),
 * Expect and the empty line, and with at most "Connection: close" of all Connection options. The
 * text is changed: NULs are put behind method and target. False: refused. */
MUST_CHECK bool gate_head_parse(struct gate_head *head, char *text, struct buf *out);

/* The value of a hexadecimal digit; -1 for anything else. */
int gate_hex_digit(char c);

#endif
