/* `bookflow slots`: a table of verbs. */
#include "slots.h"

#include <string.h>

#include "operator.h"
#include "remote.h"

const char slots_usage[] =
    "usage: bookflow slots generate --provider ID --from YYYY-MM-DD --days N --hours HH:MM-HH:MM\n"
    "                               --length MINUTES [--tz ZONE]\n"
    "       bookflow slots import FILE.csv\n"
    "       bookflow slots list --provider ID [--json]\n"
    "\n"
    "generate  makes back-to-back slots on each day; times are of ZONE (default: the system's)\n"
    "import    reads a file with the header line id,provider_id,start,end; id may be empty; times\n"
    "          are RFC 3339; a line that cannot be read stops the import before anything is sent;\n"
    "          a provider's slots go in requests of 10,000, each added whole or not at all\n"
    "list      prints a provider's slots\n"
    "\n"
    "Asks the intake worker at BOOKFLOW_URL (http://127.0.0.1:3000).\n";

int slots_main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*main)(int argc, char **argv);
    } verbs[] = {{"generate", slots_generate_main},
                 {"import", slots_import_main},
                 {"list", slots_list_main}};
    const char *name = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(name, verbs[i].name) == 0)
            return verbs[i].main(argc - 1, argv + 1);
    return remote_usage(slots_usage, strcmp(name, "--help") == 0);
}
