/* The acts of the story. Knows what is asked; does not know what is refused meanwhile. */
#include "allocations_acts.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"

enum { REQUEST_SIZE = 4096, UUID_LENGTH = 36, TURNS = 12 };

#define KEY(key) "Idempotency-Key: " key "\r\n"
#define PROVIDER "/providers/salon"

const struct act acts[] = {
    {.kind = ACT_CONFIG},
    {.kind = ACT_OPEN},
    {.line = "PUT " PROVIDER, .body = "{\"name\":\"Salon Zo\\u00eb\"}"},
    {.line = "PUT /users/ann", .body = "{\"name\":\"Ann\",\"email\":\"ann@example.org\"}"},
    {.line = "POST " PROVIDER "/slots",
     .body = "{\"slots\":[{\"id\":\"s1\",\"start\":\"2026-03-01T10:00:00Z\",\"end\":"
             "\"2026-03-01T11:00:00Z\"},{\"id\":\"s2\",\"start\":\"2026-03-01T11:00:00Z\",\"end\":"
             "\"2026-03-01T12:00:00Z\"},{\"id\":\"s3\",\"start\":\"2026-03-01T12:00:00Z\",\"end\":"
             "\"2026-03-01T13:00:00Z\"}]}"},
    {.line = "POST /bookings",
     .headers = KEY("one"),
     .body = "{\"slotId\":\"s1\",\"userId\":\"ann\"}",
     .books = true},
    {.kind = ACT_TURN},
    {.line = "GET " PROVIDER "/bookings?status=pending"},
    {.line = "POST " PROVIDER "/bookings/@0/accept", .headers = KEY("two")},
    {.kind = ACT_TURN},
    {.line = "GET /bookings?userId=ann"},
    {.line = "GET /bookings/@0/history"},
    {.line = "GET " PROVIDER "/bookings/@0/history"},
    {.line = "POST /bookings",
     .headers = KEY("three"),
     .body = "{\"slotId\":\"s2\",\"userId\":\"ann\"}",
     .books = true},
    {.kind = ACT_TURN},
    {.line = "POST " PROVIDER "/decisions",
     .headers = KEY("four"),
     .body = "{\"reject\":[{\"id\":\"@1\",\"reason\":\"closed for repairs\"}]}"},
    {.kind = ACT_TURN},
    {.line = "GET /bookings/nobody", .headers = "Accept: application/problem+json\r\n"},
    {.line = "POST /bookings", .body = "{\"slotId\":\"s1\",\"userId\":"},
    {.line = "POST /bookings", .body = "{\"slotId\":\"s1\",\"userId\":\"bob\"}"},
    {.line = "POST /bookings/@0/cancel",
     .headers = KEY("five"),
     .body = "{\"reason\":\"I am ill\"}"},
    {.kind = ACT_TURN},
    {.line = "GET " PROVIDER "/slots?available=true"},
    {.line = "GET " PROVIDER "/bookings/@0"},
    {.line = "GET " PROVIDER "/events?after=0", .streams = true},
    {.line = "GET /pipeline"},
    {.kind = ACT_CLOSE},
};
const size_t acts_count = sizeof acts / sizeof *acts;

/* --- requests --- */

/* The text with ids for @0 to @3. */
static void fill_in(const char *text, const struct ids *ids, char *out, size_t size)
{
    size_t length = 0;
    for (; *text && length + ID_TEXT < size; text++) {
        if (*text == '@' && text[1] >= '0' && text[1] < '0' + STAGE_IDS) {
            text++;
            length += (size_t)snprintf(out + length, size - length, "%s", ids->all[*text - '0']);
        } else {
            out[length++] = *text;
        }
    }
    out[length] = '\0';
}

static void write_request(const struct act *act, const struct ids *ids, char *out)
{
    char line[REQUEST_SIZE / 4];
    char body[REQUEST_SIZE / 2];
    fill_in(act->line, ids, line, sizeof line);
    fill_in(act->body ? act->body : "", ids, body, sizeof body);
    (void)snprintf(out, REQUEST_SIZE, "%s HTTP/1.1\r\nHost: story\r\n%s", line,
                   act->headers ? act->headers : "");
    const size_t length = strlen(out);
    if (act->body) {
        (void)snprintf(out + length, REQUEST_SIZE - length,
                       "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                       strlen(body), body);
    } else {
        (void)snprintf(out + length, REQUEST_SIZE - length, "%s\r\n",
                       strncmp(line, "POST", 4) == 0 ? "Content-Length: 0\r\n" : "");
    }
}

/* --- answers --- */

static bool is_uuid(const char *text)
{
    for (size_t i = 0; i < UUID_LENGTH; i++) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !isxdigit((unsigned char)text[i]))
            return false;
    }
    return true;
}

void answer_mask(struct answer *answer)
{
    for (char *text = answer->text; *text; text++)
        if (is_uuid(text))
            memset(text, '#', UUID_LENGTH);
}

void act_learn(const struct act *act, const struct answer *answer, struct ids *ids)
{
    const char *id = strstr(answer->body, "\"id\":\"");
    if (act->books && id)
        (void)snprintf(ids->all[ids->count++], ID_TEXT, "%.36s", id + strlen("\"id\":\""));
}

/* --- doing --- */

static bool read_settings(struct stage *stage, struct error *error)
{
    char path[2 * STAGE_PATH];
    (void)snprintf(path, sizeof path, "%s/env", stage->folder);
    struct config *config AUTO(config_release) = config_read(path, error);
    struct settings settings = {.listen_fd = -1};
    const bool good = config && settings_read(config, ROLE_ALL, &settings, error);
    const bool right = good && settings.max_attempts == 5 && strcmp(settings.state_dir, "/x") == 0;
    settings_release(&settings);
    if (good && !right)
        return error_set(error, ERROR_DAMAGED, "the settings are not those of the file");
    return good;
}

static void ask(const struct act *act, struct stage *stage, const struct ids *ids,
                struct answer *answer)
{
    char request[REQUEST_SIZE];
    write_request(act, ids, request);
    stage_ask(stage, request, answer);
    if (act->streams && answer->status == 200)
        answer->body = "";
}

bool act_do(const struct act *act, struct stage *stage, const struct ids *ids,
            struct answer *answer, struct error *error)
{
    *answer = (struct answer){.body = ""};
    if (act->kind == ACT_CONFIG)
        return read_settings(stage, error);
    if (act->kind == ACT_OPEN)
        return stage_open(stage, error);
    if (act->kind == ACT_ASK)
        ask(act, stage, ids, answer);
    else if (act->kind == ACT_TURN)
        stage_turns(stage, TURNS);
    else
        stage_drain(stage);
    return true;
}
