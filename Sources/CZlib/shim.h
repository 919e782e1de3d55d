#include <zlib.h>

/// `inflateInit2` is a macro: 15 is the largest window, + 16 asks for gzip framing and its check sum.
static inline int meristem_inflate_gzip_init(z_streamp stream) { return inflateInit2(stream, 15 + 16); }
