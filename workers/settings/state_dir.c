/* The folder of the stores. Knows which variables name it, and nothing of what is in it. */
#include "state_dir.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"

char *state_dir_read(struct config *config)
{
    struct buf path AUTO(buf_release) = {0};
    const char *own = config_text(config, "BOOKFLOW_STATE_DIR");
    const char *systemd = config_text(config, "STATE_DIRECTORY");
    const char *xdg = config_text(config, "XDG_STATE_HOME");
    const char *home = config_text(config, "HOME");
    if (own)
        buf_text_append(&path, own);
    else if (systemd)
        buf_append(&path, systemd, strcspn(systemd, ":")); /* systemd lists several with colons */
    else if (xdg)
        buf_printf(&path, "%s/bookflow", xdg);
    else if (home)
        buf_printf(&path, "%s/.local/state/bookflow", home);
    else
        config_complain(config, "BOOKFLOW_STATE_DIR", "is not set, and neither is HOME");
    if (path.length && *buf_text(&path) != '/')
        config_complain(config, "BOOKFLOW_STATE_DIR", "must be an absolute path, not \"%s\"",
                        buf_text(&path));
    return buf_take(&path);
}

char *state_dir_tokens(struct config *config, const char *state_dir)
{
    const char *named = config_text(config, "BOOKFLOW_TOKENS_FILE");
    struct buf path AUTO(buf_release) = {0};
    if (named)
        buf_text_append(&path, named);
    else
        buf_printf(&path, "%s/tokens", state_dir);
    if (*buf_text(&path) != '/')
        config_complain(config, "BOOKFLOW_TOKENS_FILE", "must be an absolute path, not \"%s\"",
                        buf_text(&path));
    return buf_take(&path);
}

/* What is not there yet will be made in the nearest folder above that is. */
bool state_dir_check(const char *path, struct error *error)
{
    char *folder AUTO(memory_release) = memory_text(path);
    while (access(folder, F_OK) < 0 && errno == ENOENT && strrchr(folder, '/') > folder)
        *strrchr(folder, '/') = '\0';
    return access(folder, W_OK | X_OK) == 0 ||
           error_set(error, ERROR_CONFIGURATION,
                     "cannot write to the state directory %s: %s (set BOOKFLOW_STATE_DIR)", path,
                     strerror(errno));
}

bool state_dir_make(const char *path, struct error *error)
{
    struct buf folder AUTO(buf_release) = {0};
    for (const char *at = path; *at;) {
        size_t length = 1 + strcspn(at + 1, "/");
        buf_append(&folder, at, length);
        at += length;
        if (mkdir(buf_text(&folder), 0700) < 0 && errno != EEXIST)
            return error_set(error, ERROR_CONFIGURATION,
                             "cannot make the state directory %s: %s (set BOOKFLOW_STATE_DIR)",
                             buf_text(&folder), strerror(errno));
    }
    return state_dir_check(path, error);
}
