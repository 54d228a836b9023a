/// Decides whether a resolved address may be connected to.
///
/// It sees the number that the system is about to connect to, so that it does not matter how the address was written
/// (decimal, octal, with a zone) or to what a name resolves this time.
package struct AddressGuard: Sendable, Equatable {
    package enum Reach: Sendable, Equatable {
        /// What is global, and the blocks that a setting allows.
        case global
        /// Private addresses as well: the operator named this server.
        case named
        /// This machine alone.
        case loopback
    }

    package let reach: Reach
    package let allowed: [AddressBlock]

    package init(reach: Reach = .global, allowed: [AddressBlock] = []) {
        self.reach = reach
        self.allowed = allowed
    }

    /// Why `address` may not be connected to, or nil where it may.
    package func objection(to address: IPAddress) -> String? {
        let kind = address.kind
        switch reach {
        case .loopback:
            return kind == .loopback ? nil : "\(address) is not this machine"
        case .named where !kind.isNeverReached:
            return nil
        case .named, .global:
            if kind == .global { return nil }
            if !kind.isNeverReached, allowed.contains(where: { $0.contains(address) || $0.contains(address.unmapped) })
            {
                return nil
            }
            return "\(address) is \(kind.rawValue)"
        }
    }
}
