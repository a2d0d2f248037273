/* Who is let in: the bearer token or the address of a client, how much it asks for, and whether
 * the route is for it. The routes say who may call them; no handler asks again. */
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "server_private.h"
#include "world.h"

/* --- Who. --- */

/* Networks, not hosts, are given IPv6 addresses: whoever has one has 2^64. */
static void mask_host(struct client_key *key)
{
    static const unsigned char mapped[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (memcmp(key->bytes, mapped, sizeof mapped) != 0)
        memset(key->bytes + 8, 0, 8);
}

static void map_ip4(struct client_key *key, const struct in_addr *address)
{
    *key = (struct client_key){.kind = CLIENT_ADDRESS, .bytes = {[10] = 0xff, [11] = 0xff}};
    memcpy(key->bytes + 12, address, sizeof *address);
}

struct client_key client_key_of(const struct address *address)
{
    struct client_key key = {.kind = CLIENT_SOCKET};
    if (address->socket.any.sa_family == AF_INET)
        map_ip4(&key, &address->socket.ip4.sin_addr);
    if (address->socket.any.sa_family == AF_INET6) {
        key.kind = CLIENT_ADDRESS;
        memcpy(key.bytes, &address->socket.ip6.sin6_addr, sizeof key.bytes);
        mask_host(&key);
    }
    return key;
}

static bool parse_key(const char *text, struct client_key *key)
{
    struct in_addr ip4;
    struct in6_addr ip6;
    if (inet_pton(AF_INET, text, &ip4) == 1) {
        map_ip4(key, &ip4);
        return true;
    }
    if (inet_pton(AF_INET6, text, &ip6) != 1)
        return false;
    key->kind = CLIENT_ADDRESS;
    memcpy(key->bytes, &ip6, sizeof key->bytes);
    mask_host(key);
    return true;
}

/* A proxy appends whom it was called by, so only the last address of the last header is its word;
 * what stands before came from the client and may be anything. */
bool forwarded_key(const char *headers, struct client_key *key)
{
    const char *value = NULL;
    char text[INET6_ADDRSTRLEN];
    for (const char *next = headers; (next = header_find(next, "X-Forwarded-For"));)
        value = next;
    if (!value)
        return false;
    const char *last = strrchr(value, ',');
    last = last ? last + 1 : value;
    last += strspn(last, " \t");
    const size_t length = strcspn(last, " \t\r");
    if (length >= sizeof text)
        return false;
    memcpy(text, last, length);
    text[length] = '\0';
    return parse_key(text, key);
}

static bool presented_token(const char *headers, char out[TOKEN_TEXT_SIZE], struct error *error)
{
    const char *value = header_find(headers, "Authorization");
    if (!value)
        return error_set(error, ERROR_UNAUTHORISED, "A bearer token is required");
    return (!header_find(value, "Authorization") && tokens_bearer(value, out)) ||
           error_set(error, ERROR_UNAUTHORISED, "The bearer token is not valid");
}

static const struct token *token_of(const struct http_server *server, const char *headers,
                                    struct error *error)
{
    char presented[TOKEN_TEXT_SIZE];
    if (!presented_token(headers, presented, error))
        return NULL;
    tokens_refresh(server->admission.tokens);
    const struct token *token = tokens_check(server->admission.tokens, presented,
                                             world_wall_ms(world_real()) / 1000, error);
    explicit_bzero(presented, sizeof presented);
    return token;
}

static bool identify(struct http_request *request, struct error *error)
{
    const struct token *token = token_of(request->server, request->headers, error);
    request->known = token != NULL;
    if (token)
        request->token = *token; /* the list may be read anew before the answer */
    return request->known;
}

/* --- How much. --- */

static struct client_key asker(const struct http_request *request)
{
    struct client_key key = connection_client(request->connection);
    if (request->known) {
        key.kind = CLIENT_TOKEN;
        memcpy(key.bytes, request->token.id, sizeof key.bytes);
    } else if (request->server->admission.behind_proxy) {
        (void)forwarded_key(request->headers, &key);
    }
    return key;
}

/* A connection holds the seat of its address already. */
static bool take_seat(struct http_request *request, const struct client_key *key, int64_t now_ms)
{
    const struct client_key address = connection_client(request->connection);
    if (client_key_equal(key, &address))
        return true;
    struct seat *seat = clients_sit(request->server->clients, key, now_ms);
    connection_seat(request->connection, seat);
    return seat != NULL;
}

static bool is_within_limits(struct http_request *request, struct error *error)
{
    if (!request->server->clients)
        return true;
    const struct client_key key = asker(request);
    const int64_t now_ms = world_ticks_ms(world_real());
    if (!clients_ask(request->server->clients, &key, now_ms))
        return error_set(error, ERROR_BUSY, "Too many requests; try again in a second");
    return take_seat(request, &key, now_ms) ||
           error_set(error, ERROR_UNAVAILABLE, "Too many requests at a time; try again");
}

/* --- Whether. --- */

/* Through no proxy, which would stand on this machine for somebody else: each of them says so. */
static bool is_local(const struct http_request *request)
{
    static const char *const marks[] = {"X-Forwarded-For", "Forwarded", "Via"};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (header_find(request->headers, marks[i]))
            return false;
    return connection_is_local(request->connection);
}

static bool is_open(const struct http_request *request)
{
    const unsigned access = request->route->access;
    return (access & HTTP_OPEN) || ((access & HTTP_LOCAL) && is_local(request));
}

static bool is_own(const struct http_request *request)
{
    const char *id = http_request_parameter(request, 0);
    return !*id || strcmp(id, request->token.provider_id) == 0;
}

static bool role_may(const struct http_request *request, struct error *error)
{
    static const unsigned bits[TOKEN_ROLES] = {
        [TOKEN_ADMIN] = HTTP_ADMIN, [TOKEN_BOOKER] = HTTP_BOOKER, [TOKEN_PROVIDER] = HTTP_PROVIDER};
    const struct http_route *route = request->route;
    const enum token_role role = request->token.role;
    if (role == TOKEN_ADMIN)
        return true;
    if (!(route->access & bits[role]))
        return error_set(error, ERROR_FORBIDDEN, "This needs another token than one of a %s",
                         token_role_name(role));
    if (role != TOKEN_PROVIDER || is_own(request))
        return true;
    if (route->absent)
        return error_set(error, ERROR_NOT_FOUND, "%s", route->absent);
    return error_set(error, ERROR_FORBIDDEN, "This token is for another provider");
}

bool admission_admit(struct http_request *request)
{
    struct error stranger = {0};
    struct error error = {0};
    const bool asks_who = request->server->admission.tokens != NULL;
    if (asks_who)
        (void)!identify(request, &stranger);
    if (is_within_limits(request, &error)) {
        if (!asks_who || !request->route || is_open(request))
            return true;
        if (!request->known)
            error = stranger;
        else if (role_may(request, &error))
            return true;
    }
    http_reply_error(request, &error, NULL);
    return false;
}

/* A stranger cannot make us collect more than a small body. */
struct gate_limit admission_body_limit(const struct http_server *server,
                                       const struct http_route *route, const char *head)
{
    struct gate_limit limit = {.bytes = HTTP_BODY_MAX, .larger = {413, "The body is too large"}};
    struct error stranger = {0};
    if (!route || !route->bulk)
        return limit;
    if (server->admission.tokens && !token_of(server, head, &stranger)) {
        limit.larger = (struct gate_refusal){401, "A bearer token is required"};
        return limit;
    }
    limit.bytes = HTTP_BULK_BODY_MAX;
    return limit;
}

/* --- Public. --- */

void http_server_admission(struct http_server *server, const struct http_admission *admission)
{
    server->admission = *admission;
    if (!server->clients && (admission->requests > 0 || admission->connections > 0))
        server->clients = clients_new();
    if (server->clients)
        clients_limit(server->clients, admission->requests, admission->connections);
}

void http_server_recheck(struct http_server *server)
{
    const int64_t now_s = world_wall_ms(world_real()) / 1000;
    struct http_stream *next = NULL;
    if (!server->admission.tokens)
        return;
    tokens_refresh(server->admission.tokens);
    for (struct http_stream *stream = LIST_FIRST(&server->streams); stream; stream = next) {
        next = LIST_NEXT(stream, link);
        if (stream->known && !tokens_still(server->admission.tokens, &stream->token, now_s))
            stream_end(stream);
    }
}

const struct token *http_request_token(const struct http_request *request)
{
    return request->known ? &request->token : NULL;
}
