/* What a client asks and what it makes of the answer. */
#include "load_client.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "booking.h"
#include "load_promises.h"

enum { SLOTS_AT_ONCE = 20, RECENT = 300, PROVIDERS = 4, AGAIN_ONE_IN = 8, DAY_S = 86400 };

struct action {
    bool of_intake;
    unsigned weight;
    const char *method;
    /* False: nothing to do it with. Fills path and body. */
    bool (*prepare)(struct load *load, struct load_client *client);
    void (*done)(struct load *load, struct load_client *client, const json_t *answer); /* 2xx */
    bool repeats; /* by nature: needs no key to be asked again */
};

/* xorshift64*: the same seed asks the same, as long as the answers are the same. */
unsigned load_draw(struct load *load, unsigned below)
{
    load->chance ^= load->chance >> 12;
    load->chance ^= load->chance << 25;
    load->chance ^= load->chance >> 27;
    return (unsigned)((load->chance * UINT64_C(0x2545F4914F6CDD1D)) >> 33) % below;
}

static const struct known *subject(const struct load *load, const struct load_client *client)
{
    return &load->known[client->subject];
}

/* --- Slots and bookings. --- */

static bool prepare_slots(struct load *load, struct load_client *client)
{
    (void)load;
    if (client->slots_made > client->slots_used)
        return false;
    (void)snprintf(client->path, sizeof client->path, "/providers/p%u/slots",
                   client->number % PROVIDERS);
    buf_text_append(&client->body, "{\"slots\":[");
    for (unsigned i = 0; i < SLOTS_AT_ONCE; i++)
        buf_printf(&client->body,
                   "%s{\"id\":\"s%u-%u\",\"start\":\"2099-01-01T10:00:00Z\","
                   "\"end\":\"2099-01-01T10:30:00Z\"}",
                   i ? "," : "", client->number, client->slots_made + i);
    buf_text_append(&client->body, "]}");
    return true;
}

static void slots_made(struct load *load, struct load_client *client, const json_t *answer)
{
    (void)load;
    (void)answer;
    client->slots_made += SLOTS_AT_ONCE;
}

static bool prepare_booking(struct load *load, struct load_client *client)
{
    const bool taken = load->known_count > 0 && load_draw(load, 8) == 0;
    if (!taken && client->slots_used == client->slots_made)
        return false;
    if (taken)
        (void)snprintf(client->slot, sizeof client->slot, "%s",
                       load->known[load_draw(load, (unsigned)load->known_count)].slot);
    else
        (void)snprintf(client->slot, sizeof client->slot, "s%u-%u", client->number,
                       client->slots_used++);
    (void)snprintf(client->user, sizeof client->user, "u%u-%u", client->number, client->users++);
    (void)snprintf(client->path, sizeof client->path, "/bookings");
    buf_printf(&client->body, "{\"slotId\":\"%s\",\"userId\":\"%s\"}", client->slot, client->user);
    return true;
}

static struct known *add_known(struct load *load)
{
    if (load->known_count == load->known_room) {
        load->known_room = load->known_room ? load->known_room * 2 : 1024;
        load->known = memory_resize(load->known, load->known_room, sizeof *load->known);
    }
    load->known[load->known_count] = (struct known){0};
    return &load->known[load->known_count++];
}

static void booked(struct load *load, struct load_client *client, const json_t *answer)
{
    const char *id = json_string_value(json_object_get(answer, "id"));
    const char *provider = json_string_value(json_object_get(answer, "providerId"));
    if (!id || !provider || *provider != 'p')
        promise_broken(load->log, "a 201 without id for %s", client->user);
    else if (*client->first_id && strcmp(client->first_id, id) != 0)
        promise_broken(load->log, "key %s was answered with %s, then with %s", client->key,
                       client->first_id, id);
    if (!id || !provider || *client->first_id)
        return;
    struct known *known = add_known(load);
    (void)snprintf(known->id, sizeof known->id, "%s", id);
    (void)snprintf(known->slot, sizeof known->slot, "%s", client->slot);
    (void)snprintf(client->first_id, sizeof client->first_id, "%s", id);
    known->provider = (unsigned)strtoul(provider + 1, NULL, 10);
    promise_booked(load->log, id, client->slot, client->user);
}

/* --- What becomes of a booking. --- */

/* A recent one, mostly: old ones have found their end. */
static bool pick_known(struct load *load, struct load_client *client)
{
    if (load->known_count == 0)
        return false;
    const size_t window = load->known_count < RECENT ? load->known_count : RECENT;
    client->subject = load_draw(load, 8) == 0
                          ? load_draw(load, (unsigned)load->known_count)
                          : load->known_count - 1 - load_draw(load, (unsigned)window);
    client->before = *subject(load, client);
    return true;
}

static bool prepare_known(struct load *load, struct load_client *client, const char *verb)
{
    if (!pick_known(load, client))
        return false;
    const struct known *known = subject(load, client);
    if (client->of_intake)
        (void)snprintf(client->path, sizeof client->path, "/bookings/%s%s", known->id, verb);
    else
        (void)snprintf(client->path, sizeof client->path, "/providers/p%u/bookings/%s%s",
                       known->provider, known->id, verb);
    return true;
}

static bool prepare_cancel(struct load *load, struct load_client *client)
{
    return prepare_known(load, client, "/cancel");
}

static bool prepare_accept(struct load *load, struct load_client *client)
{
    return prepare_known(load, client, "/accept");
}

static bool prepare_reject(struct load *load, struct load_client *client)
{
    buf_text_append(&client->body, "{\"reason\":\"no time\"}");
    return prepare_known(load, client, "/reject");
}

static bool prepare_show(struct load *load, struct load_client *client)
{
    return prepare_known(load, client, "");
}

static void promised(struct load *load, const struct load_client *client, const char *status)
{
    const struct known *known = subject(load, client);
    promise_status(load->log, client->of_intake ? "intake" : "decision", known->id, status);
    if (known->accepted && known->rejected)
        promise_broken(load->log, "%s was both accepted and rejected", known->id);
}

static void cancelled(struct load *load, struct load_client *client, const json_t *answer)
{
    (void)answer;
    load->known[client->subject].cancelled = true;
    promised(load, client, "cancelled");
}

static void accepted(struct load *load, struct load_client *client, const json_t *answer)
{
    (void)answer;
    load->known[client->subject].accepted = true;
    promised(load, client, "confirmed");
}

static void rejected(struct load *load, struct load_client *client, const json_t *answer)
{
    (void)answer;
    load->known[client->subject].rejected = true;
    promised(load, client, "rejected");
}

static void withdrawn(struct load *load, struct load_client *client, const json_t *answer)
{
    (void)answer;
    load->known[client->subject].withdrawn = true;
    promised(load, client, "cancelled");
}

static bool is_below(const struct load_client *client, enum booking_status status)
{
    const struct known *before = &client->before;
    const bool gone = client->of_intake ? before->cancelled : before->withdrawn;
    const bool decided = !client->of_intake && (before->accepted || before->rejected);
    return (gone && status != BOOKING_CANCELLED) || (decided && status == BOOKING_PENDING);
}

static bool is_beside(const struct known *before, enum booking_status status)
{
    return (before->rejected && status == BOOKING_CONFIRMED) ||
           (before->accepted && status == BOOKING_REJECTED);
}

/* Nothing below what had been promised before it was asked for. */
static void shown(struct load *load, struct load_client *client, const json_t *answer)
{
    const char *name = json_string_value(json_object_get(answer, "status"));
    enum booking_status status = BOOKING_PENDING;
    if (!name || !booking_status_parse(name, &status))
        promise_broken(load->log, "%s is shown without a status", client->before.id);
    else if (is_below(client, status) || is_beside(&client->before, status))
        promise_broken(load->log, "%s is shown as %s, below what was answered", client->before.id,
                       name);
}

/* --- Asking. --- */

static const struct action actions[] = {
    {true, 0, "POST", prepare_slots, slots_made, true},
    {true, 8, "POST", prepare_booking, booked, false},
    {true, 1, "POST", prepare_cancel, cancelled, false},
    {true, 2, "GET", prepare_show, shown, true},
    {false, 6, "POST", prepare_accept, accepted, false},
    {false, 3, "POST", prepare_reject, rejected, false},
    {false, 1, "POST", prepare_cancel, withdrawn, false},
    {false, 2, "GET", prepare_show, shown, true},
};
enum { ACTIONS = sizeof actions / sizeof *actions };

static const struct action *draw_action(struct load *load, bool of_intake)
{
    unsigned total = 0;
    for (size_t i = 0; i < ACTIONS; i++)
        total += actions[i].of_intake == of_intake ? actions[i].weight : 0;
    unsigned drawn = load_draw(load, total);
    for (size_t i = 0; i < ACTIONS; i++) {
        if (actions[i].of_intake != of_intake)
            continue;
        if (drawn < actions[i].weight)
            return &actions[i];
        drawn -= actions[i].weight;
    }
    return NULL;
}

static void ask(struct load_client *client)
{
    const struct http_ask request = {.method = client->action->method,
                                     .path = client->path,
                                     .key = *client->key ? client->key : NULL,
                                     .body = client->body.length ? buf_text(&client->body) : NULL};
    http_wire_ask(&client->wire, &request);
}

static void begin(struct load *load, struct load_client *client)
{
    const struct action *action = draw_action(load, client->of_intake);
    buf_clear(&client->body);
    *client->key = *client->first_id = '\0';
    if (client->of_intake && prepare_slots(load, client))
        action = &actions[0];
    else if (!action || !action->prepare(load, client))
        return;
    client->action = action;
    if (!action->repeats && load_draw(load, 2) == 0)
        (void)snprintf(client->key, sizeof client->key, "k%u-%d-%lld", client->number,
                       client->of_intake, (long long)load->requests);
    load->requests++;
    ask(client);
}

static void end(struct load *load, struct load_client *client)
{
    client->action = NULL;
    client->next_ms = harness_now_ms() + load_draw(load, (unsigned)load->think_ms + 1);
}

/* What was promised is there, whatever the worker went through. */
static void check_missing(struct load *load, const struct load_client *client)
{
    const struct known *before = &client->before;
    const bool about_one = strstr(client->path, before->id) && *before->id;
    if (about_one && (client->of_intake || before->accepted || before->rejected))
        promise_broken(load->log, "%s is answered 404", before->id);
    if (client->action->done == booked)
        promise_broken(load->log, "slot %s was made, and is answered 404", client->slot);
}

static void answered(struct load *load, struct load_client *client, int status, const char *body)
{
    json_t *answer = json_loads(body, 0, NULL);
    bool again = false;
    if (status / 100 == 2) {
        load->promised += !client->action->repeats;
        client->action->done(load, client, answer);
        again = *client->key && load_draw(load, AGAIN_ONE_IN) == 0;
    } else {
        load->refused += status != 503;
        load->unavailable += status == 503;
    }
    if (status == 404)
        check_missing(load, client);
    if (*client->first_id && status / 100 != 2 && status != 503)
        promise_broken(load->log, "key %s was answered 201, then %d", client->key, status);
    json_decref(answer);
    load->repeated += again;
    if (again)
        ask(client);
    else
        end(load, client);
}

/* A request that never left is kept, like one that may be repeated. */
static void unanswered(struct load *load, struct load_client *client, bool sent)
{
    const bool same = !sent || client->action->repeats || *client->key;
    load->unanswered += sent;
    load->repeated += sent && same;
    if (same)
        ask(client);
    else
        client->action = NULL;
}

void load_client_step(struct load *load, struct load_client *client)
{
    const bool connected = client->wire.fd >= 0;
    int status = 0;
    const char *body = NULL;
    if (!client->action && harness_now_ms() >= client->next_ms)
        begin(load, client);
    if (!client->action)
        return;
    switch (http_wire_step(&client->wire, &status, &body)) {
    case HTTP_WIRE_ANSWERED:
        answered(load, client, status, body);
        break;
    case HTTP_WIRE_BROKEN:
        unanswered(load, client, connected);
        break;
    case HTTP_WIRE_WAITS:
        break;
    }
}
