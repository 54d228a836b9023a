import Foundation

/// Doubles as a JSON array: exact there and back, and legible in any SQL shell.
enum NumberList {
    /// - Throws: `StoreError` of code `invalidValue` where a number is not finite, which JSON cannot say.
    static func text(of numbers: [Double]) throws -> String {
        guard numbers.allSatisfy(\.isFinite) else {
            throw StoreError(.invalidValue, "a list with a number that is not finite cannot be stored")
        }
        // Swift prints the shortest digits that give the same Double back.
        return "[" + numbers.map(\.description).joined(separator: ",") + "]"
    }

    /// - Throws: `StoreError` of code `unexpectedValue` for anything but a flat array of finite numbers.
    static func numbers(of text: String) throws -> [Double] {
        guard text.hasPrefix("["), text.hasSuffix("]"), text.utf8.count >= 2 else { throw malformed }
        let inner = text.dropFirst().dropLast()
        if inner.allSatisfy(\.isWhitespace) { return [] }
        return try inner.split(separator: ",", omittingEmptySubsequences: false).map { part in
            guard let number = Double(part.trimmingCharacters(in: .whitespaces)), number.isFinite else {
                throw malformed
            }
            return number
        }
    }

    private static var malformed: StoreError {
        StoreError(.unexpectedValue, "a stored list of numbers is not a JSON array of numbers")
    }
}
