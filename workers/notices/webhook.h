/* What a webhook says, and its signature: Standard Webhooks 1.0. */
#ifndef BOOKFLOW_WEBHOOK_H
#define BOOKFLOW_WEBHOOK_H

#include <stdint.h>

#include "buf.h"
#include "notice_settings.h"
#include "notices.h"

/* Appends {"type","timestamp","data"}. */
void webhook_payload(const struct letter *letter, struct buf *out);

struct webhook_message {
    const char *id;
    int64_t time_s;
    const char *body;
};
/* Appends "v1,BASE64" for each key, with blanks between. */
void webhook_sign(const struct webhook_message *message,
                  const struct webhook_key keys[static WEBHOOK_KEYS], struct buf *out);

#endif
