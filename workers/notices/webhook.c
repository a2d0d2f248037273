/* Webhooks: a letter as a signed POST, by Standard Webhooks 1.0. */
#include "webhook.h"

#include <assert.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "channels.h"
#include "exchange.h"
#include "json_fields.h"
#include "timestamp.h"

enum {
    TIMEOUT_MS = 20 * 1000,
    CONNECT_TIMEOUT_MS = 10 * 1000,
    ANSWER_MAX = 1024 * 1024, /* nobody reads it */
    WAIT_MAX_S = 24 * 60 * 60,
    HMAC_SIZE = 32,
    HMAC_TEXT_SIZE = 4 * ((HMAC_SIZE + 2) / 3) + 1,
    NUMBER_SIZE = 24
};

struct webhook {
    struct channel channel; /* first: what the notifier holds */
    struct channel_host host;
};

struct send {
    struct exchange *exchange;
    struct send_caller caller;
    char reason[64];
};

/* --- what it says --- */

static json_t *payload(const struct letter *letter)
{
    static const char *const types[BOOKING_STATUSES] = {
        [BOOKING_PENDING] = "booking.created",
        [BOOKING_CONFIRMED] = "booking.confirmed",
        [BOOKING_REJECTED] = "booking.rejected",
        [BOOKING_CANCELLED] = "booking.cancelled",
    };
    const struct booking *booking = &letter->booking;
    json_t *data =
        json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:o,s:s,s:o}", "bookingId", booking->id,
                  "status", booking_status_name(letter->notice.status), "userId", booking->user_id,
                  "userName", letter->user.name, "providerId", booking->provider_id, "providerName",
                  letter->provider.name, "slotId", booking->slot_id, "start",
                  json_timestamp(booking->start_s), "end", json_timestamp(booking->end_s), "by",
                  letter->notice.actor, "reason", json_text_or_null(letter->notice.reason));
    return json_pack("{s:s,s:o,s:o}", "type", types[letter->notice.status], "timestamp",
                     json_timestamp(letter->notice.created_ms / 1000), "data", data);
}

void webhook_payload(const struct letter *letter, struct buf *out)
{
    json_t *object AUTO(json_release) = payload(letter);
    json_append(out, object);
}

void webhook_sign(const struct webhook_message *message,
                  const struct webhook_key keys[static WEBHOOK_KEYS], struct buf *out)
{
    struct buf text AUTO(buf_release) = {0};
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned char base64[HMAC_TEXT_SIZE];
    unsigned length = 0;
    buf_printf(&text, "%s.%" PRId64 ".%s", message->id, message->time_s, message->body);
    for (size_t i = 0; i < WEBHOOK_KEYS && keys[i].length > 0; i++) {
        const void *made = HMAC(EVP_sha256(), keys[i].bytes, (int)keys[i].length,
                                (const unsigned char *)text.data, text.length, digest, &length);
        assert(made && length == HMAC_SIZE); /* fails only for lack of memory */
        (void)EVP_EncodeBlock(base64, digest, HMAC_SIZE);
        buf_printf(out, "%sv1,%s", i > 0 ? " " : "", (const char *)base64);
    }
}

/* --- sending --- */

/* Retry-After in seconds; a date is left to our own schedule. */
static int64_t asked_wait_ms(const struct exchange_answer *answer)
{
    const char *text = exchange_header_of(answer, "Retry-After");
    char *end = NULL;
    const long seconds = text ? strtol(text, &end, 10) : 0;
    return text && !*end && seconds > 0 && seconds <= WAIT_MAX_S ? seconds * 1000 : 0;
}

static struct send_answer judge(struct send *send, const struct exchange_answer *answer)
{
    static const int busy[] = {429, 502, 503, 504};
    struct send_answer told = {.outcome = SEND_UNTAKEN, .reason = send->reason};
    (void)snprintf(send->reason, sizeof send->reason, "the receiver answered %d", answer->status);
    for (size_t i = 0; i < sizeof busy / sizeof *busy; i++)
        told.down = told.down || answer->status == busy[i];
    told.wait_ms = asked_wait_ms(answer);
    if (answer->status >= 200 && answer->status <= 299)
        told.outcome = SEND_TAKEN;
    else if (answer->status == 410)
        told.outcome = SEND_GONE;
    return told;
}

static void exchange_done(void *context, const struct exchange_answer *answer,
                          const struct error *failure)
{
    struct send *send AUTO(memory_release) = context;
    struct send_answer told = {.outcome = SEND_DOUBTFUL, .down = true};
    if (answer)
        told = judge(send, answer);
    else
        told.reason = failure->text;
    send->caller.done(send->caller.context, &told);
}

static struct send *webhook_send(struct channel *self, const struct letter *letter,
                                 const struct send_caller *caller, struct error *error)
{
    const struct webhook *webhook = (const struct webhook *)self; /* its first member */
    const struct notice_settings *settings = webhook->host.settings;
    const struct world *world = account_world(webhook->host.account);
    struct buf body AUTO(buf_release) = {0};
    struct buf signature AUTO(buf_release) = {0};
    char time[NUMBER_SIZE];
    (void)error;
    webhook_payload(letter, &body);
    const struct webhook_message message = {letter->notice.id, world_wall_ms(world) / 1000,
                                            buf_text(&body)};
    (void)snprintf(time, sizeof time, "%" PRId64, message.time_s);
    webhook_sign(&message, settings->webhook_keys, &signature);
    const struct exchange_header headers[] = {{"Content-Type", "application/json"},
                                              {"webhook-id", message.id},
                                              {"webhook-timestamp", time},
                                              {"webhook-signature", buf_text(&signature)},
                                              {NULL, NULL}};
    struct send *send = memory_new(1, sizeof *send);
    send->caller = *caller;
    send->exchange = exchange_begin(account_exchanges(webhook->host.account),
                                    &(struct exchange_request){
                                        .method = "POST",
                                        .url = settings->webhook_url,
                                        .headers = headers,
                                        .body = body.data,
                                        .body_length = body.length,
                                        .timeout_ms = TIMEOUT_MS,
                                        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
                                        .answer_maximum = ANSWER_MAX,
                                        .plain = settings->webhook_local,
                                        .public_only = !settings->webhook_local,
                                    },
                                    exchange_done, send);
    return send;
}

static void webhook_cancel(struct send *send)
{
    exchange_cancel(send->exchange);
    free(send);
}

static json_t *webhook_preview(struct channel *self, const struct letter *letter)
{
    (void)self;
    return json_pack("{s:o}", "payload", payload(letter));
}

static void webhook_close(struct channel *self)
{
    free(self);
}

struct channel *webhook_open(const struct channel_host *host)
{
    struct webhook *webhook = memory_new(1, sizeof *webhook);
    webhook->channel =
        (struct channel){webhook_send, webhook_cancel, webhook_preview, webhook_close};
    webhook->host = *host;
    return &webhook->channel;
}
