/* Routes: a table of patterns, and paths cut at their slashes. No normalisation: "..", empty
 * segments and a slash at the end have no meaning here, and %2F is a letter of its segment. Knows
 * nothing of the library or of replies. */
#include <assert.h>
#include <string.h>

#include "ids.h"
#include "server_private.h"

static const char *const method_names[HTTP_METHODS] = {
    [HTTP_GET] = "GET",
    [HTTP_POST] = "POST",
    [HTTP_PUT] = "PUT",
    [HTTP_DELETE] = "DELETE",
};

enum http_method method_of(const char *name, size_t length, bool *head)
{
    *head = length == 4 && memcmp(name, "HEAD", 4) == 0;
    if (*head)
        return HTTP_GET;
    enum http_method method = HTTP_GET;
    while (method < HTTP_METHODS && (strlen(method_names[method]) != length ||
                                     memcmp(method_names[method], name, length) != 0))
        method++;
    return method;
}

void methods_print(unsigned methods, struct buf *out)
{
    for (enum http_method method = HTTP_GET; method < HTTP_METHODS; method++) {
        if (methods & (1U << method))
            buf_printf(out, "%s%s", out->length > 0 ? ", " : "", method_names[method]);
        if (method == HTTP_GET && out->length > 0)
            buf_text_append(out, ", HEAD");
    }
}

/* --- Paths. --- */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool percent_decode(char *text, bool plus)
{
    char *out = text;
    for (const char *in = text; *in; in++) {
        char c = plus && *in == '+' ? ' ' : *in;
        if (c == '%') {
            const int high = hex_value(in[1]);
            const int low = high < 0 ? -1 : hex_value(in[2]);
            if (low < 0 || high + low == 0)
                return false;
            c = (char)(high * 16 + low);
            in += 2;
        }
        *out++ = c;
    }
    *out = '\0';
    return true;
}

bool path_split(struct path *path, const char *target, char *storage)
{
    const size_t length = strcspn(target, "?");
    memcpy(storage, target, length);
    storage[length] = '\0';
    path->count = 0;
    char *next = storage;
    while (next) {
        if (path->count == PATH_SEGMENTS_MAX)
            return false;
        char *segment = next + 1; /* behind its slash */
        next = strchr(segment, '/');
        if (next)
            *next = '\0';
        if (!percent_decode(segment, false))
            return false;
        path->segments[path->count++] = segment;
    }
    return true;
}

/* --- Routes. --- */

static void add_segments(struct router_entry *entry, const char *pattern)
{
    while (*pattern == '/') {
        pattern++;
        const size_t length = strcspn(pattern, "/");
        assert(entry->segments_count < PATH_SEGMENTS_MAX);
        entry->segments[entry->segments_count++] = (struct route_segment){
            .text = pattern,
            .length = length,
            .parameter = pattern[0] == '{',
        };
        pattern += length;
    }
}

void router_add(struct router *router, const struct http_route routes[], void *context)
{
    for (const struct http_route *route = routes; route->pattern; route++) {
        assert(router->count < ROUTES_MAX);
        struct router_entry *entry = &router->entries[router->count++];
        *entry = (struct router_entry){.route = route, .context = context};
        add_segments(entry, route->pattern);
    }
}

static bool segment_matches(const struct route_segment *segment, const char *text)
{
    const size_t length = strlen(text);
    if (segment->parameter)
        return id_valid(text, length);
    return length == segment->length && memcmp(segment->text, text, length) == 0;
}

static bool entry_matches(const struct router_entry *entry, const struct path *path)
{
    if (entry->segments_count != path->count)
        return false;
    size_t i = 0;
    while (i < path->count && segment_matches(&entry->segments[i], path->segments[i]))
        i++;
    return i == path->count;
}

struct route_match router_match(const struct router *router, const struct path *path,
                                enum http_method method)
{
    struct route_match match = {.entry = NULL};
    for (size_t i = 0; i < router->count; i++) {
        const struct router_entry *entry = &router->entries[i];
        if (!entry_matches(entry, path))
            continue;
        match.methods |= 1U << entry->route->method;
        if (!match.entry && entry->route->method == method)
            match.entry = entry;
    }
    return match;
}
