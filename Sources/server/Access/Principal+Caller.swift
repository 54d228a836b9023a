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
}
