/* The dialect of the shared configuration files, and which of the two counts. */
#include "profile.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aws_fixture.h"

struct files {
    int settings;
    int credentials;
    struct config *config;
};

/* NULL: there is no such file. */
static void open_files(struct files *files, const char *settings, const char *credentials,
                       const char *name)
{
    struct error error = {0};
    char path[64];
    cr_assert_eq(clearenv(), 0);
    files->settings = memory_file(settings ? settings : "");
    files->credentials = memory_file(credentials ? credentials : "");
    memory_file_path(files->settings, path);
    bench_set("AWS_CONFIG_FILE", "%s", settings ? path : "/nowhere/config");
    memory_file_path(files->credentials, path);
    bench_set("AWS_SHARED_CREDENTIALS_FILE", "%s", credentials ? path : "/nowhere/credentials");
    bench_set("AWS_PROFILE", "%s", name ? name : "");
    files->config = config_read(NULL, &error);
    cr_assert(files->config);
}

static void close_files(struct files *files)
{
    config_free(files->config);
    close(files->settings);
    close(files->credentials);
}

/* What the profile says of "region" in a config file: "" = nothing. */
Test(profile, value_is_read_in_the_dialect_of_the_aws_tools)
{
    static const struct {
        const char *name, *text, *value;
    } cases[] = {
        {NULL, "[default]\nregion = a\n", "a"},
        {NULL, "[default]\nregion=a", "a"},
        {NULL, "[default]\r\nregion = a\r\n", "a"},
        {NULL, "[default]\n\tregion\t=\ta b \t\n", "a b"},
        {NULL, "[default]\n  region = a\n  output = b\n", "a"},
        {NULL, "[ default ]\nregion = a\n", "a"},
        {NULL, "[default] # mine\nregion = a\n", "a"},
        {NULL, "# region = b\n; region = c\n[default]\n#region = d\nregion = a\n", "a"},
        {NULL, "[default]\nregion = a=b=c\n", "a=b=c"},
        {NULL, "[default]\nREGION = a\n", "a"},
        {NULL, "[default]\nregion = a\nregion = b\n", "b"},
        {NULL, "[default]\nregion = a\n[other]\nregion = b\n[default]\noutput = c\n", "a"},
        {NULL, "[profile default]\nregion = a\n", "a"},
        {NULL, "[default]\nregion =\n", ""},
        {NULL, "[default]\nregion\n", ""},
        {NULL, "[default]\noutput = x\n  region = nested\n", ""},
        {NULL, "region = a\n", ""},
        {NULL, "[other]\nregion = a\n", ""},
        {NULL, "", ""},
        {NULL, "[", ""},
        {NULL, "[]\n=\n =\n", ""},
        {NULL, "[default\nregion = a\n", "a"},
        {"dev", "[profile dev]\nregion = a\n", "a"},
        {"dev", "[profile   dev ]\nregion = a\n", "a"},
        {"dev", "[dev]\nregion = a\n[profile dev]\noutput = b\n", ""},
        {"dev", "[default]\nregion = a\n[profile dev]\noutput = b\n", ""},
        {"a b", "[profile a b]\nregion = a\n", "a"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct files files;
        struct error error = {0};
        open_files(&files, cases[i].text, NULL, cases[i].name);
        struct profile *profile AUTO(profile_release) = profile_read(files.config, &error);
        cr_assert(profile, "%s: %s", cases[i].text, error.text);
        const char *value = profile_value(profile, "region");
        cr_assert_str_eq(value ? value : "", cases[i].value, "%s", cases[i].text);
        close_files(&files);
    }
}

Test(profile, value_of_the_credentials_file_counts_before_the_config_files)
{
    struct files files;
    struct error error = {0};
    open_files(&files, "[profile x]\naws_access_key_id = c\nregion = r\n",
               "[x]\naws_access_key_id = k\n", "x");
    struct profile *profile AUTO(profile_release) = profile_read(files.config, &error);
    cr_assert(profile, "%s", error.text);
    cr_assert_str_eq(profile_value(profile, "aws_access_key_id"), "k");
    cr_assert_str_eq(profile_value(profile, "region"), "r");
    cr_assert_null(profile_value(profile, "output"));
    cr_assert_str_eq(profile_name(profile), "x");
    close_files(&files);
}

Test(profile, has_a_part_of_its_own_for_each_service)
{
    struct files files;
    struct error error = {0};
    open_files(&files,
               "[default]\nservices = mine\nendpoint_url = top\n[services mine]\n"
               "s3 =\n  endpoint_url = http://s3\nsqs =\n  endpoint_url = http://sqs\n"
               "[services other]\nsns =\n  endpoint_url = http://sns\n",
               NULL, NULL);
    struct profile *profile AUTO(profile_release) = profile_read(files.config, &error);
    cr_assert(profile, "%s", error.text);
    cr_assert_str_eq(profile_service_value(profile, "sqs", "endpoint_url"), "http://sqs");
    cr_assert_str_eq(profile_service_value(profile, "s3", "endpoint_url"), "http://s3");
    cr_assert_null(profile_service_value(profile, "sns", "endpoint_url"));
    cr_assert_null(profile_service_value(profile, "sqs", "region"));
    cr_assert_str_eq(profile_value(profile, "endpoint_url"), "top");
    close_files(&files);
}

Test(profile, that_is_asked_for_and_nowhere_is_a_failure_that_names_both_files)
{
    struct files files;
    struct error error = {0};
    open_files(&files, NULL, NULL, "ghost");
    cr_assert_null(profile_read(files.config, &error));
    cr_assert_eq(error.kind, ERROR_CONFIGURATION);
    cr_assert_str_eq(error.text, "AWS_PROFILE=ghost is neither in /nowhere/credentials nor in"
                                 " /nowhere/config");
    close_files(&files);
}

Test(profile, in_a_file_that_cannot_be_read_is_a_failure)
{
    struct files files;
    struct error error = {0};
    open_files(&files, NULL, NULL, NULL);
    bench_set("AWS_CONFIG_FILE", "/proc");
    config_free(files.config);
    files.config = config_read(NULL, &error);
    cr_assert_null(profile_read(files.config, &error));
    cr_assert_eq(error.kind, ERROR_CONFIGURATION);
    cr_assert(strstr(error.text, "/proc: cannot be read"), "%s", error.text);
    close_files(&files);
}

Test(profile, in_a_file_of_more_than_a_mib_is_a_failure)
{
    struct files files;
    struct error error = {0};
    struct buf text AUTO(buf_release) = {0};
    buf_text_append(&text, "[default]\nregion = a\n");
    while (text.length <= 1024 * 1024)
        buf_text_append(&text,
                        "################################################################\n");
    open_files(&files, buf_text(&text), NULL, NULL);
    cr_assert_null(profile_read(files.config, &error));
    cr_assert(strstr(error.text, "over a MiB"), "%s", error.text);
    close_files(&files);
}

Test(profile, of_many_entries_keeps_no_more_than_it_must)
{
    struct files files;
    struct error error = {0};
    struct buf text AUTO(buf_release) = {0};
    buf_text_append(&text, "[default]\nregion = a\n");
    for (int i = 0; i < 10000; i++)
        buf_printf(&text, "key%d = %d\n", i, i);
    open_files(&files, buf_text(&text), NULL, NULL);
    struct profile *profile AUTO(profile_release) = profile_read(files.config, &error);
    cr_assert(profile, "%s", error.text);
    cr_assert_str_eq(profile_value(profile, "region"), "a");
    cr_assert_null(profile_value(profile, "key9999"));
    close_files(&files);
}
