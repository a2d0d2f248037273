/* The channels of the settings, opened: mail, webhook, SMS. Opening contacts nobody. */
#ifndef BOOKFLOW_CHANNELS_H
#define BOOKFLOW_CHANNELS_H

#include "account.h"
#include "channel.h"
#include "notice_settings.h"

/* What a channel works with; borrowed, like the settings. */
struct channel_host {
    const struct notice_settings *settings;
    struct account *account; /* connections and credentials */
};

struct channel *mail_open(const struct channel_host *host);
struct channel *webhook_open(const struct channel_host *host);
/* ERROR_CONFIGURATION: no region, or an endpoint that is none. */
MUST_CHECK struct channel *sms_open(const struct channel_host *host, struct error *error);

/* All that are configured. On failure there is nothing to close. */
MUST_CHECK bool channels_open(const struct channel_host *host, struct channels *channels,
                              struct error *error);
void channels_close(struct channels *channels);

#endif
