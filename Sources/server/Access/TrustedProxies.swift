package import Platform

/// Which peers may say on whose behalf they ask: addresses and networks, separated by commas.
package struct TrustedProxies: Sendable, Equatable {
    private let blocks: [AddressBlock]

    /// Nobody.
    package init() { blocks = [] }

    /// Reads `127.0.0.1` or `10.0.0.0/8, 2001:db8::/32`; nil for anything else.
    package init?(_ text: String) {
        var blocks: [AddressBlock] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let block = AddressBlock(part.filter { $0 != " " }) else { return nil }
            blocks.append(block)
        }
        self.blocks = blocks
    }

    package var isEmpty: Bool { blocks.isEmpty }

    package func contains(_ address: IPAddress) -> Bool { blocks.contains { $0.contains(address) } }

    /// Who asks: the connection's peer, or, where that is a trusted proxy, the last address of `forwarded` that is not
    /// one. Each proxy adds the address that it saw at the end, so that what a client puts in itself stands before.
    ///
    /// - Parameter forwarded: the values of X-Forwarded-For, in their order.
    package func client(peer: IPAddress?, forwarded: @autoclosure () -> [String]) -> IPAddress? {
        guard !blocks.isEmpty, let peer, contains(peer) else { return peer }
        var nearest = peer
        for entry in forwarded().flatMap({ $0.split(separator: ",") }).reversed() {
            // What a trusted proxy cannot have written ends the chain that can be trusted.
            guard let address = IPAddress(forwarded: entry) else { return nearest }
            nearest = address
            guard contains(address) else { break }
        }
        return nearest
    }
}
