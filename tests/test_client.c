/* The HTTP client against a scripted server: single calls. */
#include "client.h"

#include <criterion/criterion.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "scripted_server.h"

static bool get(struct client *client, struct client_answer *answer, struct error *error)
{
    return client_send(client, &(struct client_call){.method = "GET", .path = "/"}, answer, error);
}

Test(client, sends_method_path_body_token_and_key_and_reads_status_and_body)
{
    struct server server = {
        .answers = {"HTTP/1.1 201 Created\r\nContent-Length: 11\r\n\r\n{\"id\":\"b\"}\n"}};
    start(&server);
    struct client *client AUTO(client_release) = connect_to(&server, "id.secret");
    struct client_answer answer AUTO(client_answer_release) = {0};
    struct error error = {0};
    const struct client_call call = {.method = "POST",
                                     .path = "/bookings",
                                     .body = "{\"slotId\":\"s\"}",
                                     .idempotency_key = "key-1"};
    cr_assert(client_send(client, &call, &answer, &error), "%s", error.text);
    finish(&server);
    cr_assert_eq(answer.status, 201);
    cr_assert_str_eq(buf_text(&answer.body), "{\"id\":\"b\"}\n");
    cr_assert_eq(answer.retry_after_s, -1);
    static const char *const expected[] = {"POST /bookings HTTP/1.1\r\n",
                                           "Authorization: Bearer id.secret\r\n",
                                           "Content-Type: application/json\r\n",
                                           "Idempotency-Key: key-1\r\n",
                                           "Content-Length: 14\r\n",
                                           "\r\n\r\n{\"slotId\":\"s\"}"};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        cr_assert(strstr(server.request, expected[i]), "%s in\n%s", expected[i], server.request);
    cr_assert_not(strstr(server.request, "Expect"));
}

Test(client, sends_a_post_without_a_body_with_length_zero)
{
    struct server server = {.answers = {"HTTP/1.1 204 No Content\r\n\r\n"}};
    start(&server);
    struct client *client AUTO(client_release) = connect_to(&server, NULL);
    struct client_answer answer AUTO(client_answer_release) = {0};
    struct error error = {0};
    cr_assert(client_send(client, &(struct client_call){.method = "POST", .path = "/a"}, &answer,
                          &error));
    finish(&server);
    cr_assert_eq(answer.status, 204);
    cr_assert(strstr(server.request, "Content-Length: 0\r\n"));
    cr_assert_not(strstr(server.request, "Authorization"));
}

/* One GET of a server with one answer. */
static struct client_answer get_from(const char *bytes)
{
    struct server server = {.answers = {bytes}};
    start(&server);
    struct client *client AUTO(client_release) = connect_to(&server, NULL);
    struct client_answer answer = {0};
    struct error error = {0};
    cr_assert(get(client, &answer, &error), "%s", error.text);
    finish(&server);
    return answer;
}

Test(client, does_not_follow_redirects)
{
    struct client_answer answer AUTO(client_answer_release) =
        get_from("HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n");
    cr_assert_eq(answer.status, 302);
}

Test(client, reads_retry_after)
{
    struct client_answer answer AUTO(client_answer_release) =
        get_from("HTTP/1.1 503 Busy\r\nRetry-After: 3\r\nContent-Length: 2\r\n\r\n{}");
    cr_assert_eq(answer.retry_after_s, 3);
}

Test(client, reports_a_server_that_does_not_answer_as_unavailable_and_keeps_the_old_answer)
{
    struct server server = {.answers = {NULL}};
    start(&server);
    finish(&server);
    struct client *client AUTO(client_release) = connect_to(&server, NULL);
    struct client_answer answer AUTO(client_answer_release) = {.status = 7};
    struct error error = {0};
    cr_assert_not(get(client, &answer, &error));
    cr_assert_eq(error.kind, ERROR_UNAVAILABLE);
    cr_assert_eq(answer.status, 7);
}

Test(client, gives_up_after_its_timeout)
{
    struct server server = {.answers = {""}, .hang = true};
    start(&server);
    struct error error = {0};
    struct client *client AUTO(client_release) =
        client_new(&(struct client_options){.url = server.url, .timeout_ms = 60}, &error);
    struct client_answer answer AUTO(client_answer_release) = {0};
    cr_assert_not(get(client, &answer, &error));
    cr_assert_eq(error.kind, ERROR_UNAVAILABLE);
    finish(&server);
}

Test(client, talks_over_a_unix_socket)
{
    char folder[] = "/tmp/test_client.XXXXXX";
    cr_assert(mkdtemp(folder));
    struct server server = {.answers = {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
                            .held = -1};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/s", folder);
    snprintf(server.url, sizeof server.url, "unix:%s/s", folder);
    server.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(server.fd, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(listen(server.fd, 1), 0);
    cr_assert_eq(pthread_create(&server.thread, NULL, serve, &server), 0);
    struct client *client AUTO(client_release) = connect_to(&server, NULL);
    struct client_answer answer AUTO(client_answer_release) = {0};
    struct error error = {0};
    cr_expect(get(client, &answer, &error));
    finish(&server);
    cr_expect(strstr(server.request, "GET / HTTP/1.1"));
    unlink(address.sun_path);
    rmdir(folder);
}

Test(client, refuses_what_is_not_a_url_and_a_token_that_could_forge_headers)
{
    static const struct {
        const char *url;
        const char *token;
        bool good;
    } cases[] = {
        {"http://127.0.0.1:3000", NULL, true}, {"https://book.example/", "a.b", true},
        {"unix:/run/x", NULL, true},           {"", NULL, false},
        {"127.0.0.1:3000", NULL, false},       {"ftp://host", NULL, false},
        {"file:///etc/passwd", NULL, false},   {"http://", NULL, false},
        {"http://u:p@host", NULL, false},      {"http://host/?a=b", NULL, false},
        {"unix:relative", NULL, false},        {"http://host:99999", NULL, false},
        {"http://host", "a\r\nX: y", false},   {"http://host", "", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error error = {0};
        struct client *client AUTO(client_release) = client_new(
            &(struct client_options){.url = cases[i].url, .token = cases[i].token}, &error);
        cr_expect_eq(client != NULL, cases[i].good, "%s", cases[i].url);
        cr_expect_eq(error.kind, cases[i].good ? ERROR_NONE : ERROR_CONFIGURATION, "%s",
                     cases[i].url);
    }
}

Test(client, changes_its_token_and_keeps_the_old_one_when_the_new_one_is_bad)
{
    struct server server = {.answers = {"HTTP/1.1 204 No Content\r\n\r\n"}};
    start(&server);
    struct client *client AUTO(client_release) = connect_to(&server, "first");
    struct client_answer answer AUTO(client_answer_release) = {0};
    struct error error = {0};
    cr_assert(client_set_token(client, "second", &error));
    cr_assert_not(client_set_token(client, "third\n", &error));
    cr_assert(get(client, &answer, &(struct error){0}));
    finish(&server);
    cr_assert(strstr(server.request, "Authorization: Bearer second\r\n"));
}

Test(client, reads_a_token_from_a_file_that_is_its_user_s_alone)
{
    static const struct {
        const char *text;
        mode_t mode;
        const char *trouble; /* NULL: taken */
    } cases[] = {{"second\nmore\n", 0600, NULL}, {"second", 0400, NULL},
                 {"third\n", 0640, "chmod 600"}, {"third\n", 0604, "chmod 600"},
                 {"third\n", 0620, "chmod 600"}, {"", 0600, "is empty"},
                 {"\n", 0600, "is empty"},       {"a b\n", 0600, "has a space"}};
    struct server server = {.answers = {"HTTP/1.1 204 No Content\r\n\r\n"}};
    start(&server);
    struct client *client AUTO(client_release) = connect_to(&server, "first");
    char path[] = "/tmp/test_client.XXXXXX";
    const int fd = mkstemp(path);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error error = {0};
        const ssize_t length = (ssize_t)strlen(cases[i].text);
        cr_assert(ftruncate(fd, 0) == 0 &&
                  pwrite(fd, cases[i].text, strlen(cases[i].text), 0) == length);
        cr_assert_eq(fchmod(fd, cases[i].mode), 0);
        cr_expect_eq(client_read_token(client, path, &error), cases[i].trouble == NULL, "case %zu",
                     i);
        cr_expect(strstr(error.text, cases[i].trouble ? cases[i].trouble : ""), "%s", error.text);
    }
    (void)unlink(path);
    (void)close(fd);
    struct error error = {0};
    cr_expect_not(client_read_token(client, path, &error));
    cr_expect_eq(error.kind, ERROR_CONFIGURATION);
    struct client_answer answer AUTO(client_answer_release) = {0};
    cr_assert(get(client, &answer, &(struct error){0}));
    finish(&server);
    cr_expect(strstr(server.request, "Authorization: Bearer second\r\n"),
              "the last good one stays");
}

Test(client, turns_a_refusal_into_the_servers_sentence_and_a_kind)
{
    static const struct {
        int status;
        enum error_kind kind;
    } cases[] = {{400, ERROR_INVALID},       {401, ERROR_UNAUTHORISED}, {403, ERROR_FORBIDDEN},
                 {404, ERROR_NOT_FOUND},     {409, ERROR_CONFLICT},     {413, ERROR_TOO_LARGE},
                 {422, ERROR_UNPROCESSABLE}, {429, ERROR_BUSY},         {500, ERROR_UNAVAILABLE},
                 {503, ERROR_UNAVAILABLE},   {418, ERROR_INVALID}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct client_answer answer AUTO(client_answer_release) = {.status = cases[i].status};
        buf_text_append(&answer.body, "{\"error\":\"Slot not found\"}");
        struct error error = {0};
        cr_expect_not(client_refusal(&answer, &error));
        cr_expect_eq(error.kind, cases[i].kind, "%d", cases[i].status);
        cr_expect_str_eq(error.text, "Slot not found");
    }
    static const char *const speechless[] = {"", "<html>", "{\"error\":\"\"}"};
    for (size_t i = 0; i < sizeof speechless / sizeof speechless[0]; i++) {
        struct client_answer answer AUTO(client_answer_release) = {.status = 502};
        buf_text_append(&answer.body, speechless[i]);
        struct error error = {0};
        cr_expect_not(client_refusal(&answer, &error));
        cr_expect(strstr(error.text, "502"), "%s", speechless[i]);
    }
}

Test(client, escapes_a_path_segment)
{
    struct buf text AUTO(buf_release) = {0};
    client_escape(&text, "a/b ?&=%\xc3\xa9~._-:");
    cr_assert_str_eq(buf_text(&text), "a%2Fb%20%3F%26%3D%25%C3%A9~._-%3A");
}
