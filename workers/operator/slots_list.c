/* `bookflow slots list`: a provider's slots, page by page. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "buf.h"
#include "json_fields.h"
#include "remote.h"
#include "slots.h"

static const char *field(const json_t *slot, const char *name)
{
    const char *text = json_string_value(json_object_get(slot, name));
    return text ? text : "";
}

static void print_slot(const json_t *slot)
{
    bool available = json_is_true(json_object_get(slot, "available"));
    remote_print(field(slot, "start"), 20);
    (void)printf("  ");
    remote_print(field(slot, "end"), 20);
    (void)printf("  %-7s  ", available ? "free" : "booked");
    remote_print(field(slot, "id"), 0);
    (void)printf("\n");
}

/* Appends a page to `all`; *next is the cursor of the one behind it, "" at the end. */
static bool read_page(struct client *client, const char *provider, struct buf *next, json_t *all,
                      struct error *error)
{
    struct buf path AUTO(buf_release) = {0};
    buf_text_append(&path, "/providers/");
    client_escape(&path, provider);
    buf_text_append(&path, "/slots?limit=1000");
    if (next->length) {
        buf_text_append(&path, "&after=");
        client_escape(&path, buf_text(next));
    }
    json_t *page = remote_call(client, "GET", buf_text(&path), NULL, error);
    if (!page)
        return false;
    (void)json_array_extend(all, json_object_get(page, "slots"));
    buf_clear(next);
    buf_text_append(next, field(page, "next"));
    json_decref(page);
    return true;
}

static void print_all(const json_t *all, bool as_json)
{
    if (as_json) {
        (void)json_dumpf(all, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
        (void)printf("\n");
        return;
    }
    for (size_t i = 0; i < json_array_size(all); i++)
        print_slot(json_array_get(all, i));
}

static bool list(const char *provider, bool as_json, struct error *error)
{
    struct buf next AUTO(buf_release) = {0};
    struct client *client AUTO(client_release) = remote_open(error);
    json_t *all AUTO(json_release) = json_array();
    if (!client)
        return false;
    do {
        if (!read_page(client, provider, &next, all, error))
            return false;
    } while (next.length);
    print_all(all, as_json);
    return true;
}

int slots_list_main(int argc, char **argv)
{
    static const struct option options[] = {{"provider", required_argument, NULL, 'p'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    const char *provider = NULL;
    bool as_json = false;
    struct error error = {0};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'h' || option == '?')
            return remote_usage(slots_usage, option == 'h');
        provider = option == 'p' ? optarg : provider;
        as_json = as_json || option == 'j';
    }
    if (!provider || optind != argc)
        return remote_usage(slots_usage, false);
    return list(provider, as_json, &error) ? EXIT_SUCCESS : remote_fail(&error);
}
