internal import CoreFoundation
internal import Foundation
internal import Glibc

/// What `pathlight doctor` looks at where the service meets others: its address, its port, whom it trusts.
package enum NetworkChecks {
    // MARK: The address

    /// - Parameter isBehindProxy: whether a proxy that ends TLS is named in the settings.
    package static func address(_ host: String, isBehindProxy: Bool) -> DoctorFinding {
        if ServiceSettings.isLoopback(host) {
            return DoctorFinding(
                subject: "address", state: .good,
                detail: "\(host), this machine alone" + (isBehindProxy ? ", behind a proxy" : ""))
        }
        guard isBehindProxy else {
            return DoctorFinding(
                subject: "address", state: .broken,
                detail: "\(host) can be reached from other machines, and no `trusted_proxy` ends TLS in front of it")
        }
        return DoctorFinding(
            subject: "address", state: .good,
            detail: "\(host), reached through the proxy; see that nothing else reaches it (a firewall)")
    }

    // MARK: The port

    package enum PortState: Equatable {
        case free
        /// This program answers there.
        case served
        case taken
        /// The system's words.
        case refused(String)
    }

    static func port(_ port: Int, host: String) -> DoctorFinding {
        guard port != 0 else {
            return DoctorFinding(subject: "port", state: .good, detail: "any that is free")
        }
        return judge(state(of: port, host: host), port: port, host: host)
    }

    package static func judge(_ state: PortState, port: Int, host: String) -> DoctorFinding {
        switch state {
        case .free: DoctorFinding(subject: "port", state: .good, detail: "\(port) is free")
        case .served: DoctorFinding(subject: "port", state: .good, detail: "\(port): a service is running there")
        case .taken:
            DoctorFinding(
                subject: "port", state: .broken,
                detail: "\(port) is taken by another program; stop it, or set another `port`")
        case .refused(let reason):
            DoctorFinding(
                subject: "port", state: .broken, detail: "\(host):\(port) cannot be listened on: \(reason)")
        }
    }

    private static func state(of port: Int, host: String) -> PortState {
        let name = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        // SAFETY: all zeros, as the call wants what is not set.
        var hints = unsafe addrinfo()
        unsafe hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        // SAFETY: strings and hints are read during the call; the list it makes is freed below.
        let problem = unsafe getaddrinfo(name, String(port), &hints, &list)
        guard problem == 0, let first = unsafe list else {
            // SAFETY: the C library's text is copied at once.
            return .refused(unsafe String(cString: gai_strerror(problem)))
        }
        // SAFETY: the list came from getaddrinfo and is not used afterwards.
        defer { unsafe freeaddrinfo(first) }
        // SAFETY: the list is not empty and lives until it is freed.
        let address = unsafe first.pointee
        let file = unsafe socket(address.ai_family, address.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard file >= 0 else { return .refused(reason(errno)) }
        defer { close(file) }
        var yes: Int32 = 1
        // SAFETY: the number is read during the call. As the server does: connections that have ended do not count.
        _ = unsafe setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        // SAFETY: the address is of the list, with its own length.
        guard unsafe bind(file, address.ai_addr, address.ai_addrlen) != 0 else { return .free }
        guard errno == EADDRINUSE else { return .refused(reason(errno)) }
        // SAFETY: as above.
        return unsafe isServed(address) ? .served : .taken
    }

    /// Whether `GET /livez` is answered as this program answers it.
    ///
    /// - Parameter address: of a list that lives through the call.
    private static func isServed(_ address: addrinfo) -> Bool {
        let file = unsafe socket(address.ai_family, address.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard file >= 0 else { return false }
        defer { close(file) }
        var patience = timeval(tv_sec: 2, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            // SAFETY: the structure is read during the call.
            _ = unsafe setsockopt(file, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
        }
        // SAFETY: the address is of a list that lives, with its own length.
        guard unsafe connect(file, address.ai_addr, address.ai_addrlen) == 0 else { return false }
        let handle = FileHandle(fileDescriptor: file, closeOnDealloc: false)
        let request = "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        guard (try? handle.write(contentsOf: Data(request.utf8))) != nil,
            let reply = try? handle.read(upToCount: 4096)
        else { return false }
        return String(decoding: reply, as: UTF8.self).contains("alive")
    }

    private static func reason(_ problem: Int32) -> String {
        if problem == EACCES {
            return "ports below 1024 are for root; set another `port`, and let a proxy have that one"
        }
        // SAFETY: the C library's text is copied at once.
        return unsafe String(cString: strerror(problem))
    }

    // MARK: Certificates

    /// Where systems keep the certificates that others' are checked against; Debian's and Fedora's.
    private static let bundles = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"]

    /// - Parameter environment: may name another file, as TLS libraries do.
    package static func trust(environment: [String: String], bundles: [String]? = nil) -> DoctorFinding {
        let named = ["CURL_CA_BUNDLE", "SSL_CERT_FILE"].compactMap { environment[$0] }.first { !$0.isEmpty }
        let candidates = named.map { [$0] } ?? bundles ?? Self.bundles
        for path in candidates {
            guard let data = FileManager.default.contents(atPath: path) else { continue }
            let count =
                String(decoding: data, as: UTF8.self).components(separatedBy: "-----BEGIN CERTIFICATE-----").count - 1
            guard count > 0 else {
                return DoctorFinding(
                    subject: "trust", state: .warning,
                    detail: "\(path) has no certificates; nothing outside can be trusted")
            }
            return DoctorFinding(subject: "trust", state: .good, detail: "\(count) certificates in \(path)")
        }
        return DoctorFinding(
            subject: "trust", state: .warning,
            detail: "\(candidates.joined(separator: " or ")) cannot be read, so that calls to models, mail and other "
                + "sites by TLS fail; install ca-certificates")
    }
}
