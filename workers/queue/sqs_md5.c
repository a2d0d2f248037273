/* The digests that SQS gives back so that a client sees what was stored. The rule for attributes is
 * from the SQS developer guide, "Calculating the MD5 message digest for message attributes". */
#include <arpa/inet.h>
#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "sqs.h"
#include "text.h"

enum { MD5_SIZE = 16, TRANSPORT_STRING = 1, TRANSPORT_BINARY = 2 };

void sqs_md5_text(const char *text, size_t length, char out[MD5_HEX_SIZE])
{
    unsigned char digest[MD5_SIZE];
    const int done = EVP_Digest(text, length, digest, NULL, EVP_md5(), NULL);
    assert(done == 1);
    text_hex(out, digest, MD5_SIZE);
}

static void feed(struct buf *out, const void *data, size_t length)
{
    const uint32_t size = htonl((uint32_t)length);
    buf_append(out, &size, sizeof size);
    buf_append(out, data, length);
}

static int by_name(const void *left, const void *right)
{
    const struct md5_attribute *a = left;
    const struct md5_attribute *b = right;
    return strcmp(a->name, b->name);
}

void sqs_md5_attributes(struct md5_attribute attributes[], size_t count, char out[MD5_HEX_SIZE])
{
    struct buf text AUTO(buf_release) = {0};
    out[0] = '\0';
    if (count == 0)
        return;
    qsort(attributes, count, sizeof *attributes, by_name);
    for (size_t i = 0; i < count; i++) {
        feed(&text, attributes[i].name, strlen(attributes[i].name));
        feed(&text, attributes[i].type, strlen(attributes[i].type));
        buf_char(&text, attributes[i].binary ? TRANSPORT_BINARY : TRANSPORT_STRING);
        feed(&text, attributes[i].value, attributes[i].length);
    }
    sqs_md5_text(buf_text(&text), text.length, out);
}
