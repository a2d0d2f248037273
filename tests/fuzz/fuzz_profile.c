/* The shared configuration files of the AWS tools: whatever they hold, it is read or refused in a
 * line that acts on no terminal, and a value is one line. The input is both files at once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config.h"
#include "fuzz.h"
#include "profile.h"

static void looked_at(const struct profile *profile)
{
    static const char *const keys[] = {
        "region",   "aws_access_key_id", "aws_secret_access_key", "credential_process",
        "role_arn", "services",          "endpoint_url"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *value = profile_value(profile, keys[i]);
        FUZZ_CHECK(!value || !strchr(value, '\n'), "%s has more than one line", keys[i]);
    }
    const char *endpoint = profile_service_value(profile, "sqs", "endpoint_url");
    FUZZ_CHECK(!endpoint || !strchr(endpoint, '\n'), "an endpoint of more than one line");
    FUZZ_CHECK(profile_name(profile)[0], "a profile without a name");
}

static void read_as(const char *path, const char *name)
{
    char file[96];
    char other[96];
    char profile_variable[96];
    (void)snprintf(file, sizeof file, "AWS_CONFIG_FILE=%s", path);
    (void)snprintf(other, sizeof other, "AWS_SHARED_CREDENTIALS_FILE=%s", path);
    (void)snprintf(profile_variable, sizeof profile_variable, "AWS_PROFILE=%s", name);
    char *variables[] = {file, other, *name ? profile_variable : NULL, NULL};
    char **real = environ;
    struct error error = {0};
    environ = variables;
    struct config *config AUTO(config_release) = config_read(NULL, &error);
    FUZZ_CHECK(config, "%s", error.text);
    struct profile *profile AUTO(profile_release) = profile_read(config, &error);
    environ = real;
    if (profile)
        looked_at(profile);
    else
        FUZZ_CHECK(error.kind == ERROR_CONFIGURATION &&
                       fuzz_is_showable(error.text, strlen(error.text)),
                   "refused as %d: %s", (int)error.kind, error.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    const int fd = memfd_create("profile", MFD_CLOEXEC);
    FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size, "no file in memory");
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    read_as(path, "");
    read_as(path, "work");
    (void)close(fd);
    return 0;
}
