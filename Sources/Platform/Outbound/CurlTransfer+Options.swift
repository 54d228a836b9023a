internal import CCurl
internal import Glibc

extension CurlTransfer {
    func configure() throws(OutboundError) {
        let rest = ContinuousClock.now.duration(to: plan.deadline).milliseconds
        guard rest > 0 else { throw OutboundError(.timedOut, "the time was over before the transfer had its turn") }
        try setCallbacks()
        // No signals, which belong to the whole process.
        try set(CURLOPT_NOSIGNAL, 1)
        // A resolver that is slow goes on alone when its transfer ends; without this the thread would wait for it.
        try set(CURLOPT_QUICK_EXIT, 1)
        try set(CURLOPT_TIMEOUT_MS, rest)
        try set(CURLOPT_CONNECTTIMEOUT_MS, max(1, min(rest, plan.connectTimeout.milliseconds)))
        try set(CURLOPT_URL, plan.url)
        try set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1)
        // Empty: no proxy, and with one no host that goes past it, whatever the environment says. Behind a proxy the guard
        // of addresses looks at the proxy alone.
        try set(CURLOPT_PROXY, plan.proxy ?? "")
        try set(CURLOPT_NOPROXY, "")
        // What a proxy says of its tunnel is no part of the answer.
        try set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        try set(CURLOPT_NETRC, Int(CURL_NETRC_IGNORED.rawValue))
        try set(CURLOPT_FOLLOWLOCATION, 0)
        try set(CURLOPT_SSL_VERIFYPEER, 1)
        try set(CURLOPT_SSL_VERIFYHOST, 2)
        try set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        if let authorities = plan.authorities {
            try set(CURLOPT_CAINFO, authorities)
            // The file stands instead of the system's, not beside it.
            try unset(CURLOPT_CAPATH)
        }
        switch plan.work {
        case .exchange(let exchange): try configure(exchange)
        case .delivery(let delivery): try configure(delivery, rest)
        }
    }

    private func configure(_ exchange: HTTPExchange) throws(OutboundError) {
        try set(CURLOPT_PROTOCOLS_STR, "http,https")
        try set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
        try set(CURLOPT_HTTP09_ALLOWED, 0)
        // curl decompresses in pieces, each of which the bound on the body sees.
        try set(CURLOPT_ACCEPT_ENCODING, "gzip")
        try set(CURLOPT_USERAGENT, exchange.userAgent)
        switch exchange.method {
        case "HEAD": try set(CURLOPT_NOBODY, 1)
        case "GET" where exchange.body == nil: try set(CURLOPT_HTTPGET, 1)
        case "DELETE" where exchange.body == nil, "OPTIONS" where exchange.body == nil:
            try set(CURLOPT_CUSTOMREQUEST, exchange.method)
        default:
            try set(CURLOPT_POST, 1)
            try set(body: exchange.body ?? [])
            try set(CURLOPT_CUSTOMREQUEST, exchange.method)
        }
        // A semicolon says that the value is empty; a colon with nothing behind it would leave the field out.
        var lines = exchange.headers.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
        // What curl would add by itself: a wait for “100 Continue”, and a form as the type of any body.
        lines.append("Expect:")
        if !exchange.headers.contains(where: { OutboundHeaders.isSame($0.name, "content-type") }) {
            lines.append("Content-Type:")
        }
        try set(CURLOPT_HTTPHEADER, list: lines)
        try set(CURLOPT_HEADEROPT, Int(CURLHEADER_SEPARATE))
    }

    private func configure(_ delivery: SMTPDelivery, _ rest: Int) throws(OutboundError) {
        try set(CURLOPT_PROTOCOLS_STR, delivery.security == .tls ? "smtps" : "smtp")
        try set(
            CURLOPT_USE_SSL, Int(delivery.security == .plain ? CURLUSESSL_NONE.rawValue : CURLUSESSL_ALL.rawValue))
        try setDialogueCallbacks()
        try set(CURLOPT_SERVER_RESPONSE_TIMEOUT, rest / 1_000 + 1)
        if let user = delivery.user, let password = delivery.password {
            try set(CURLOPT_USERNAME, user)
            try set(CURLOPT_PASSWORD, password.exposed)
            // No NTLM, no Kerberos: large old code that nobody needs behind TLS.
            try set(CURLOPT_LOGIN_OPTIONS, "AUTH=PLAIN;AUTH=LOGIN")
        }
        guard !delivery.recipients.isEmpty else {
            try set(CURLOPT_CUSTOMREQUEST, "NOOP")
            // The words of the reply are in the dialogue, and are no body.
            try set(CURLOPT_NOBODY, 1)
            return
        }
        try set(CURLOPT_MAIL_FROM, "<\(delivery.sender)>")
        try set(CURLOPT_MAIL_RCPT, list: delivery.recipients.map { "<\($0)>" })
        try set(CURLOPT_UPLOAD, 1)
        try set(CURLOPT_INFILESIZE_LARGE, size: delivery.message.count)
    }
}
