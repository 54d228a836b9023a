internal import CCurl
internal import Glibc

/// One transfer in curl: its handle, the lists that curl reads from, and the context of its callbacks.
///
/// Lives on the engine's thread. It is taken out of `CurlMulti` before it ends.
@safe
final class CurlTransfer {
    let easy: UnsafeMutableRawPointer
    let sink: TransferSink
    let plan: TransferPlan
    /// The reference that curl's callbacks use: taken here, given back in `deinit`, where curl has let go.
    private let context: Unmanaged<TransferSink>
    /// curl's own words on a failure, CURL_ERROR_SIZE bytes.
    private let words: UnsafeMutablePointer<CChar>
    private var lists: [UnsafeMutablePointer<curl_slist>] = unsafe []

    /// - Throws: `OutboundError` where curl refuses an option.
    init(_ plan: TransferPlan) throws(OutboundError) {
        guard let easy = unsafe curl_easy_init() else {
            throw OutboundError(.other, "curl has no memory for a transfer")
        }
        self.plan = plan
        unsafe self.easy = easy
        sink = TransferSink(plan)
        unsafe context = Unmanaged.passRetained(sink)
        unsafe words = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe words.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        // From here on `deinit` frees everything, also where an option is refused.
        try configure()
    }

    deinit {
        // SAFETY: curl reads lists, words and context until its handle ends, so that it ends first; each ends once, here.
        unsafe curl_easy_cleanup(easy)
        unsafe lists.forEach { unsafe curl_slist_free_all($0) }
        unsafe words.deallocate()
        unsafe context.release()
    }

    func set(_ option: CURLoption, _ value: Int) throws(OutboundError) {
        // SAFETY: the handle lives.
        try Self.check(unsafe pl_curl_set_long(easy, option, value), option)
    }

    func set(_ option: CURLoption, size: Int) throws(OutboundError) {
        // SAFETY: as above.
        try Self.check(unsafe pl_curl_set_size(easy, option, curl_off_t(size)), option)
    }

    /// curl copies the text. What comes from outside has been looked over for NUL, which would cut it.
    func set(_ option: CURLoption, _ text: String) throws(OutboundError) {
        // SAFETY: as above.
        try Self.check(unsafe pl_curl_set_text(easy, option, text), option)
    }

    func unset(_ option: CURLoption) throws(OutboundError) {
        // SAFETY: as above; a null text takes the default away.
        try Self.check(unsafe pl_curl_set_text(easy, option, nil), option)
    }

    /// Hands over `entries`, which live until the handle ends.
    func set(_ option: CURLoption, list entries: [String]) throws(OutboundError) {
        var list: UnsafeMutablePointer<curl_slist>?
        for entry in entries {
            // SAFETY: curl copies the entry and returns the list with it, or nil, and then the list is as it was.
            guard let longer = unsafe curl_slist_append(list, entry) else {
                if let list = unsafe list { unsafe curl_slist_free_all(list) }
                throw OutboundError(.other, "curl has no memory for a list")
            }
            unsafe list = longer
        }
        guard let list = unsafe list else { return }
        unsafe lists.append(list)
        // SAFETY: the list is freed in `deinit`, after the handle.
        try Self.check(unsafe pl_curl_set_pointer(easy, option, list), option)
    }

    /// Sends a copy of `bytes` as the body.
    func set(body bytes: [UInt8]) throws(OutboundError) {
        try set(CURLOPT_POSTFIELDSIZE_LARGE, size: bytes.count)
        // An array without elements may have no address, which for curl would mean: ask the read callback.
        let room = bytes.isEmpty ? [0] : bytes
        // SAFETY: curl copies as many bytes as the size says, within this call.
        let code = unsafe room.withUnsafeBytes { bytes in
            unsafe pl_curl_set_text(
                easy, CURLOPT_COPYPOSTFIELDS, bytes.bindMemory(to: CChar.self).baseAddress)
        }
        try Self.check(code, CURLOPT_COPYPOSTFIELDS)
    }

    func setCallbacks() throws(OutboundError) {
        let pointer = unsafe context.toOpaque()
        // SAFETY: `context` is retained until `deinit` has ended the handle, and the callbacks read nothing else of it.
        for option in [
            CURLOPT_HEADERDATA, CURLOPT_WRITEDATA, CURLOPT_READDATA, CURLOPT_OPENSOCKETDATA, CURLOPT_PREREQDATA,
            CURLOPT_DEBUGDATA,
        ] {
            try Self.check(unsafe pl_curl_set_pointer(easy, option, pointer), option)
        }
        unsafe pl_curl_set_pointer(easy, CURLOPT_ERRORBUFFER, words)
        try Self.check(
            unsafe pl_curl_set_data_function(easy, CURLOPT_HEADERFUNCTION, CurlCallbacks.head), CURLOPT_HEADERFUNCTION)
        try Self.check(
            unsafe pl_curl_set_data_function(easy, CURLOPT_WRITEFUNCTION, CurlCallbacks.body), CURLOPT_WRITEFUNCTION)
        try Self.check(
            unsafe pl_curl_set_data_function(easy, CURLOPT_READFUNCTION, CurlCallbacks.message), CURLOPT_READFUNCTION)
        try Self.check(unsafe pl_curl_set_open_function(easy, CurlCallbacks.open), CURLOPT_OPENSOCKETFUNCTION)
        try Self.check(unsafe pl_curl_set_before_function(easy, CurlCallbacks.before), CURLOPT_PREREQFUNCTION)
    }

    /// The callbacks of a dialogue.
    func setDialogueCallbacks() throws(OutboundError) {
        try Self.check(unsafe pl_curl_set_debug_function(easy, CurlCallbacks.debug), CURLOPT_DEBUGFUNCTION)
        if let lifeline = plan.lifeline {
            // Newer versions than 7.88 close a socket in their own time, after the handle too. So the context is none of this
            // transfer's. SAFETY: a lifeline lives as long as a socket of it is open.
            let pointer = unsafe Unmanaged.passUnretained(lifeline).toOpaque()
            try Self.check(
                unsafe pl_curl_set_pointer(easy, CURLOPT_CLOSESOCKETDATA, pointer), CURLOPT_CLOSESOCKETDATA)
            try Self.check(unsafe pl_curl_set_close_function(easy, CurlCallbacks.close), CURLOPT_CLOSESOCKETFUNCTION)
        }
        try set(CURLOPT_VERBOSE, 1)
        try set(CURLOPT_FORBID_REUSE, 1)
        try set(CURLOPT_FRESH_CONNECT, 1)
        // SAFETY: the handle lives.
        try Self.check(unsafe pl_curl_allow_refused_recipients(easy), CURLOPT_MAIL_RCPT)
    }

    /// How the transfer ended, by curl's word and what the callbacks saw.
    func outcome(_ code: CURLcode) -> TransferOutcome {
        var status = 0
        var received: curl_off_t = 0
        var sent: curl_off_t = 0
        // SAFETY: each is of the type that its name says in curl's documentation.
        unsafe pl_curl_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
        unsafe pl_curl_get_size(easy, CURLINFO_SIZE_DOWNLOAD_T, &received)
        unsafe pl_curl_get_size(easy, CURLINFO_SIZE_UPLOAD_T, &sent)
        let text = unsafe String(cString: words)
        return TransferOutcome(
            failure: OutboundError(code, words: text, sink: sink), status: status, headers: sink.head.headers,
            body: sink.body, dialogue: sink.dialogue, sentBytes: Int(sent), receivedBytes: Int(received))
    }

    private static func check(_ code: CURLcode, _ option: CURLoption) throws(OutboundError) {
        guard code != CURLE_OK else { return }
        // SAFETY: a text that curl keeps for ever.
        let reason = unsafe curl_easy_strerror(code).map { unsafe String(cString: $0) } ?? "unknown reason"
        throw OutboundError(
            .other, "libcurl refuses its option \(option.rawValue): \(reason)",
            mend: "Use libcurl 7.87 or later with TLS, HTTP and SMTP.")
    }
}
