import Foundation

/// Strings as a JSON array.
enum StringList {
    /// - Throws: `StoreError` of code `invalidValue` where the strings cannot be written.
    static func text(of strings: [String]) throws -> String {
        do {
            return String(decoding: try JSONEncoder().encode(strings), as: UTF8.self)
        } catch {
            throw StoreError(.invalidValue, "a list of strings cannot be written", cause: "\(error)")
        }
    }

    /// - Throws: `StoreError` of code `unexpectedValue` for anything but a flat array of strings.
    static func strings(of text: String) throws -> [String] {
        do {
            return try JSONDecoder().decode([String].self, from: Data(text.utf8))
        } catch {
            throw StoreError(.unexpectedValue, "a column does not hold a list of strings", cause: "\(error)")
        }
    }
}
