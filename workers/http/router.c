/* Routes: a table of patterns, and paths cut at their slashes. No normalisation: "..", empty
 * segments and a slash at the end have no meaning here, and %2F is a letter of its segment. Knows
 * nothing of the library or of replies. */
#include <assert.h>
#include <string.h>

#include "gate_head.h"
#include "ids.h"
#include "server_private.h"

static const char *const method_names[HTTP_METHODS] = {
    [HTTP_GET] = "GET",
    [HTTP_POST] = "POST",
    [HTTP_PUT] = "PUT",
    [HTTP_DELETE] = "DELETE",
};

enum http_method method_of(const char *name, bool *head)
{
    *head = strcmp(name, "HEAD") == 0;
    if (*head)
        return HTTP_GET;
    enum http_method method = HTTP_GET;
    while (method < HTTP_METHODS && strcmp(method_names[method], name) != 0)
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

bool percent_decode(char *text, bool plus)
{
    char *out = text;
    for (const char *in = text; *in; in++) {
        char c = *in;
        if (plus && c == '+')
            c = ' ';
        if (c == '%') {
            const int high = gate_hex_digit(in[1]);
            const int low = high < 0 ? -1 : gate_hex_digit(in[2]);
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

/* Somebody has thought of who may call it; and a provider, who sees only what is his own, is let in
 * only where the path says whose it is, or where nothing is anybody's. */
static bool has_access(const struct http_route *route)
{
    static const char own[] = "/providers/{id}";
    return route->access != 0 &&
           (!(route->access & HTTP_PROVIDER) || !strchr(route->pattern, '{') ||
            strncmp(route->pattern, own, sizeof own - 1) == 0);
}

void router_add(struct router *router, const struct http_route routes[], void *context)
{
    for (const struct http_route *route = routes; route->pattern; route++) {
        assert(router->count < ROUTES_MAX && has_access(route));
        router->entries[router->count++] = (struct router_entry){route, context};
    }
}

static bool segment_matches(const char *pattern, size_t length, const char *segment)
{
    const size_t segment_length = strlen(segment);
    if (pattern[0] == '{')
        return id_valid(segment, segment_length);
    return segment_length == length && memcmp(pattern, segment, length) == 0;
}

static bool path_matches(const struct path *path, const char *pattern)
{
    for (size_t i = 0; i < path->count; i++) {
        if (*pattern++ != '/')
            return false;
        const size_t length = strcspn(pattern, "/");
        if (!segment_matches(pattern, length, path->segments[i]))
            return false;
        pattern += length;
    }
    return *pattern == '\0' && path->count > 0;
}

const char *path_parameter(const struct path *path, const char *pattern, size_t index)
{
    for (size_t i = 0; i < path->count; i++) {
        pattern++; /* its slash */
        if (*pattern == '{' && index-- == 0)
            return path->segments[i];
        pattern += strcspn(pattern, "/");
    }
    return NULL;
}

struct route_match router_match(const struct router *router, const struct path *path,
                                enum http_method method)
{
    struct route_match match = {.entry = NULL};
    for (size_t i = 0; i < router->count; i++) {
        const struct router_entry *entry = &router->entries[i];
        if (!path_matches(path, entry->route->pattern))
            continue;
        match.methods |= 1U << entry->route->method;
        if (!match.entry && entry->route->method == method)
            match.entry = entry;
    }
    return match;
}
