/* The console with its screen, from the first frame to the last key. */
#ifndef BOOKFLOW_SESSION_H
#define BOOKFLOW_SESSION_H

#include "conf.h"
#include "remote.h"

/* Runs until the person quits or a signal ends it; says on stderr what was left unsent. False only
 * when it could not start. */
MUST_CHECK bool session_run(const struct remote *remote, const struct conf *conf,
                            struct error *error);

#endif
