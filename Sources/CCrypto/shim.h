// SHA-256 through the message digests of libcrypto.
#include <openssl/evp.h>
