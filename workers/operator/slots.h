/* The parts of `bookflow slots`. */
#ifndef BOOKFLOW_SLOTS_H
#define BOOKFLOW_SLOTS_H

extern const char slots_usage[];

int slots_generate_main(int argc, char **argv);
int slots_import_main(int argc, char **argv);
int slots_list_main(int argc, char **argv);

#endif
