/// What holds for every transfer.
package struct OutboundSettings: Sendable, Equatable {
    /// Hosts by name, addresses and blocks (`10.0.0.0/8`) that may be reached although they are private.
    package var allowedPrivate: [String]
    /// A file of certificates to trust instead of the system's.
    package var authorities: String?
    package var userAgent: String
    /// A proxy for all transfers (`http://host:port`); nil goes straight, whatever the environment says. Behind a proxy
    /// it is the proxy that resolves names, and so the proxy that has to refuse private addresses.
    package var proxy: String?
    /// For a connection to be there, TLS included.
    package var connectTimeout: Duration
    /// Transfers that are under way or wait; more are refused.
    package var maximumTransfers: Int
    /// Transfers that are under way at a time; the others wait.
    package var maximumUnderWay: Int

    package init(
        allowedPrivate: [String] = [], authorities: String? = nil, userAgent: String = "Pathlight",
        proxy: String? = nil, connectTimeout: Duration = .seconds(10), maximumTransfers: Int = 1024,
        maximumUnderWay: Int = 256
    ) {
        self.allowedPrivate = allowedPrivate
        self.authorities = authorities
        self.userAgent = userAgent
        self.proxy = proxy
        self.connectTimeout = connectTimeout
        self.maximumTransfers = maximumTransfers
        self.maximumUnderWay = maximumUnderWay
    }
}

/// `OutboundSettings.allowedPrivate`, read.
package struct AllowedPrivate: Sendable, Equatable {
    let hosts: Set<String>
    let blocks: [AddressBlock]

    /// - Throws: `invalidRequest` for an entry that is neither a host nor an address nor a block.
    package init(_ entries: [String]) throws(OutboundError) {
        var hosts: Set<String> = []
        var blocks: [AddressBlock] = []
        for entry in entries {
            if let block = AddressBlock(entry) {
                blocks.append(block)
            } else if !entry.isEmpty, entry.utf8.allSatisfy(Self.isOfHost), entry.contains(where: \.isLetter) {
                hosts.insert(entry.lowercased())
            } else {
                throw OutboundError(
                    .invalidRequest, "“\(entry)” is neither a host nor an address nor a block of addresses",
                    mend:
                        "Write a name, an address such as 10.1.2.3, or a block such as 10.0.0.0/8 whose address has no "
                        + "bits beyond its prefix.")
            }
        }
        self.hosts = hosts
        self.blocks = blocks
    }

    /// The guard for a connection to `host`; `isNamed` where the operator configured this very server.
    func addressGuard(for host: String, isNamed: Bool) -> AddressGuard {
        AddressGuard(reach: isNamed || hosts.contains(host.lowercased()) ? .named : .global, allowed: blocks)
    }

    private static func isOfHost(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
