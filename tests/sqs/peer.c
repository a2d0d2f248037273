/* Asks the peer's control address. Must not know what is tested. */
#include "peer.h"

#include <stdio.h>
#include <stdlib.h>

#include "buf.h"

static void give_up(const char *what, const char *why)
{
    (void)fprintf(stderr, "the SQS peer: %s: %s\n", what, why);
    abort();
}

json_t *peer_ask(struct peer *peer, const char *path, json_t *body)
{
    struct client_answer answer = {0};
    struct error error = {0};
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    const struct client_call call = {.method = text ? "POST" : "GET", .path = path, .body = text};
    if (!client_send(peer->control, &call, &answer, &error))
        give_up(path, error.text);
    if (answer.status != 200)
        give_up(path, buf_text(&answer.body));
    json_t *object = json_loads(buf_text(&answer.body), JSON_DECODE_ANY, NULL);
    client_answer_release(&answer);
    json_decref(body);
    free(text);
    return object;
}

static void set(const char *name, const char *value)
{
    (void)setenv(name, value, 1);
}

void peer_open(struct peer *peer, const char *name)
{
    const char *control = getenv("BOOKFLOW_TEST_SQS");
    struct error error = {0};
    *peer = (struct peer){0};
    (void)snprintf(peer->name, sizeof peer->name, "%s", name);
    peer->control = client_new(
        &(struct client_options){.url = control ? control : "", .timeout_ms = 60000}, &error);
    if (!peer->control)
        give_up("BOOKFLOW_TEST_SQS", error.text);
    json_t *made = peer_ask(peer, "/listener", json_pack("{s:s}", "name", name));
    (void)snprintf(peer->url, sizeof peer->url, "%s",
                   json_string_value(json_object_get(made, "url")));
    json_decref(made);
    set("AWS_ENDPOINT_URL_SQS", peer->url);
    set("AWS_REGION", "us-east-1");
    set("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE");
    set("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
}

void peer_close(struct peer *peer)
{
    client_release(&peer->control);
}

static json_t *queue_name(const struct peer *peer, const char *queue)
{
    return json_sprintf("%s-%s", peer->name, queue);
}

void peer_add_queue(struct peer *peer, const char *queue, int max_receives)
{
    json_decref(peer_ask(
        peer, "/queue",
        json_pack("{s:o,s:i}", "name", queue_name(peer, queue), "maxReceives", max_receives)));
}

void peer_queue_url(const struct peer *peer, const char *queue, char *out, size_t size)
{
    (void)snprintf(out, size, "%s/000000000000/%s-%s", peer->url, peer->name, queue);
}

size_t peer_depth(struct peer *peer, const char *queue)
{
    json_t *answer = peer_ask(peer, "/depth", json_pack("{s:o}", "queue", queue_name(peer, queue)));
    const json_int_t depth = json_integer_value(json_object_get(answer, "depth"));
    json_decref(answer);
    return (size_t)depth;
}
