/* The variables of notices. */
#include "notice_settings.h"

#include <curl/curl.h>
#include <netdb.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "reach.h"
#include "templates.h"

enum { ADDRESS_MAX = 254, SECRET_TEXT_MAX = 128 };

bool mail_address_valid(const char *text)
{
    const char *at = strchr(text, '@');
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f || strchr("<>()[],;:\\\"", *c))
            return false;
    return at && at > text && at[1] && !strchr(at + 1, '@') && strlen(text) <= ADDRESS_MAX;
}

/* "off" is what the switches of other features say. */
static const char *given(const struct config *config, const char *name)
{
    const char *value = config_text(config, name);
    return value && strcmp(value, "off") != 0 ? value : NULL;
}

/* Scheme and host of a URL; false when it is none. */
static bool parse(const char *text, char **scheme, char **host)
{
    CURLU *url = curl_url();
    const bool good = url && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK &&
                      curl_url_get(url, CURLUPART_SCHEME, scheme, 0) == CURLUE_OK &&
                      curl_url_get(url, CURLUPART_HOST, host, 0) == CURLUE_OK;
    curl_url_cleanup(url);
    return good;
}

static void curl_text_release(char **text)
{
    curl_free(*text);
}

/* --- mail --- */

/* "Salon Zoë <bookings@example.org>", or the address alone. */
static void split_from(const char *from, struct notice_settings *settings)
{
    const char *open = strrchr(from, '<');
    const size_t length = strlen(from);
    size_t name = open ? (size_t)(open - from) : 0;
    settings->mail_from = open && from[length - 1] == '>'
                              ? memory_text_n(open + 1, length - (size_t)(open - from) - 2)
                              : memory_text(from);
    while (name > 0 && from[name - 1] == ' ')
        name--;
    settings->mail_from_name = memory_text_n(from, name);
}

static bool is_one_line(const char *text)
{
    while ((unsigned char)*text >= ' ')
        text++;
    return *text == '\0';
}

static void read_from(struct config *config, struct notice_settings *settings)
{
    static const char NAME[] = "BOOKFLOW_MAIL_FROM";
    const char *from = config_text(config, NAME);
    if (!from) {
        config_complain(config, NAME, "is not set; mails need a sender: Name <address@domain>");
        return;
    }
    split_from(from, settings);
    if (!mail_address_valid(settings->mail_from) || !is_one_line(settings->mail_from_name))
        config_complain(config, NAME, "must be an address, or Name <address@domain>, in one line");
}

static void read_mail(struct config *config, struct notice_settings *settings)
{
    static const char NAME[] = "BOOKFLOW_SMTP_URL";
    const char *url = given(config, NAME);
    char *scheme AUTO(curl_text_release) = NULL;
    char *host AUTO(curl_text_release) = NULL;
    if (!url)
        return;
    const bool parsed = parse(url, &scheme, &host);
    if (!parsed || (strcmp(scheme, "smtp") != 0 && strcmp(scheme, "smtps") != 0))
        config_complain(config, NAME, "must be smtp://[USER:PASSWORD@]HOST[:PORT] or smtps://...");
    else
        settings->smtp_plain = reach_is_loopback(host) && strcmp(scheme, "smtp") == 0;
    settings->smtp_url = memory_text(url);
    read_from(config, settings);
}

/* --- webhook --- */

static bool read_key(const char *text, size_t length, struct webhook_key *key)
{
    static const char PREFIX[] = "whsec_";
    unsigned char bytes[SECRET_TEXT_MAX];
    if (length < strlen(PREFIX) || strncmp(text, PREFIX, strlen(PREFIX)) != 0)
        return false;
    text += strlen(PREFIX);
    length -= strlen(PREFIX);
    if (length > SECRET_TEXT_MAX || length % 4 != 0)
        return false;
    const int decoded = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)length);
    const int padding =
        (length > 0 && text[length - 1] == '=') + (length > 1 && text[length - 2] == '=');
    const int count = decoded - padding;
    const bool good = count >= WEBHOOK_KEY_MIN && count <= WEBHOOK_KEY_MAX;
    if (good) {
        memcpy(key->bytes, bytes, (size_t)count);
        key->length = (size_t)count;
    }
    OPENSSL_cleanse(bytes, sizeof bytes);
    return good;
}

static void read_keys(struct config *config, struct notice_settings *settings)
{
    static const char NAME[] = "BOOKFLOW_WEBHOOK_SECRET";
    const char *at = config_text(config, NAME);
    size_t count = 0;
    bool good = at != NULL;
    while (good && *at) {
        const size_t length = strcspn(at, " ");
        good = length == 0 ||
               (count < WEBHOOK_KEYS && read_key(at, length, &settings->webhook_keys[count++]));
        at += length + (at[length] == ' ');
    }
    if (!good || count == 0)
        config_complain(config, NAME,
                        "must be whsec_ and the base64 of 24 to 64 random bytes; while it is being"
                        " changed the new one and the old one, with a blank between");
}

/* A host that is an address is looked at now; a name when it is connected to. */
static bool is_hidden_address(const char *host)
{
    struct addrinfo *found = NULL;
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
    char *bare AUTO(memory_release) = memory_text(*host == '[' ? host + 1 : host);
    bare[strcspn(bare, "]")] = '\0';
    const bool hidden =
        getaddrinfo(bare, NULL, &hints, &found) == 0 && !reach_is_public(found->ai_addr);
    if (found)
        freeaddrinfo(found);
    return hidden;
}

static void read_webhook(struct config *config, struct notice_settings *settings)
{
    static const char NAME[] = "BOOKFLOW_WEBHOOK_URL";
    const char *url = given(config, NAME);
    char *scheme AUTO(curl_text_release) = NULL;
    char *host AUTO(curl_text_release) = NULL;
    if (!url)
        return;
    settings->webhook_url = memory_text(url);
    read_keys(config, settings);
    if (!parse(url, &scheme, &host)) {
        config_complain(config, NAME, "must be https://HOST[:PORT]/PATH");
        return;
    }
    settings->webhook_local = reach_is_loopback(host);
    const bool plain = strcmp(scheme, "http") == 0;
    if (plain ? !settings->webhook_local : strcmp(scheme, "https") != 0)
        config_complain(config, NAME, "must be https:, or http: to a receiver on this machine");
    else if (!settings->webhook_local && is_hidden_address(host))
        config_complain(config, NAME,
                        "leads into a private network; it must lead to a public"
                        " address, or to this machine");
}

/* --- all --- */

struct notice_settings *notice_settings_read(struct config *config)
{
    struct notice_settings *settings = memory_new(1, sizeof *settings);
    struct error error = {0};
    const char *sms = given(config, "BOOKFLOW_SMS");
    settings->sms = sms != NULL;
    if (sms && strcmp(sms, "sns") != 0)
        config_complain(config, "BOOKFLOW_SMS", "must be sns or off");
    read_mail(config, settings);
    read_webhook(config, settings);
    settings->templates = templates_load(config_text(config, "BOOKFLOW_TEMPLATES"), &error);
    if (!settings->templates)
        config_complain(config, "BOOKFLOW_TEMPLATES", "%s", error.text);
    return settings;
}

void notice_settings_free(struct notice_settings *settings)
{
    if (!settings)
        return;
    char *const texts[] = {settings->smtp_url, settings->mail_from, settings->mail_from_name,
                           settings->webhook_url};
    if (settings->smtp_url)
        OPENSSL_cleanse(settings->smtp_url, strlen(settings->smtp_url));
    OPENSSL_cleanse(settings->webhook_keys, sizeof settings->webhook_keys);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free(texts[i]);
    templates_free(settings->templates);
    free(settings);
}
