/* What the operator's verbs share. */
#include "remote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "json_fields.h"
#include "text.h"

struct client *remote_open(struct error *error)
{
    const char *url = getenv("BOOKFLOW_URL");
    const char *token = getenv("BOOKFLOW_TOKEN");
    const char *file = getenv("BOOKFLOW_TOKEN_FILE");
    const struct client_options options = {
        .url = url && *url ? url : "http://127.0.0.1:3000",
        .token = token && *token ? token : NULL,
        .timeout_ms = INT64_C(60000), /* a bulk import of slots takes its time on a small machine */
    };
    struct client *client = client_new(&options, error);
    if (client && file && *file && !client_read_token(client, file, error))
        client_release(&client);
    return client;
}

json_t *remote_call(struct client *client, const char *method, const char *path, const json_t *body,
                    struct error *error)
{
    struct buf text AUTO(buf_release) = {0};
    struct client_answer answer AUTO(client_answer_release) = {0};
    if (body)
        json_append(&text, body);
    const struct client_call call = {
        .method = method, .path = path, .body = body ? buf_text(&text) : NULL};
    if (!client_send(client, &call, &answer, error))
        return NULL;
    if (answer.status >= 400) {
        (void)client_refusal(&answer, error);
        return NULL;
    }
    return json_parse_object(buf_text(&answer.body), answer.body.length, error);
}

int remote_fail(const struct error *error)
{
    struct buf text AUTO(buf_release) = {0};
    text_display(&text, error->text, strlen(error->text));
    (void)fprintf(stderr, "bookflow: %s\n", buf_text(&text));
    return error_policy(error->kind)->exit_code;
}

int remote_usage(const char *text, bool asked)
{
    (void)fputs(text, asked ? stdout : stderr);
    return asked ? EXIT_SUCCESS : error_policy(ERROR_USAGE)->exit_code;
}

void remote_print(const char *text, size_t columns)
{
    struct buf safe AUTO(buf_release) = {0};
    struct buf cut AUTO(buf_release) = {0};
    text_display(&safe, text, strlen(text));
    if (columns == 0) {
        (void)fputs(buf_text(&safe), stdout);
        return;
    }
    size_t used = text_fit(&cut, buf_text(&safe), columns);
    (void)printf("%s%*s", buf_text(&cut), (int)(columns - used), "");
}
