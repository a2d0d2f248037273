/* `bookflow history BOOKING_ID`: the audit trail and timeline of one booking. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "buf.h"
#include "operator.h"
#include "remote.h"

static const char usage[] = "usage: bookflow history BOOKING_ID [--json]\n"
                            "\n"
                            "Shows every step of a booking: who did what, when, and whether the"
                            " other worker was told.\n"
                            "Asks the intake worker at BOOKFLOW_URL (http://127.0.0.1:3000).\n";

static const char *field(const json_t *entry, const char *name)
{
    const char *text = json_string_value(json_object_get(entry, name));
    return text ? text : "";
}

static void print_entry(const json_t *entry)
{
    remote_print(field(entry, "at"), 20);
    (void)printf("  ");
    remote_print(field(entry, "actor"), 10);
    (void)printf("  ");
    remote_print(field(entry, "event"), 18);
    (void)printf("  ");
    remote_print(field(entry, "to"), 10);
    (void)printf("  ");
    remote_print(field(entry, "reason"), 0);
    (void)printf("\n");
}

static void print_history(const json_t *body, bool as_json)
{
    const json_t *history = json_object_get(body, "history");
    if (as_json) {
        (void)json_dumpf(body, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
        (void)printf("\n");
        return;
    }
    for (size_t i = 0; i < json_array_size(history); i++)
        print_entry(json_array_get(history, i));
}

static int show(const char *booking_id, bool as_json)
{
    struct error error = {0};
    struct buf path AUTO(buf_release) = {0};
    struct client *client AUTO(client_release) = remote_open(&error);
    if (!client)
        return remote_fail(&error);
    buf_text_append(&path, "/bookings/");
    client_escape(&path, booking_id);
    buf_text_append(&path, "/history");
    json_t *body = remote_call(client, "GET", buf_text(&path), NULL, &error);
    if (!body)
        return remote_fail(&error);
    print_history(body, as_json);
    json_decref(body);
    return EXIT_SUCCESS;
}

int history_main(int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
    bool as_json = false;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'h' || option == '?')
            return remote_usage(usage, option == 'h');
        as_json = true;
    }
    return optind == argc - 1 ? show(argv[optind], as_json) : remote_usage(usage, false);
}
