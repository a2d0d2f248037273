/* What the client of a fault point asks for. */
#include "kills_point_client.h"

#include <jansson.h>
#include <string.h>

#include "load_http.h"
#include "load_promises.h"

enum { BOOKINGS = 5, ANSWER_MS = 3000, HEARD_MS = 1000, LOOK_MS = 1, ID_ROOM = 48 };

struct talk {
    struct point_client *client;
    struct http_wire wire;
    char ids[BOOKINGS][ID_ROOM];
    size_t booked;
};

static const char slot_body[] =
    "{\"slots\":[{\"id\":\"s0\",\"start\":\"2099-01-01T10:00:00Z\",\"end\":\"2099-01-01T11:00:"
    "00Z\"},"
    "{\"id\":\"s1\",\"start\":\"2099-01-02T10:00:00Z\",\"end\":\"2099-01-02T11:00:00Z\"},"
    "{\"id\":\"s2\",\"start\":\"2099-01-03T10:00:00Z\",\"end\":\"2099-01-03T11:00:00Z\"},"
    "{\"id\":\"s3\",\"start\":\"2099-01-04T10:00:00Z\",\"end\":\"2099-01-04T11:00:00Z\"},"
    "{\"id\":\"s4\",\"start\":\"2099-01-05T10:00:00Z\",\"end\":\"2099-01-05T11:00:00Z\"},"
    "{\"id\":\"s5\",\"start\":\"2099-01-06T10:00:00Z\",\"end\":\"2099-01-06T11:00:00Z\"}]}";

/* 0 = no answer. */
static int ask(struct talk *talk, const struct http_ask *request, json_t **answer)
{
    int status = 0;
    const char *body = "";
    if (!http_wire_call(&talk->wire, request, ANSWER_MS, &status, &body))
        return 0;
    talk->client->unavailable += status == 503;
    talk->client->promised += status / 100 == 2 && strcmp(request->method, "GET") != 0;
    *answer = json_loads(body, 0, NULL);
    return status;
}

/* One booking; false = no answer at all. */
static bool book(struct talk *talk, int number, bool with_key, bool *booked)
{
    char slot[16];
    char user[16];
    char body[128];
    json_t *answer = NULL;
    (void)snprintf(slot, sizeof slot, "s%d", number);
    (void)snprintf(user, sizeof user, "u%d", number);
    (void)snprintf(body, sizeof body, "{\"slotId\":\"%s\",\"userId\":\"%s\"}", slot, user);
    const int status =
        ask(talk,
            &(struct http_ask){
                .method = "POST", .path = "/bookings", .key = with_key ? user : NULL, .body = body},
            &answer);
    *booked = status == 201;
    const char *id = json_string_value(json_object_get(answer, "id"));
    if (*booked && id) {
        promise_booked(talk->client->log, id, slot, user);
        if (talk->booked < BOOKINGS)
            (void)snprintf(talk->ids[talk->booked++], ID_ROOM, "%s", id);
    }
    json_decref(answer);
    return status != 0;
}

static bool make_slots(struct talk *talk)
{
    json_t *answer = NULL;
    const int status = ask(
        talk, &(struct http_ask){.method = "POST", .path = "/providers/p/slots", .body = slot_body},
        &answer);
    json_decref(answer);
    return status != 0;
}

/* Waits until GET `path` shows the booking with the status; not for ever: a fault may have cost a
 * redelivery. */
static bool shows(struct talk *talk, const char *path, const char *wanted)
{
    const int64_t until_ms = harness_now_ms() + HEARD_MS;
    bool reached = false;
    int status = -1;
    while (!reached && status != 0 && harness_now_ms() < until_ms) {
        json_t *answer = NULL;
        status = ask(talk, &(struct http_ask){.method = "GET", .path = path}, &answer);
        const char *shown = json_string_value(json_object_get(answer, "status"));
        reached = status == 200 && shown && strcmp(shown, wanted) == 0;
        json_decref(answer);
        if (!reached)
            harness_pause_ms(LOOK_MS);
    }
    return reached;
}

static bool decide(struct talk *talk, const char *id, const char *verb, const char *status)
{
    char inbox[128];
    char path[160];
    json_t *answer = NULL;
    (void)snprintf(inbox, sizeof inbox, "/providers/p/bookings/%s", id);
    (void)snprintf(path, sizeof path, "%s/%s", inbox, verb);
    (void)shows(talk, inbox, "pending");
    const int code = ask(talk, &(struct http_ask){.method = "POST", .path = path}, &answer);
    json_decref(answer);
    if (code == 200)
        promise_status(talk->client->log, "decision", id, status);
    return code != 0;
}

static void run(struct talk *talk)
{
    static const char *const verbs[][2] = {{"accept", "confirmed"}, {"reject", "rejected"}};
    char path[128];
    bool booked = false;
    if (!make_slots(talk))
        return;
    for (int i = 0; i < BOOKINGS; i++)
        if (!book(talk, i, i % 2 == 0, &booked))
            return;
    for (size_t i = 0; i < 2 && i < talk->booked; i++)
        if (!decide(talk, talk->ids[i], verbs[i][0], verbs[i][1]))
            return;
    for (size_t i = 0; i < 2 && i < talk->booked; i++) {
        (void)snprintf(path, sizeof path, "/bookings/%s", talk->ids[i]);
        (void)shows(talk, path, verbs[i][1]);
    }
}

void point_client_run(struct point_client *client)
{
    struct talk talk = {.client = client, .wire = {.path = client->socket, .fd = -1}};
    run(&talk);
    http_wire_release(&talk.wire);
    (void)fflush(client->log);
}

bool point_client_again(struct point_client *client)
{
    struct talk talk = {.client = client, .wire = {.path = client->socket, .fd = -1}};
    bool booked = false;
    const bool answered = make_slots(&talk) && book(&talk, BOOKINGS, false, &booked);
    http_wire_release(&talk.wire);
    (void)fflush(client->log);
    return answered && booked;
}
