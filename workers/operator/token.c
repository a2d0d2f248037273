/* `bookflow token`: who may call the workers. Works on the tokens file alone, beside workers that
 * run: they read it again. */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json_fields.h"
#include "operator.h"
#include "remote.h"
#include "state_dir.h"
#include "timestamp.h"
#include "tokens.h"
#include "world.h"

static const char usage[] =
    "usage: bookflow token create NAME --role admin|booker|provider [--provider ID]\n"
    "                             [--expires DAYS] [--json]\n"
    "       bookflow token list [--json]\n"
    "       bookflow token revoke ID\n"
    "\n"
    "create  prints ID.SECRET, the last word of its answer, this once: only a hash is kept.\n"
    "        A booker creates, reads and cancels bookings; a provider reaches what is its own;\n"
    "        an admin everything. Decisions stand in the trail under NAME.\n"
    "        To change a token without a refused request: create another with the same NAME,\n"
    "        hand it over, revoke the old one.\n"
    "list    shows who has tokens\n"
    "revoke  takes one back; ID is what stands before the dot\n"
    "\n"
    "  --env-file FILE  read KEY=value lines; the real environment wins\n"
    "\n"
    "The file is BOOKFLOW_TOKENS_FILE, by default `tokens` in BOOKFLOW_STATE_DIR; running workers\n"
    "read it again by themselves.\n";

enum { DAYS_MAX = 3650, DAY_S = 24 * 3600 };

struct token_call {
    const char *what;
    const char *subject; /* NAME or ID */
    const char *role;
    const char *provider;
    const char *expires;
    const char *env_file;
    bool as_json;
    /* From the environment: */
    char *state_dir;
    char *path;
};

static void call_release(struct token_call *call)
{
    free(call->state_dir);
    free(call->path);
}

/* --- Printing. --- */

static json_t *token_json(const struct token *token)
{
    const bool never = token->expires_s == INT64_MAX;
    return json_pack("{s:s,s:s,s:s,s:o,s:o,s:o}", "id", token->id, "name", token->name, "role",
                     token_role_name(token->role), "provider",
                     json_text_or_null(token->provider_id), "created",
                     json_timestamp(token->created_s), "expires",
                     never ? json_null() : json_timestamp(token->expires_s));
}

static void print_json(const json_t *value)
{
    (void)json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
    (void)printf("\n");
}

static void print_token(const struct token *token, int64_t now_s)
{
    char created[TIMESTAMP_SIZE];
    char expires[TIMESTAMP_SIZE];
    const bool never = token->expires_s == INT64_MAX;
    (void)printf("%s  %-8s  ", token->id, token_role_name(token->role));
    remote_print(*token->provider_id ? token->provider_id : "-", 16);
    (void)printf("  %s  %-20s  ", timestamp_format(token->created_s, created),
                 never ? "-" : timestamp_format(token->expires_s, expires));
    remote_print(token->name, 0);
    (void)printf("%s\n", token->expires_s <= now_s ? " (expired)" : "");
}

static void print_list(const struct token_list *list, bool as_json)
{
    const int64_t now_s = world_wall_ms(world_real()) / 1000;
    json_t *all AUTO(json_release) = json_array();
    if (!as_json)
        (void)printf("ID                ROLE      PROVIDER          CREATED               "
                     "EXPIRES               NAME\n");
    for (size_t i = 0; i < list->count; i++)
        if (as_json)
            (void)json_array_append_new(all, token_json(&list->items[i]));
        else
            print_token(&list->items[i], now_s);
    if (as_json)
        print_json(all);
}

/* --- The verbs. --- */

static bool read_days(const char *text, int64_t *days)
{
    char *end = NULL;
    errno = 0;
    *days = strtoll(text, &end, 10);
    return errno == 0 && end > text && !*end && *days >= 1 && *days <= DAYS_MAX;
}

static bool read_role(const struct token_call *call, struct token *token, struct error *error)
{
    const bool is_provider = call->role && strcmp(call->role, "provider") == 0;
    if (!call->role || !token_role_parse(call->role, &token->role))
        return error_set(error, ERROR_USAGE, "--role must be admin, booker or provider");
    if (is_provider != (call->provider != NULL))
        return error_set(error, ERROR_USAGE,
                         "--provider belongs to --role provider, and only to it");
    if (!is_provider)
        return true;
    if (!id_valid(call->provider, strlen(call->provider)))
        return error_set(error, ERROR_USAGE,
                         "--provider must be an id: 1 to %d of A-Z a-z 0-9 . _ : -", ID_MAX);
    id_copy(token->provider_id, call->provider);
    return true;
}

static bool read_token(const struct token_call *call, struct token *token, struct error *error)
{
    int64_t days = 0;
    token->created_s = world_wall_ms(world_real()) / 1000;
    token->expires_s = INT64_MAX;
    if (call->expires && !read_days(call->expires, &days))
        return error_set(error, ERROR_USAGE, "--expires must be a number of days, 1 to %d",
                         DAYS_MAX);
    if (call->expires)
        token->expires_s = token->created_s + days * DAY_S;
    if (!token_name_check(call->subject, error) || !read_role(call, token, error))
        return false;
    (void)snprintf(token->name, sizeof token->name, "%s", call->subject);
    return true;
}

static void print_secret(const struct token_call *call, const struct token *token, const char *text)
{
    if (!call->as_json) {
        (void)printf("%s, shown this once: %s\n", token->name, text);
        return;
    }
    json_t *made AUTO(json_release) = token_json(token);
    (void)json_object_set_new(made, "token", json_string(text));
    print_json(made);
}

static bool create(const struct token_call *call, struct error *error)
{
    struct token token = {.role = TOKEN_BOOKER};
    char text[TOKEN_TEXT_SIZE];
    if (!read_token(call, &token, error))
        return false;
    if (!getenv("BOOKFLOW_TOKENS_FILE") && !state_dir_make(call->state_dir, error))
        return false;
    if (!tokens_add(call->path, &token, text, error))
        return false;
    print_secret(call, &token, text);
    OPENSSL_cleanse(text, sizeof text);
    return fflush(stdout) == 0 ||
           error_set(error, ERROR_UNAVAILABLE,
                     "the token was made but could not be shown: revoke %s", token.id);
}

static bool list(const struct token_call *call, struct error *error)
{
    struct token_list all = {.items = NULL};
    if (!tokens_read(call->path, &all, error))
        return false;
    print_list(&all, call->as_json);
    const bool sound =
        all.damaged == 0 || error_set(error, ERROR_DAMAGED, "%s: %s", call->path, all.trouble);
    token_list_release(&all);
    return sound;
}

static bool revoke(const struct token_call *call, struct error *error)
{
    if (strchr(call->subject, '.'))
        return error_set(error, ERROR_USAGE,
                         "give only the id, which stands before the dot: the secret is seen by all"
                         " who list processes");
    return tokens_remove(call->path, call->subject, error);
}

static const struct verb {
    const char *name;
    bool (*run)(const struct token_call *call, struct error *error);
    bool takes_subject;
    bool takes_options; /* of create */
} verbs[] = {
    {"create", create, true, true}, {"list", list, false, false}, {"revoke", revoke, true, false}};

static bool find_files(struct token_call *call, struct error *error)
{
    struct config *config AUTO(config_release) = config_read(call->env_file, error);
    if (!config)
        return false;
    call->state_dir = state_dir_read(config);
    call->path = state_dir_tokens(config, call->state_dir);
    return config_check(config, error);
}

static int run(struct token_call *call, const struct verb *verb)
{
    struct error error = {0};
    if (find_files(call, &error) && verb->run(call, &error))
        return EXIT_SUCCESS;
    return remote_fail(&error);
}

static void take_option(struct token_call *call, int option)
{
    const char **fields[] = {['r'] = &call->role,
                             ['p'] = &call->provider,
                             ['x'] = &call->expires,
                             ['e'] = &call->env_file};
    if (option == 'j')
        call->as_json = true;
    else
        *fields[option] = optarg;
}

static const struct verb *verb_of(const struct token_call *call, int words)
{
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        const struct verb *verb = &verbs[i];
        if (strcmp(call->what, verb->name) != 0)
            continue;
        const bool options = call->role || call->provider || call->expires;
        return words == 1 + verb->takes_subject && (verb->takes_options || !options) ? verb : NULL;
    }
    return NULL;
}

int token_main(int argc, char **argv)
{
    static const struct option options[] = {{"role", required_argument, NULL, 'r'},
                                            {"provider", required_argument, NULL, 'p'},
                                            {"expires", required_argument, NULL, 'x'},
                                            {"env-file", required_argument, NULL, 'e'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct token_call call AUTO(call_release) = {.what = ""};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'h' || option == '?')
            return remote_usage(usage, option == 'h');
        take_option(&call, option);
    }
    const int words = argc - optind;
    call.what = words > 0 ? argv[optind] : "";
    call.subject = words > 1 ? argv[optind + 1] : NULL;
    const struct verb *verb = verb_of(&call, words);
    return verb ? run(&call, verb) : remote_usage(usage, false);
}
