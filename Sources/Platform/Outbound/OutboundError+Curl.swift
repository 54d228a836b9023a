internal import CCurl

extension OutboundError {
    /// What curl's code means here; nil for success.
    ///
    /// - Parameter words: what curl had to say beyond the code; cut, and with nothing that would not print.
    init?(_ code: CURLcode, words: String, sink: TransferSink) {
        if code == CURLE_OK { return nil }
        // What a callback stopped the transfer for; curl only knows that it was stopped.
        if let failure = sink.failure {
            self = failure
            return
        }
        if let objection = sink.objection, code == CURLE_COULDNT_CONNECT {
            self.init(
                .forbiddenAddress, "the server is at an address that is not to be reached: \(objection)",
                mend: "If it is meant, add the host or its address to the private addresses that are allowed.")
            return
        }
        let (reason, mend) = Self.reason(code)
        let shown = String(
            words.unicodeScalars.prefix(200).map { $0.value >= 0x20 && $0.value != 0x7F ? Character($0) : " " })
        // SAFETY: a text that curl keeps for ever.
        let general =
            unsafe curl_easy_strerror(code).map { unsafe String(cString: $0) } ?? "curl error \(code.rawValue)"
        self.init(reason, shown.isEmpty ? general : shown, mend: mend)
    }

    private static func reason(_ code: CURLcode) -> (Code, mend: String?) {
        switch code {
        case CURLE_URL_MALFORMAT: (.invalidURL, nil)
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: (.notResolved, nil)
        case CURLE_COULDNT_CONNECT: (.notConnected, nil)
        case CURLE_OPERATION_TIMEDOUT: (.timedOut, nil)
        case CURLE_SSL_CACERT_BADFILE:
            (.tls, "Look whether the file of trusted certificates is there and in PEM form.")
        case CURLE_PEER_FAILED_VERIFICATION:
            (.tls, "If its certificate is your own, name a file of trusted certificates with its issuer.")
        case CURLE_USE_SSL_FAILED:
            (.tls, "The server offers no TLS on this port; ask for another port or server.")
        case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR,
            CURLE_SSL_SHUTDOWN_FAILED, CURLE_SSL_ENGINE_NOTFOUND, CURLE_SSL_ENGINE_SETFAILED,
            CURLE_SSL_ENGINE_INITFAILED, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_CRL_BADFILE,
            CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_SSL_CLIENTCERT:
            (.tls, nil)
        case CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_SEND_ERROR: (.cutOff, nil)
        case CURLE_FILESIZE_EXCEEDED: (.tooLarge, nil)
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY, CURLE_HTTP2, CURLE_HTTP2_STREAM,
            CURLE_BAD_CONTENT_ENCODING, CURLE_LOGIN_DENIED, CURLE_WRITE_ERROR,
            // Of a head that curl cannot keep, such as a field without a name.
            CURLE_BAD_FUNCTION_ARGUMENT:
            (.protocolViolation, nil)
        default: (.other, nil)
        }
    }
}
