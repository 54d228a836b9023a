import HTTPTypes
import Hummingbird
import NIOCore

extension Response {
    /// The whole body, which the reply keeps: it can be hashed or stored before it is sent.
    ///
    /// - Throws: what the body's own writing throws.
    mutating func collectBody() async throws -> ByteBuffer {
        let writer = CollectingWriter()
        try await body.write(writer)
        let bytes = writer.collected.buffer
        body = ResponseBody(byteBuffer: bytes)
        return bytes
    }
}

/// Takes up what a body writes. The writer itself is consumed, so that the bytes lie behind a reference.
private struct CollectingWriter: ResponseBodyWriter {
    final class Collected {
        var buffer = ByteBuffer()
    }

    let collected = Collected()

    mutating func write(_ buffer: ByteBuffer) {
        // One part is the rule, and then nothing is copied.
        if collected.buffer.readableBytes == 0 {
            collected.buffer = buffer
        } else {
            collected.buffer.writeImmutableBuffer(buffer)
        }
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) {}
}
