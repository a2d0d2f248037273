/* The queue must not see a store. Built with what the queue layer may use, this file must not
 * compile; see CMakeLists.txt beside it. */
#include "outbox.h"

extern int wrong_include;
int wrong_include;
