/* The head of one request. Knows the grammar of RFC 9112 and 9110 as far as framing goes; knows
 * nothing of bodies, routes or connections. */
#include "gate_head.h"

#include <string.h>
#include <strings.h>

struct span {
    const char *text;
    size_t length;
};

static bool refuse(struct gate_head *head, int status, const char *sentence)
{
    head->refusal = (struct gate_refusal){.status = status, .sentence = sentence};
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

int gate_hex_digit(char c)
{
    const int letter = c | 0x20; /* in lower case */
    if (is_digit(c))
        return c - '0';
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

static bool is_letter_or_digit(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_token(struct span span)
{
    for (size_t i = 0; i < span.length; i++)
        if (!is_letter_or_digit(span.text[i]) && !strchr("!#$%&'*+-.^_`|~", span.text[i]))
            return false;
    return span.length > 0;
}

static bool span_is(struct span span, const char *word)
{
    return span.length == strlen(word) && strncasecmp(span.text, word, span.length) == 0;
}

static struct span trimmed(struct span span)
{
    while (span.length > 0 && strchr(" \t", span.text[0])) {
        span.text++;
        span.length--;
    }
    while (span.length > 0 && strchr(" \t", span.text[span.length - 1]))
        span.length--;
    return span;
}

/* --- The headers that matter for framing. --- */

static bool content_length(struct gate_head *head, struct span value)
{
    /* A list ("5, 5") is refused too: two parties may pick different members. */
    enum { DIGITS_MAX = 19 };
    if (head->has_length)
        return refuse(head, 400, "More than one Content-Length header");
    if (value.length == 0 || value.length > DIGITS_MAX)
        return refuse(head, 400, "Content-Length is not a number");
    for (size_t i = 0; i < value.length; i++) {
        if (!is_digit(value.text[i]))
            return refuse(head, 400, "Content-Length is not a number");
        head->length = head->length * 10 + (uint64_t)(value.text[i] - '0');
    }
    head->has_length = true;
    return true;
}

static bool transfer_encoding(struct gate_head *head, struct span value)
{
    if (head->minor == 0)
        return refuse(head, 400, "Transfer-Encoding is not known in HTTP/1.0");
    if (head->chunked || !span_is(value, "chunked"))
        return refuse(head, 400, "Transfer-Encoding must be chunked");
    head->chunked = true;
    return true;
}

static size_t port_length(struct span span)
{
    size_t digits = 0;
    while (digits < span.length && is_digit(span.text[span.length - 1 - digits]))
        digits++;
    bool colon = digits < span.length && span.text[span.length - 1 - digits] == ':';
    return colon && digits <= 5 ? digits + 1 : 0;
}

static bool is_host(struct span span)
{
    span.length -= port_length(span);
    const char *more = "-._~%";
    if (span.length > 2 && span.text[0] == '[' && span.text[span.length - 1] == ']') {
        span.text++;
        span.length -= 2;
        more = ":.";
    }
    for (size_t i = 0; i < span.length; i++)
        if (!is_letter_or_digit(span.text[i]) && !strchr(more, span.text[i]))
            return false;
    return span.length > 0;
}

static bool host(struct gate_head *head, struct span value)
{
    if (++head->hosts > 1)
        return refuse(head, 400, "More than one Host header");
    return is_host(value) || refuse(head, 400, "The Host header is not a host");
}

static bool expect(struct gate_head *head, struct span value)
{
    if (!span_is(value, "100-continue"))
        return refuse(head, 417, "Only 100-continue can be expected");
    head->expects_continue = head->minor == 1;
    return true;
}

static bool connection(struct gate_head *head, struct span value)
{
    while (value.length > 0) {
        const char *comma = memchr(value.text, ',', value.length);
        size_t length = comma ? (size_t)(comma - value.text) : value.length;
        if (span_is(trimmed((struct span){value.text, length}), "close"))
            head->close = true;
        size_t skip = comma ? length + 1 : length;
        value = (struct span){value.text + skip, value.length - skip};
    }
    return true;
}

static const struct special_header {
    const char *name;
    bool (*read)(struct gate_head *head, struct span value);
    bool kept;
} special_headers[] = {
    {"Content-Length", content_length, false},
    {"Transfer-Encoding", transfer_encoding, false},
    {"Host", host, true},
    {"Expect", expect, false},
    {"Connection", connection, false},
};

static const struct special_header *find_special(struct span name)
{
    for (size_t i = 0; i < sizeof special_headers / sizeof special_headers[0]; i++)
        if (span_is(name, special_headers[i].name))
            return &special_headers[i];
    return NULL;
}

/* --- Lines. --- */

static void emit_header(struct buf *out, struct span name, struct span value)
{
    buf_append(out, name.text, name.length);
    buf_append(out, ": ", 2);
    buf_append(out, value.text, value.length);
    buf_append(out, "\r\n", 2);
}

static bool header_line(struct gate_head *head, struct span line, struct buf *out)
{
    if (++head->headers > GATE_HEADERS_MAX)
        return refuse(head, 431, "Too many headers");
    const char *colon = memchr(line.text, ':', line.length);
    if (!colon)
        return refuse(head, 400, "A header line has no colon");
    struct span name = {line.text, (size_t)(colon - line.text)};
    /* Also finds folded lines (they begin with a space) and a space before the colon. */
    if (!is_token(name))
        return refuse(head, 400, "A header name is not a token");
    struct span value = trimmed((struct span){colon + 1, line.length - name.length - 1});
    const struct special_header *special = find_special(name);
    if (special && !special->read(head, value))
        return false;
    if (!special || special->kept)
        emit_header(out, name, value);
    return true;
}

static bool version(struct gate_head *head, const char *text)
{
    if (strncmp(text, "HTTP/", 5) != 0 || !is_digit(text[5]) || text[6] != '.' ||
        !is_digit(text[7]) || text[8] != '\0')
        return refuse(head, 400, "The request line is malformed");
    if (text[5] != '1' || text[7] > '1')
        return refuse(head, 505, "Only HTTP/1.1 and HTTP/1.0 are spoken here");
    head->minor = text[7] - '0';
    head->close = head->minor == 0;
    return true;
}

static bool target(struct gate_head *head, const char *text)
{
    size_t length = strlen(text);
    if (length > GATE_TARGET_MAX)
        return refuse(head, 414, "The request target is too long");
    if (text[0] != '/')
        return refuse(head, 400, "The request target must be a path");
    for (size_t i = 0; i < length; i++)
        if (text[i] <= ' ' || text[i] > '~' || text[i] == '#')
            return refuse(head, 400, "The request target holds a character that is not allowed");
    return true;
}

/* "METHOD target HTTP/1.x", parted by single spaces. */
static bool request_line(struct gate_head *head, char *line, struct buf *out)
{
    char *first = strchr(line, ' ');
    char *last = strrchr(line, ' ');
    if (!first || first == last)
        return refuse(head, 400, "The request line is malformed");
    *first = *last = '\0';
    head->method = line;
    head->target = first + 1;
    struct span method = {line, (size_t)(first - line)};
    if (!is_token(method) || method.length > GATE_METHOD_MAX)
        return refuse(head, 400, "The method is malformed");
    if (!version(head, last + 1) || !target(head, head->target))
        return false;
    buf_append(out, line, method.length);
    buf_char(out, ' ');
    buf_append(out, head->target, (size_t)(last - head->target));
    buf_text_append(out, head->minor == 1 ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n");
    return true;
}

static bool whole(struct gate_head *head, struct buf *out)
{
    if (head->minor == 1 && head->hosts == 0)
        return refuse(head, 400, "The Host header is missing");
    if (head->chunked && head->has_length)
        return refuse(head, 400, "Content-Length and Transfer-Encoding exclude each other");
    if (head->close)
        buf_text_append(out, "Connection: close\r\n");
    return true;
}

bool gate_head_parse(struct gate_head *head, char *text, struct buf *out)
{
    *head = (struct gate_head){0};
    char *end = text + strcspn(text, "\r");
    *end = '\0';
    if (!request_line(head, text, out))
        return false;
    for (const char *line = end + 2; line[0] != '\r';) {
        struct span span = {line, strcspn(line, "\r")};
        if (!header_line(head, span, out))
            return false;
        line += span.length + 2;
    }
    return whole(head, out);
}
