/* `bookflow notice list|preview|replay`: what people were told, would be told, once more. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json_fields.h"
#include "operator.h"
#include "remote.h"

static const char usage[] =
    "usage: bookflow notice list [BOOKING_ID] [--waiting] [--json]\n"
    "       bookflow notice preview BOOKING_ID [--channel mail|webhook|sms] [--json]\n"
    "       bookflow notice replay BOOKING_ID|NOTICE_ID [--json]\n"
    "\n"
    "list     what was told of a booking, or of all, newest first\n"
    "preview  what would be told of a booking now\n"
    "replay   tells it again: only what is true today\n"
    "Asks the intake worker at BOOKFLOW_URL (http://127.0.0.1:3000).\n";

struct wish {
    const char *id; /* NULL = none */
    const char *channel;
    bool waiting;
    bool as_json;
};

static const char *field(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static void print_list(const json_t *body)
{
    static const struct {
        const char *name;
        size_t columns;
    } columns[] = {{"created", 20}, {"state", 10}, {"due", 20}, {"id", 0}};
    const json_t *notices = json_object_get(body, "notices");
    for (size_t i = 0; i < json_array_size(notices); i++) {
        const json_t *notice = json_array_get(notices, i);
        for (size_t j = 0; j < sizeof columns / sizeof *columns; j++) {
            remote_print(field(notice, columns[j].name), columns[j].columns);
            (void)fputs(columns[j].columns ? "  " : "\n", stdout);
        }
    }
    if (json_array_size(notices) == 0)
        (void)puts("no notices");
}

/* A text of several lines, each made safe to show. */
static void print_lines(const char *text)
{
    while (*text) {
        const size_t length = strcspn(text, "\r\n");
        char *line AUTO(memory_release) = memory_text_n(text, length);
        (void)fputs("  ", stdout);
        remote_print(line, 0);
        (void)fputs("\n", stdout);
        text += length;
        text += *text == '\r';
        text += *text == '\n';
    }
}

static void print_preview(const json_t *body)
{
    static const char *const parts[] = {"to", "subject", "text", "calendar"};
    const json_t *notices = json_object_get(body, "notices");
    for (size_t i = 0; i < json_array_size(notices); i++) {
        const json_t *notice = json_array_get(notices, i);
        const json_t *payload = json_object_get(notice, "payload");
        (void)printf("%s", i > 0 ? "\n" : "");
        remote_print(field(notice, "channel"), 0);
        (void)fputs(" to ", stdout);
        remote_print(field(notice, "recipient"), 0);
        (void)fputs("\n", stdout);
        for (size_t j = 0; j < sizeof parts / sizeof *parts; j++)
            print_lines(field(notice, parts[j]));
        if (payload) {
            struct buf text AUTO(buf_release) = {0};
            json_append(&text, payload);
            print_lines(buf_text(&text));
        }
    }
    if (json_array_size(notices) == 0)
        (void)puts("nobody is told");
}

static void print_replay(const json_t *body)
{
    (void)printf("%lld to be sent again\n",
                 (long long)json_integer_value(json_object_get(body, "replayed")));
}

static void list_path(const struct wish *wish, struct buf *path)
{
    buf_printf(path, "/notices?limit=1000%s", wish->waiting ? "&waiting=true" : "");
    if (wish->id) {
        buf_text_append(path, "&bookingId=");
        client_escape(path, wish->id);
    }
}

static void preview_path(const struct wish *wish, struct buf *path)
{
    buf_text_append(path, "/bookings/");
    client_escape(path, wish->id);
    buf_text_append(path, "/notices/preview");
    if (wish->channel) {
        buf_text_append(path, "?channel=");
        client_escape(path, wish->channel);
    }
}

static void replay_path(const struct wish *wish, struct buf *path)
{
    buf_text_append(path, "/notices/");
    client_escape(path, wish->id);
    buf_text_append(path, "/replay");
}

static const struct deed {
    const char *name;
    const char *method;
    bool needs_id;
    void (*path)(const struct wish *wish, struct buf *path);
    void (*print)(const json_t *body);
} deeds[] = {
    {"list", "GET", false, list_path, print_list},
    {"preview", "GET", true, preview_path, print_preview},
    {"replay", "POST", true, replay_path, print_replay},
};

static int perform(const struct deed *deed, const struct wish *wish)
{
    struct error error = {0};
    struct buf path AUTO(buf_release) = {0};
    struct client *client AUTO(client_release) = remote_open(&error);
    if (!client)
        return remote_fail(&error);
    deed->path(wish, &path);
    json_t *body AUTO(json_release) =
        remote_call(client, deed->method, buf_text(&path), NULL, &error);
    if (!body)
        return remote_fail(&error);
    if (!wish->as_json) {
        deed->print(body);
        return EXIT_SUCCESS;
    }
    (void)json_dumpf(body, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    (void)printf("\n");
    return EXIT_SUCCESS;
}

int notice_main(int argc, char **argv)
{
    static const struct option options[] = {{"channel", required_argument, NULL, 'c'},
                                            {"waiting", no_argument, NULL, 'w'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct wish wish = {0};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'h' || option == '?')
            return remote_usage(usage, option == 'h');
        wish.channel = option == 'c' ? optarg : wish.channel;
        wish.waiting = wish.waiting || option == 'w';
        wish.as_json = wish.as_json || option == 'j';
    }
    const char *name = optind < argc ? argv[optind] : "";
    wish.id = optind + 1 < argc ? argv[optind + 1] : NULL;
    for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++)
        if (strcmp(name, deeds[i].name) == 0 && argc - optind <= 2 &&
            (wish.id || !deeds[i].needs_id))
            return perform(&deeds[i], &wish);
    return remote_usage(usage, false);
}
