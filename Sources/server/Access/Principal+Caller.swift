package import Platform

extension Principal {
    /// A name for who calls, the same whichever web session they came by; nil for somebody anonymous. It tells apart what
    /// is kept or counted by caller, and is no secret.
    package var caller: String? {
        switch credential {
        case .none: nil
        case .key(let id): "key \(id)"
        case .token, .webSession: "user \(userID ?? role.rawValue)"
        }
    }

    /// Whose bucket a request takes from: the user's, whichever of their keys it came by, since more keys are no more
    /// requests; the key's where it is nobody's. A key of a user needs no bucket of its own beside: there is one rate for
    /// both, so that it would never be the emptier one.
    var bucket: String? { userID.map { "user \($0)" } ?? caller }
}
