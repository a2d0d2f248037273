/* The variables of notices: what is accepted, what is refused, and that no secret is repeated. */
#include "notice_settings.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char SECRET[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

struct variables {
    const char *smtp_url, *mail_from, *webhook_url, *webhook_secret, *sms;
};

static void set(const char *name, const char *value)
{
    if (value)
        (void)setenv(name, value, 1);
    else
        (void)unsetenv(name);
}

/* The first complaint; "" = none. */
static struct notice_settings *read(const struct variables *variables, char complaint[static 512])
{
    struct error error = {0};
    set("BOOKFLOW_SMTP_URL", variables->smtp_url);
    set("BOOKFLOW_MAIL_FROM", variables->mail_from);
    set("BOOKFLOW_WEBHOOK_URL", variables->webhook_url);
    set("BOOKFLOW_WEBHOOK_SECRET", variables->webhook_secret);
    set("BOOKFLOW_SMS", variables->sms);
    struct config *config AUTO(config_release) = config_read(NULL, &error);
    cr_assert(config, "%s", error.text);
    struct notice_settings *settings = notice_settings_read(config);
    const char *first = config_complaint(config, 0);
    (void)snprintf(complaint, 512, "%s", first ? first : "");
    return settings;
}

Test(notice_settings, what_is_wrong_is_said_without_the_secret)
{
    static const struct {
        struct variables variables;
        const char *says; /* "" = nothing is wrong */
    } cases[] = {
        {{.smtp_url = NULL}, ""},
        {{"off", NULL, "off", NULL, "off"}, ""},
        {{"smtp://127.0.0.1:25", "a@example.org", NULL, NULL, "sns"}, ""},
        {{"smtps://zoe:s3cret@mail.example.org", "Salon <a@example.org>", NULL, NULL, NULL}, ""},
        {{"smtp://mail.example.org", NULL, NULL, NULL, NULL}, "BOOKFLOW_MAIL_FROM"},
        {{"smtp://mail.example.org", "Salon", NULL, NULL, NULL}, "BOOKFLOW_MAIL_FROM"},
        {{"smtp://mail.example.org", "a@b@c", NULL, NULL, NULL}, "BOOKFLOW_MAIL_FROM"},
        {{"smtp://mail.example.org", "a\r\nBcc: b <a@example.org>", NULL, NULL, NULL},
         "BOOKFLOW_MAIL_FROM"},
        {{"http://zoe:s3cret@mail.example.org", "a@example.org", NULL, NULL, NULL},
         "BOOKFLOW_SMTP_URL"},
        {{"smtp://zoe:s3cret@:x", "a@example.org", NULL, NULL, NULL}, "BOOKFLOW_SMTP_URL"},
        {{NULL, NULL, "https://hooks.example.org/b", SECRET, NULL}, ""},
        {{NULL, NULL, "http://localhost:8080/b", SECRET, NULL}, ""},
        {{NULL, NULL, "https://hooks.example.org/b", NULL, NULL}, "BOOKFLOW_WEBHOOK_SECRET"},
        {{NULL, NULL, "https://hooks.example.org/b", "s3cret", NULL}, "BOOKFLOW_WEBHOOK_SECRET"},
        {{NULL, NULL, "https://hooks.example.org/b", "whsec_s3cret==", NULL},
         "BOOKFLOW_WEBHOOK_SECRET"},
        {{NULL, NULL, "http://hooks.example.org/b", SECRET, NULL}, "BOOKFLOW_WEBHOOK_URL"},
        {{NULL, NULL, "ftp://hooks.example.org/b", SECRET, NULL}, "BOOKFLOW_WEBHOOK_URL"},
        {{NULL, NULL, "nothing", SECRET, NULL}, "BOOKFLOW_WEBHOOK_URL"},
        {{NULL, NULL, "https://10.0.0.1/b", SECRET, NULL}, "BOOKFLOW_WEBHOOK_URL"},
        {{NULL, NULL, "https://169.254.169.254/b", SECRET, NULL}, "BOOKFLOW_WEBHOOK_URL"},
        {{NULL, NULL, "https://[fd00::1]/b", SECRET, NULL}, "BOOKFLOW_WEBHOOK_URL"},
        {{NULL, NULL, NULL, NULL, "twilio"}, "BOOKFLOW_SMS"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char complaint[512];
        struct notice_settings *settings = read(&cases[i].variables, complaint);
        cr_expect_eq(strncmp(complaint, cases[i].says, strlen(cases[i].says)), 0, "case %zu: %s", i,
                     complaint);
        cr_expect((*complaint == '\0') == (*cases[i].says == '\0'), "case %zu: %s", i, complaint);
        cr_expect_null(strstr(complaint, "s3cret"), "case %zu: %s", i, complaint);
        notice_settings_free(settings);
    }
}

Test(notice_settings, they_are_read_whole)
{
    char complaint[512];
    char secrets[128];
    (void)snprintf(secrets, sizeof secrets, "%s  %s", SECRET, SECRET);
    struct notice_settings *settings =
        read(&(struct variables){"smtp://localhost:2525", "Salon Zo\xC3\xAB <a@example.org>",
                                 "https://hooks.example.org/b", secrets, "sns"},
             complaint);
    cr_expect_str_empty(complaint);
    cr_expect(settings->smtp_plain, "on this machine");
    cr_expect_str_eq(settings->mail_from, "a@example.org");
    cr_expect_str_eq(settings->mail_from_name, "Salon Zo\xC3\xAB");
    cr_expect_not(settings->webhook_local);
    cr_expect_eq(settings->webhook_keys[0].length, 24);
    cr_expect_eq(settings->webhook_keys[1].length, 24);
    cr_expect(settings->sms);
    notice_settings_free(settings);
    settings = read(
        &(struct variables){.smtp_url = "smtp://mail.example.org", .mail_from = "a@example.org"},
        complaint);
    cr_expect_not(settings->smtp_plain, "beyond this machine only with TLS");
    notice_settings_free(settings);
}

Test(notice_settings, only_plain_addresses_are_mailed_to)
{
    static const struct {
        const char *address;
        bool valid;
    } cases[] = {
        {"zoe@example.org", true}, {"z.o+e_-=@x", true}, {"zoe", false},
        {"@example.org", false},   {"zoe@", false},      {"a b@example.org", false},
        {"a@b@c", false},          {"a>@b", false},      {"a\r\n@b", false},
        {"a\x01@b", false},        {"a,b@c", false},     {"zo\xC3\xAB@example.org", false},
        {"a@b,c@d", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect_eq(mail_address_valid(cases[i].address), cases[i].valid, "%s", cases[i].address);
}
