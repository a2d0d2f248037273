/* Mail: a letter as a message with text and calendar, by SMTP. MIME is libcurl's; here are the
 * headers, where no name may become a header of its own. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "buf.h"
#include "calendar.h"
#include "channels.h"
#include "exchange.h"
#include "templates.h"
#include "text.h"

enum {
    TIMEOUT_MS = 60 * 1000,
    CONNECT_TIMEOUT_MS = 15 * 1000,
    ANSWER_MAX = 64 * 1024,
    WORD_BYTES = 45, /* of an encoded word: 60 letters of base64, 72 in all */
    SUBJECT_COLUMNS = 150,
    DATE_SIZE = 48,
    HEADERS = 7
};

struct mail {
    struct channel channel; /* first: what the notifier holds */
    struct channel_host host;
};

struct send {
    struct exchange *exchange;
    struct send_caller caller;
    char reason[64];
};

/* --- headers --- */

/* What needs no encoding and no quotes, in a name and all the more in a subject. */
static const char NAME_LETTERS[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '-";
static const char SUBJECT_LETTERS[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '-,.:;!()/+&";

/* Encoded words (RFC 2047), one a line; each holds whole letters. */
static void put_words(struct buf *out, const char *text, const char *plain)
{
    if (strspn(text, plain) == strlen(text)) {
        buf_text_append(out, text);
        return;
    }
    const char *const end = text + strlen(text);
    while (text < end) {
        unsigned char word[4 * ((WORD_BYTES + 2) / 3) + 1];
        const char *at = text;
        const char *fits = text;
        while (at < end && at - text <= WORD_BYTES) {
            fits = at;
            (void)text_next(&at, end);
        }
        if (at == end && at - text <= WORD_BYTES)
            fits = end;
        (void)EVP_EncodeBlock(word, (const unsigned char *)text, (int)(fits - text));
        buf_printf(out, "=?UTF-8?B?%s?=%s", (const char *)word, fits < end ? "\r\n " : "");
        text = fits;
    }
}

static void put_party(struct buf *out, const char *name, const char *address)
{
    struct buf safe AUTO(buf_release) = {0};
    text_display(&safe, name, strlen(name));
    put_words(out, buf_text(&safe), NAME_LETTERS);
    buf_printf(out, "%s<%s>", safe.length > 0 ? "\r\n " : "", address);
}

static void put_date(struct buf *out, int64_t seconds)
{
    const time_t moment = seconds;
    struct tm tm = {0};
    char text[DATE_SIZE];
    (void)gmtime_r(&moment, &tm);
    (void)strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S +0000", &tm);
    buf_text_append(out, text);
}

/* --- a message --- */

struct message {
    struct buf from, to, subject, date, id;
    struct buf text;
    struct buf calendar;
    struct buf calendar_type;
};

static void message_release(struct message *message)
{
    struct buf *const parts[] = {
        &message->from, &message->to,   &message->subject,  &message->date,
        &message->id,   &message->text, &message->calendar, &message->calendar_type,
    };
    enum { PARTS = sizeof *message / sizeof(struct buf) };
    for (size_t i = 0; i < PARTS; i++)
        buf_release(parts[i]);
}

static const struct person *person_of(const struct letter *letter)
{
    return letter->notice.recipient == TO_USER ? &letter->user : &letter->provider;
}

static void put_text(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\n')
            buf_char(out, '\r');
        buf_char(out, *text);
    }
}

static void compose(const struct mail *mail, const struct letter *letter, struct message *message)
{
    const struct notice_settings *settings = mail->host.settings;
    struct wording wording AUTO(wording_release) = {0};
    struct buf name AUTO(buf_release) = {0};
    struct buf subject AUTO(buf_release) = {0};
    templates_fill(settings->templates, letter, &wording);
    (void)text_fit(&subject, buf_text(&wording.subject), SUBJECT_COLUMNS);
    put_words(&message->subject, buf_text(&subject), SUBJECT_LETTERS);
    put_party(&message->from, settings->mail_from_name, settings->mail_from);
    wording_name(person_of(letter), &name);
    put_party(&message->to, buf_text(&name), person_of(letter)->email);
    put_date(&message->date, world_wall_ms(account_world(mail->host.account)) / 1000);
    buf_printf(&message->id, "<%s%s>", letter->notice.id, strrchr(settings->mail_from, '@'));
    put_text(&message->text, buf_text(&wording.text));
    const char *method = calendar_method(letter);
    if (!method)
        return;
    calendar_put(letter, settings->mail_from, &message->calendar);
    buf_printf(&message->calendar_type, "text/calendar; charset=utf-8; method=%s", method);
}

/* --- sending --- */

/* 421: the server as a whole. 5xx to who we are is our configuration, and may be mended. */
static struct send_answer judge(struct send *send, const struct exchange_answer *answer)
{
    static const int ours[] = {421, 530, 534, 535, 538};
    struct send_answer told = {.outcome = SEND_TAKEN, .reason = send->reason};
    (void)snprintf(send->reason, sizeof send->reason, "the mail server answered %d",
                   answer->status);
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        told.down = told.down || answer->status == ours[i];
    if (answer->status == 0)
        told.reason = "the mail server has not said that it took the message";
    if (answer->status == 0)
        told.outcome = SEND_DOUBTFUL;
    else if (answer->status >= 400)
        told.outcome = told.down || answer->status < 500 ? SEND_UNTAKEN : SEND_REFUSED;
    return told;
}

/* libcurl's words name the server, and nobody else: no address is in them. */
static void exchange_done(void *context, const struct exchange_answer *answer,
                          const struct error *failure)
{
    struct send *send AUTO(memory_release) = context;
    struct send_answer told = {.outcome = SEND_UNTAKEN, .down = true};
    if (answer)
        told = judge(send, answer);
    else
        told.reason = failure->text;
    send->caller.done(send->caller.context, &told);
}

static struct send *mail_send(struct channel *self, const struct letter *letter,
                              const struct send_caller *caller, struct error *error)
{
    const struct mail *mail = (const struct mail *)self; /* its first member */
    const struct notice_settings *settings = mail->host.settings;
    const char *to = person_of(letter)->email;
    if (!*to || !mail_address_valid(to)) {
        (void)error_set(error, ERROR_INVALID,
                        *to ? "the address is none that mail can go to"
                            : "there is no address any more");
        return NULL;
    }
    struct message message AUTO(message_release) = {0};
    compose(mail, letter, &message);
    const struct exchange_header headers[HEADERS + 1] = {
        {"From", buf_text(&message.from)},         {"To", buf_text(&message.to)},
        {"Subject", buf_text(&message.subject)},   {"Date", buf_text(&message.date)},
        {"Message-ID", buf_text(&message.id)},     {"Auto-Submitted", "auto-generated"},
        {"Content-Type", "multipart/alternative"},
    };
    const struct exchange_mail parts = {
        .from = settings->mail_from,
        .to = to,
        .text = buf_text(&message.text),
        .calendar = message.calendar.length ? buf_text(&message.calendar) : NULL,
        .calendar_type = buf_text(&message.calendar_type),
    };
    struct send *send = memory_new(1, sizeof *send);
    send->caller = *caller;
    send->exchange = exchange_begin(account_exchanges(mail->host.account),
                                    &(struct exchange_request){
                                        .url = settings->smtp_url,
                                        .headers = headers,
                                        .mail = &parts,
                                        .plain = settings->smtp_plain,
                                        .timeout_ms = TIMEOUT_MS,
                                        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
                                        .answer_maximum = ANSWER_MAX,
                                    },
                                    exchange_done, send);
    return send;
}

static void mail_cancel(struct send *send)
{
    exchange_cancel(send->exchange);
    free(send);
}

static json_t *mail_preview(struct channel *self, const struct letter *letter)
{
    const struct mail *mail = (const struct mail *)self; /* its first member */
    struct wording wording AUTO(wording_release) = {0};
    struct buf calendar AUTO(buf_release) = {0};
    templates_fill(mail->host.settings->templates, letter, &wording);
    if (calendar_method(letter))
        calendar_put(letter, mail->host.settings->mail_from, &calendar);
    return json_pack("{s:s,s:s,s:s,s:s?}", "to", person_of(letter)->email, "subject",
                     buf_text(&wording.subject), "text", buf_text(&wording.text), "calendar",
                     calendar.length ? buf_text(&calendar) : NULL);
}

static void mail_close(struct channel *self)
{
    free(self);
}

struct channel *mail_open(const struct channel_host *host)
{
    struct mail *mail = memory_new(1, sizeof *mail);
    mail->channel = (struct channel){mail_send, mail_cancel, mail_preview, mail_close};
    mail->host = *host;
    return &mail->channel;
}
