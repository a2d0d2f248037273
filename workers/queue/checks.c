/* The limits of SQS, as code. Knows neither queue: both call it. FIFO rules are not here; they
 * depend on the queue. */
#include "checks.h"

#include <string.h>
#include <strings.h>

#include "text.h"

enum { NAME_MAX_LENGTH = 256, GROUP_MAX_LENGTH = 128 };

static bool within(int64_t value, int64_t low, int64_t high, const char *what, struct error *error)
{
    if (value >= low && value <= high)
        return true;
    return error_set(error, ERROR_INVALID, "%s is %lld, it must be %lld to %lld", what,
                     (long long)value, (long long)low, (long long)high);
}

/* The characters of XML 1.0, and at least one of them. */
static bool text_allowed(const char *text)
{
    const char *const from = text;
    while (*text >= ' ' && *text <= '~') /* most texts are nothing else */
        text++;
    const char *end = text + strlen(text);
    if (from == end || !text_is_utf8(text, (size_t)(end - text)))
        return false;
    while (text < end) {
        const uint32_t letter = text_next(&text, end);
        const bool control = letter < 0x20 && letter != '\t' && letter != '\n' && letter != '\r';
        if (control || letter == 0xFFFE || letter == 0xFFFF)
            return false;
    }
    return true;
}

static bool reserved(const char *name)
{
    return strncasecmp(name, "AWS.", 4) == 0 || strncasecmp(name, "Amazon.", 7) == 0;
}

static bool name_allowed(const char *name)
{
    const size_t length =
        strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.");
    if (length == 0 || length > NAME_MAX_LENGTH || name[length])
        return false;
    return name[0] != '.' && name[length - 1] != '.' && !strstr(name, "..") && !reserved(name);
}

static bool check_attributes(const struct queue_attribute *attributes, struct error *error)
{
    size_t count = 0;
    for (const struct queue_attribute *each = attributes; each && each->name; each++) {
        if (++count > QUEUE_ATTRIBUTES_MAX)
            return error_set(error, ERROR_INVALID, "a message takes at most %d attributes",
                             QUEUE_ATTRIBUTES_MAX);
        if (!name_allowed(each->name))
            return error_set(error, ERROR_INVALID, "'%.64s' cannot name an attribute", each->name);
        if (!text_allowed(each->value))
            return error_set(error, ERROR_INVALID,
                             "attribute %.64s is empty or has characters that are not allowed",
                             each->name);
    }
    return true;
}

bool queue_check_entry(const struct queue_entry *entry, struct error *error)
{
    if (queue_entry_size(entry) > QUEUE_MESSAGE_MAX)
        return error_set(error, ERROR_TOO_LARGE, "the message has %zu bytes, at most %d are taken",
                         queue_entry_size(entry), QUEUE_MESSAGE_MAX);
    if (!text_allowed(entry->body))
        return error_set(error, ERROR_INVALID,
                         "the body is empty or has characters that are not allowed");
    if (entry->group_id && (!*entry->group_id || strlen(entry->group_id) > GROUP_MAX_LENGTH))
        return error_set(error, ERROR_INVALID, "a group id has 1 to %d characters",
                         GROUP_MAX_LENGTH);
    return within(entry->delay_s, 0, QUEUE_DELAY_MAX_S, "the delay", error) &&
           check_attributes(entry->attributes, error);
}

bool queue_check_count(size_t count, struct error *error)
{
    return within((int64_t)count, 1, QUEUE_BATCH, "the number of entries", error);
}

bool queue_check_batch(const struct queue_entry entries[], size_t count, struct error *error)
{
    if (!queue_check_count(count, error))
        return false;
    size_t total = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t size = queue_entry_size(&entries[i]);
        total += size > QUEUE_MESSAGE_MAX ? 0 : size;
    }
    if (total <= QUEUE_MESSAGE_MAX)
        return true;
    return error_set(error, ERROR_TOO_LARGE, "the batch has %zu bytes, at most %d are taken", total,
                     QUEUE_MESSAGE_MAX);
}

bool queue_check_receive(const struct queue_receive_options *options, struct error *error)
{
    return within((int64_t)options->maximum, 1, QUEUE_BATCH, "the number of messages", error) &&
           within(options->wait_s, 0, QUEUE_WAIT_MAX_S, "the wait", error) &&
           queue_check_visibility(options->visibility_s, error);
}

bool queue_check_visibility(int64_t visibility_s, struct error *error)
{
    return within(visibility_s, 0, QUEUE_VISIBILITY_MAX_S, "the visibility timeout", error);
}

size_t queue_entry_size(const struct queue_entry *entry)
{
    size_t size = strlen(entry->body);
    for (const struct queue_attribute *each = entry->attributes; each && each->name; each++)
        size += strlen(each->name) + strlen("String") + strlen(each->value);
    return size;
}
