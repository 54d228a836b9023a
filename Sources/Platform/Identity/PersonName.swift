internal import Foundation

/// What somebody wants to be called.
enum PersonName {
    static let maximumScalars = 100

    /// A name without spaces around it, or nil where nothing is left.
    ///
    /// - Throws: `IdentityError` of code `invalidName` for one that is too long or would break a line or a header.
    static func read(_ given: String?) throws(IdentityError) -> String? {
        guard let given, !given.isEmpty else { return nil }
        guard given.utf8.count <= maximumScalars * 16 else { throw tooLong }
        let name = given.precomposedStringWithCanonicalMapping.trimmingCharacters(in: .whitespacesAndNewlines)
        guard name.unicodeScalars.count <= maximumScalars else { throw tooLong }
        guard !name.unicodeScalars.contains(where: isForbidden) else {
            throw IdentityError(.invalidName, "the name has a control character; leave it out")
        }
        return name.isEmpty ? nil : name
    }

    /// Control characters, line and paragraph separators, and the marks that turn the direction of what follows, by
    /// which one name can be made to look like another.
    private static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: (0x202A...0x202E).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
        }
    }

    private static var tooLong: IdentityError {
        IdentityError(.invalidName, "the name has more than \(maximumScalars) characters; shorten it")
    }
}
