/* The rules, driven as the workers drive them. */
#include "town_fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "decision.h"
#include "intake.h"
#include "outbox.h"

enum { ROWS = 16 };

void town_book(struct town *town, int number)
{
    char slot[32];
    struct booking booking = {0};
    struct error error = {0};
    (void)snprintf(slot, sizeof slot, "slot-%d", number + 1);
    if (number > 0)
        rules_add_slot(&town->rules, slot, "provider-1", NOON + number * 3600);
    const struct booking_order order = {.slot_id = slot,
                                        .user_id = "user-1",
                                        .world = &town->rules.world,
                                        .now_ms = town->rules.now_ms};
    cr_assert(intake_book(town->rules.intake, &order, &booking, &error), "%s", error.text);
    id_copy(town->ids[number], booking.id);
    town->rules.now_ms++; /* so that the ids are in order */
}

void town_decide(struct town *town, int number, enum booking_command command)
{
    struct decision_record record = {0};
    struct error error = {0};
    const struct decision decision = {.command = command,
                                      .provider_id = "provider-1",
                                      .booking_id = town->ids[number],
                                      .actor = "provider",
                                      .world = &town->rules.world,
                                      .now_ms = town->rules.now_ms};
    cr_assert(decision_make(town->rules.decision, &decision, &record, &error), "%s", error.text);
}

void town_cancel(struct town *town, int number)
{
    struct booking booking = {0};
    struct error error = {0};
    const struct booking_cancel order = {
        .booking_id = town->ids[number], .world = &town->rules.world, .now_ms = town->rules.now_ms};
    cr_assert(intake_cancel(town->rules.intake, &order, &booking, &error), "%s", error.text);
}

void town_hear(struct town *town, struct db *receiver, const char *body)
{
    struct event event;
    struct error error = {0};
    enum consumer_effect effect = EFFECT_DUPLICATE;
    consumer_handle_fn *const handle = receiver == town->rules.intake ? intake_hear : decision_hear;
    cr_assert(event_from_json(body, strlen(body), &event, &error), "%s", error.text);
    cr_assert(handle(NULL, receiver, &event, town->rules.now_ms, &effect, &error), "%s",
              error.text);
}

void town_send(struct town *town, struct db *sender, bool heard)
{
    struct outbox_row rows[ROWS];
    struct error error = {0};
    size_t count = 0;
    cr_assert(outbox_load(sender, 0, rows, ROWS, &count, &error), "%s", error.text);
    struct db *other = sender == town->rules.intake ? town->rules.decision : town->rules.intake;
    while (count-- > 0) {
        if (heard)
            town_hear(town, other, rows[count].body);
        cr_assert(outbox_sent(sender, &rows[count], town->rules.now_ms, &error), "%s", error.text);
        outbox_row_release(&rows[count]);
    }
}

void town_open(struct town *town)
{
    rules_open(&town->rules);
    for (int i = 0; i < BOOKINGS; i++)
        town_book(town, i);
    town_cancel(town, 3);
    town_send(town, town->rules.intake, true);
    town_decide(town, 0, BOOKING_ACCEPT);
    town_decide(town, 1, BOOKING_REJECT);
    town_decide(town, 2, BOOKING_ACCEPT);
    town_decide(town, 2, BOOKING_WITHDRAW);
    town_send(town, town->rules.decision, true);
}

void town_close(struct town *town)
{
    rules_close(&town->rules);
}
