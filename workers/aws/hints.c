/* The hints in headers. */
#include "hints.h"

#include <curl/curl.h>
#include <stdlib.h>

enum { ANSWER_AGE_MS = 15 * 60 * 1000, DATE_STEP_MS = 2000 };

bool hints_skew(const struct exchange_answer *answer, const struct world *world, int64_t took_ms,
                int64_t *skew_ms)
{
    const char *date = exchange_header_of(answer, "Date");
    const time_t theirs = date ? curl_getdate(date, NULL) : -1;
    if (theirs == -1 || exchange_header_of(answer, "Age") || took_ms > ANSWER_AGE_MS)
        return false;
    const int64_t skew = (int64_t)theirs * 1000 - world_wall_ms(world);
    /* Dates are whole seconds: what is less is not known. */
    *skew_ms = llabs(skew) < DATE_STEP_MS ? 0 : skew;
    return true;
}

int64_t hints_retry_after_ms(const struct exchange_answer *answer)
{
    const char *text = exchange_header_of(answer, "x-amz-retry-after");
    char *end = NULL;
    const long long asked = text ? strtoll(text, &end, 10) : -1;
    return text && end != text && asked >= 0 && asked < INT32_MAX ? asked : -1;
}
