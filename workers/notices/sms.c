/* Short messages by Amazon SNS: a letter as one Publish to a phone number. */
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "channels.h"
#include "failure.h"
#include "service.h"
#include "templates.h"
#include "wire.h"

enum { TIMEOUT_MS = 10 * 1000, NUMBER_SIZE = 20, NUMBER_MIN = 9, NUMBER_MAX = 16 };

struct sms {
    struct channel channel; /* first: what the notifier holds */
    struct service *service;
    const struct templates *templates;
};

struct send {
    struct service_call *call;
    struct send_caller caller;
};

/* +491701234567 (E.164), of what people write: 00 stands for +; blanks, brackets and the like are
 * left out. */
static bool read_number(const char *phone, char number[NUMBER_SIZE])
{
    const size_t prefix = *phone == '+' ? 1 : strncmp(phone, "00", 2) == 0 ? 2 : 0;
    size_t length = 1;
    number[0] = '+';
    for (phone += prefix; prefix && *phone; phone++)
        if (*phone >= '0' && *phone <= '9' && length < NUMBER_SIZE - 1)
            number[length++] = *phone;
    number[length] = '\0';
    return length >= NUMBER_MIN && length <= NUMBER_MAX;
}

static const char *phone_of(const struct letter *letter)
{
    return letter->notice.recipient == TO_USER ? letter->user.phone : letter->provider.phone;
}

static void compose(const struct sms *sms, const struct letter *letter, struct buf *text)
{
    struct wording wording AUTO(wording_release) = {0};
    templates_fill(sms->templates, letter, &wording);
    size_t length = wording.text.length;
    while (length > 0 && wording.text.data[length - 1] == '\n')
        length--;
    buf_append(text, buf_text(&wording.text), length);
}

/* Of this very message, and for good; any other refusal is of all of them, and may be mended. */
static bool is_final(const struct failure *failure)
{
    static const char *const codes[] = {"InvalidParameter", "InvalidParameterValue", "OptedOut"};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (strcmp(failure->code, codes[i]) == 0)
            return true;
    return false;
}

/* Whether a try without an answer was taken nobody knows. SNS's words may repeat the number, so
 * only its code is passed on. */
static void call_done(void *context, const json_t *answer, const struct failure *failure)
{
    struct send *send AUTO(memory_release) = context;
    struct send_answer told = {.outcome = SEND_TAKEN, .reason = ""};
    if (!answer) {
        const bool refused = is_final(failure);
        told.outcome = refused                               ? SEND_REFUSED
                       : failure->class == FAILURE_TRANSIENT ? SEND_DOUBTFUL
                                                             : SEND_UNTAKEN;
        told.down = !refused;
        told.reason = failure->code[0] ? failure->code : failure->text;
    }
    send->caller.done(send->caller.context, &told);
}

static struct send *sms_send(struct channel *self, const struct letter *letter,
                             const struct send_caller *caller, struct error *error)
{
    const struct sms *sms = (const struct sms *)self; /* its first member */
    char number[NUMBER_SIZE];
    struct buf text AUTO(buf_release) = {0};
    if (!read_number(phone_of(letter), number)) {
        (void)error_set(error, ERROR_INVALID,
                        *phone_of(letter) ? "the phone number has no country code (+49 ...)"
                                          : "there is no phone number any more");
        return NULL;
    }
    compose(sms, letter, &text);
    struct send *send = memory_new(1, sizeof *send);
    send->caller = *caller;
    const struct wire_field fields[] = {
        {"Action", "Publish"},
        {"Version", "2010-03-31"},
        {"PhoneNumber", number},
        {"Message", buf_text(&text)},
        {"MessageAttributes.entry.1.Name", "AWS.SNS.SMS.SMSType"},
        {"MessageAttributes.entry.1.Value.DataType", "String"},
        {"MessageAttributes.entry.1.Value.StringValue", "Transactional"},
        {NULL, NULL},
    };
    send->call =
        service_begin(sms->service,
                      &(struct service_request){
                          .action = "Publish", .body = wire_form(fields), .timeout_ms = TIMEOUT_MS},
                      call_done, send);
    return send;
}

static void sms_cancel(struct send *send)
{
    service_cancel(send->call);
    free(send);
}

static json_t *sms_preview(struct channel *self, const struct letter *letter)
{
    struct buf text AUTO(buf_release) = {0};
    compose((const struct sms *)self, letter, &text); /* its first member */
    return json_pack("{s:s,s:s}", "to", phone_of(letter), "text", buf_text(&text));
}

static void sms_close(struct channel *self)
{
    service_free(((struct sms *)self)->service); /* its first member */
    free(self);
}

static struct service *open_service(struct account *account, struct error *error)
{
    struct profile *profile AUTO(profile_release) = account_profile(account, error);
    const char *region = profile ? account_region(account, profile) : NULL;
    struct buf own AUTO(buf_release) = {0};
    if (!profile)
        return NULL;
    if (!region) {
        (void)error_set(error, ERROR_CONFIGURATION, "AWS_REGION is not set");
        return NULL;
    }
    const char *given = account_endpoint(account, profile, "sns");
    buf_printf(&own, "https://sns.%s.amazonaws.com", region);
    return service_new(&(struct service_options){.account = account,
                                                 .name = "sns",
                                                 .endpoint = given ? given : buf_text(&own),
                                                 .region = region},
                       error);
}

struct channel *sms_open(const struct channel_host *host, struct error *error)
{
    struct service *service = open_service(host->account, error);
    if (!service)
        return NULL;
    struct sms *sms = memory_new(1, sizeof *sms);
    sms->channel = (struct channel){sms_send, sms_cancel, sms_preview, sms_close};
    sms->service = service;
    sms->templates = host->settings->templates;
    return &sms->channel;
}
