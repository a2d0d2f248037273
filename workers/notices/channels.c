/* The configured channels together. They share the account's connections, and so its steps. */
#include "channels.h"

static int64_t step(void *context)
{
    return account_step(context);
}

bool channels_open(const struct channel_host *host, struct channels *channels, struct error *error)
{
    const struct notice_settings *settings = host->settings;
    *channels =
        (struct channels){.fd = account_fd(host->account), .step = step, .context = host->account};
    if (settings->smtp_url)
        channels->each[CHANNEL_MAIL] = mail_open(host);
    if (settings->webhook_url)
        channels->each[CHANNEL_WEBHOOK] = webhook_open(host);
    if (settings->sms)
        channels->each[CHANNEL_SMS] = sms_open(host, error);
    if (!settings->sms || channels->each[CHANNEL_SMS])
        return true;
    channels_close(channels);
    return error_context(error, "BOOKFLOW_SMS");
}

void channels_close(struct channels *channels)
{
    for (int i = 0; i < NOTICE_CHANNELS; i++)
        if (channels->each[i])
            channels->each[i]->close(channels->each[i]);
    *channels = (struct channels){.fd = -1};
}
