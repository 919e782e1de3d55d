#include <lzma.h>

/// `LZMA_STREAM_INIT` is a macro; a stream whose fields are all zero is one.
///
/// The decoder reads one .xz stream and checks it, with at most `memory` bytes of its own.
static inline lzma_ret meristem_xz_decoder_init(lzma_stream *stream, uint64_t memory) {
    return lzma_stream_decoder(stream, memory, LZMA_TELL_UNSUPPORTED_CHECK);
}
