/* What one client may use up: buckets that refill, seats, and how long somebody is remembered. */
#include <criterion/criterion.h>
#include <string.h>

#include "clients.h"

static struct client_key key_of(unsigned char number)
{
    return (struct client_key){.kind = CLIENT_ADDRESS, .bytes = {[15] = number}};
}

static int asked(struct clients *clients, const struct client_key *key, int64_t now_ms, int times)
{
    int granted = 0;
    for (int i = 0; i < times; i++)
        granted += clients_ask(clients, key, now_ms);
    return granted;
}

Test(clients, may_ask_a_second_s_worth_at_once_and_then_as_fast_as_it_refills)
{
    static const struct {
        int64_t at_ms;
        int granted;
    } steps[] = {{0, 10}, {0, 0}, {99, 0}, {100, 1}, {350, 2}, {400, 1}, {1400, 10}, {9000, 10}};
    struct clients *clients = clients_new();
    const struct client_key key = key_of(1);
    const struct client_key other = key_of(2);
    clients_limit(clients, 10, 0);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        cr_expect_eq(asked(clients, &key, steps[i].at_ms, 50), steps[i].granted, "step %zu", i);
    cr_expect_eq(asked(clients, &other, 9000, 50), 10, "each for himself");
    clients_free(clients);
}

Test(clients, are_told_apart_by_kind_and_by_every_byte)
{
    struct clients *clients = clients_new();
    struct client_key key = {.kind = CLIENT_SOCKET};
    clients_limit(clients, 1, 0);
    for (size_t i = 0; i < sizeof key.bytes; i++) {
        for (enum client_kind kind = CLIENT_SOCKET; kind <= CLIENT_TOKEN; kind++) {
            key.kind = kind;
            key.bytes[i] = 1;
            cr_expect_eq(asked(clients, &key, 0, 2), 1, "byte %zu, kind %d", i, (int)kind);
        }
    }
    clients_free(clients);
}

Test(clients, hold_no_more_seats_than_there_are_and_give_them_back)
{
    struct clients *clients = clients_new();
    const struct client_key key = key_of(1);
    const struct client_key other = key_of(2);
    clients_limit(clients, 0, 2);
    struct seat *first = clients_sit(clients, &key, 0);
    struct seat *second = clients_sit(clients, &key, 0);
    cr_assert(first && second);
    cr_expect_null(clients_sit(clients, &key, 0));
    cr_expect(clients_sit(clients, &other, 0), "each for himself");
    cr_expect_eq(asked(clients, &key, 0, 1000), 1000, "no limit for requests");
    clients_rise(first);
    cr_expect(clients_sit(clients, &key, 0));
    clients_rise(NULL);
    clients_free(clients);
}

Test(clients, are_forgotten_when_nothing_of_them_counts_any_more)
{
    enum { MANY = 50000 };
    struct clients *clients = clients_new();
    clients_limit(clients, 10, 1);
    struct client_key stays = key_of(1);
    stays.kind = CLIENT_TOKEN;
    cr_assert(clients_sit(clients, &stays, 0));
    for (int i = 0; i < MANY; i++) {
        struct client_key key = {.kind = CLIENT_ADDRESS};
        memcpy(key.bytes, &i, sizeof i);
        (void)clients_ask(clients, &key, i); /* a new address each millisecond */
    }
    cr_expect_leq(clients_count(clients), 4000, "%zu of %d", clients_count(clients), MANY);
    cr_expect_null(clients_sit(clients, &stays, MANY), "who holds something is not");
    clients_free(clients);
}

Test(clients, are_without_limits_until_some_are_set)
{
    struct clients *clients = clients_new();
    const struct client_key key = key_of(1);
    cr_expect_eq(asked(clients, &key, 0, 1000), 1000);
    struct seat *seat = clients_sit(clients, &key, 0);
    cr_assert(seat);
    clients_limit(clients, 5, 1);
    cr_expect_null(clients_sit(clients, &key, 0), "the seat that was taken before counts");
    cr_expect_eq(asked(clients, &key, 1000, 10), 5);
    clients_rise(seat);
    clients_free(clients);
}
