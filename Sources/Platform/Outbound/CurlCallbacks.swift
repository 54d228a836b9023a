internal import CCurl
internal import Glibc

/// The functions that curl calls. Each finds its transfer's sink in the context; none keeps a pointer.
enum CurlCallbacks {
    // SAFETY, of all: curl calls them on the engine's thread while the transfer lives, with the context that it was given,
    // which is retained as long; bytes are valid for the length of the call.

    static let head: pl_curl_data_function = { bytes, size, count, context in
        guard let bytes = unsafe bytes, let sink = unsafe sink(context) else { return 0 }
        let line = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
        // Anything but the number of bytes makes curl stop.
        return unsafe sink.takeHead(line) ? line.count : 0
    }

    static let body: pl_curl_data_function = { bytes, size, count, context in
        guard let bytes = unsafe bytes, let sink = unsafe sink(context) else { return 0 }
        let piece = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
        return unsafe sink.takeBody(piece) ? piece.count : 0
    }

    static let message: pl_curl_data_function = { bytes, size, count, context in
        guard let bytes = unsafe bytes, let sink = unsafe sink(context) else { return Int(CURL_READFUNC_ABORT) }
        return unsafe sink.giveMessage(UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
    }

    static let open: pl_curl_open_function = { context, purpose, address in
        guard let address = unsafe address, let sink = unsafe sink(context) else { return -1 }
        // SAFETY: curl's structure holds an address of any family, of which `addrlen` bytes are set; it is written as one
        // `sockaddr` and goes on behind it.
        let start = unsafe UnsafeRawPointer(address).advanced(
            by: MemoryLayout<curl_sockaddr>.offset(of: \.addr) ?? 0)
        let resolved = unsafe IPAddress(
            unsafe: start.assumingMemoryBound(to: sockaddr.self), length: address.pointee.addrlen)
        guard purpose == CURLSOCKTYPE_IPCXN, sink.admits(resolved) else { return -1 }
        let descriptor = unsafe socket(
            address.pointee.family, address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue), address.pointee.protocol)
        if descriptor >= 0 { sink.lifeline?.opened(descriptor) }
        return descriptor
    }

    static let before: pl_curl_before_function = { context, remote, _, _, _ in
        guard let remote = unsafe remote, let sink = unsafe sink(context) else { return CURL_PREREQFUNC_ABORT }
        // A link-local address has its zone behind it, which the number does not need.
        let text = unsafe String(cString: remote).prefix { $0 != "%" }
        return sink.admitsConnection(to: IPAddress(String(text))) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
    }

    /// The one whose context is no sink: curl may call it when the transfer has ended.
    static let close: pl_curl_close_function = { context, descriptor in
        guard let context = unsafe context else { return Glibc.close(descriptor) }
        // SAFETY: the lifeline lives as long as a socket of it is open, and this one is.
        unsafe Unmanaged<SocketLifeline>.fromOpaque(context).takeUnretainedValue().close(descriptor)
        return 0
    }

    static let debug: pl_curl_debug_function = { _, type, bytes, count, context in
        guard let bytes = unsafe bytes, let sink = unsafe sink(context) else { return 0 }
        let line = unsafe UnsafeRawBufferPointer(start: bytes, count: count)
        switch type {
        case CURLINFO_HEADER_OUT: unsafe sink.sent(line)
        case CURLINFO_HEADER_IN: unsafe sink.received(line)
        default: break
        }
        return 0
    }

    private static func sink(_ context: UnsafeMutableRawPointer?) -> TransferSink? {
        guard let context = unsafe context else { return nil }
        return unsafe Unmanaged<TransferSink>.fromOpaque(context).takeUnretainedValue()
    }
}
