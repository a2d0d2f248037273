/* Messages by SMTP with a scripted server, and exchanges that keep to public addresses. */
#include "exchange.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "aws_fixture.h"

struct seen {
    bool done;
    int status; /* -1 = a failure */
    struct error failure;
};

static void note(void *context, const struct exchange_answer *answer, const struct error *failure)
{
    struct seen *seen = context;
    seen->done = true;
    seen->status = answer ? answer->status : -1;
    seen->failure = failure ? *failure : (struct error){0};
}

static const struct exchange_mail MAIL = {
    .from = "from@example.org", .to = "to@example.org", .text = "hello\r\n"};

static struct seen send_to(const char *url, const char *subject, bool public_only)
{
    struct seen seen = {0};
    struct error error = {0};
    struct peer peer;
    peer_open(&peer);
    struct exchanges *exchanges = exchanges_new(NULL, &error);
    cr_assert(exchanges, "%s", error.text);
    const struct exchange_header headers[] = {{"Subject", subject}, {NULL, NULL}};
    (void)exchange_begin(exchanges,
                         &(struct exchange_request){.url = url ? url : peer.url,
                                                    .method = "POST",
                                                    .headers = headers,
                                                    .mail = public_only ? NULL : &MAIL,
                                                    .plain = true,
                                                    .public_only = public_only,
                                                    .timeout_ms = 5000,
                                                    .connect_timeout_ms = 5000,
                                                    .answer_maximum = 1000},
                         note, &seen);
    exchanges_until(exchanges, &peer, &seen.done);
    cr_expect_eq(peer.accepted, 0, "nobody is connected to");
    exchanges_free(exchanges);
    peer_close(&peer);
    return seen;
}

Test(exchange_mail, a_header_of_two_lines_is_not_sent_but_a_folded_one_may_be)
{
    static const struct {
        const char *subject;
        bool refused;
    } cases[] = {
        {"one", false},      {"one\r\n two", false},    {"one\r\nBcc: x@example.org", true},
        {"one\n two", true}, {"one\r two", true},       {"one\r\n two\r\nBcc: x", true},
        {"one\r\n", true},   {"one\r\n\r\nbody", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct seen seen = send_to("smtp://127.0.0.1:1", cases[i].subject, false);
        cr_expect_eq(seen.status, -1, "case %zu", i);
        cr_expect_eq(strstr(seen.failure.text, "more than one line") != NULL, cases[i].refused,
                     "case %zu: %s", i, seen.failure.text);
    }
}

Test(exchange_mail, a_server_that_is_not_there_has_taken_nothing)
{
    const struct seen seen = send_to("smtp://127.0.0.1:1", "x", false);
    cr_expect_eq(seen.status, -1);
    cr_expect_eq(seen.failure.kind, ERROR_UNAVAILABLE);
}

Test(exchange_mail, an_address_that_is_not_public_is_not_connected_to)
{
    const struct seen seen = send_to(NULL, "x", true);
    cr_expect_eq(seen.failure.kind, ERROR_CONFIGURATION);
    cr_expect(strstr(seen.failure.text, "not a public one"), "%s", seen.failure.text);
}
