/* The settings of notices: which channels there are, and what they need. Checks; opens nothing. */
#ifndef BOOKFLOW_NOTICE_SETTINGS_H
#define BOOKFLOW_NOTICE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"

enum { WEBHOOK_KEYS = 2, WEBHOOK_KEY_MIN = 24, WEBHOOK_KEY_MAX = 64 };

struct webhook_key {
    unsigned char bytes[WEBHOOK_KEY_MAX];
    size_t length; /* 0 = none */
};

struct templates;

struct notice_settings {
    char *smtp_url; /* NULL = no mail; may hold a password */
    bool smtp_plain;
    char *mail_from; /* an address */
    char *mail_from_name;
    char *webhook_url; /* NULL = no webhook */
    bool webhook_local;
    struct webhook_key webhook_keys[WEBHOOK_KEYS];
    bool sms;
    struct templates *templates;
};

/* Complains of every bad variable; no complaint holds a secret. */
struct notice_settings *notice_settings_read(struct config *config);
void notice_settings_free(struct notice_settings *settings);

/* An address that can stand in a message's head and in a calendar: ASCII, one @, no specials. */
bool mail_address_valid(const char *text);

#endif
