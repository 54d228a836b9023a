internal import Foundation

/// Reads JSON that came from outside: UTF-8, of bounded size and depth, and nothing after it.
package enum JSONReply {
    /// Lists and objects within each other. Nothing that is asked for comes near.
    package static let maximumDepth = 64

    /// Why bytes are not the JSON that is taken.
    package struct Problem: Error, Sendable, Equatable, CustomStringConvertible {
        package let description: String

        init(_ description: String) { self.description = description }
    }

    /// Decodes a value whose form is known, such as a provider's envelope; what it does not name is passed over.
    package static func decode<Value: Decodable>(
        _ type: Value.Type, from bytes: [UInt8], maximumBytes: Int = 4 << 20
    ) throws(Problem) -> Value {
        try check(bytes, maximumBytes: maximumBytes)
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let error as DecodingError {
            throw Problem(Self.description(of: error))
        } catch {
            throw Problem("it is not valid JSON")
        }
    }

    /// Reads any JSON value.
    package static func tree(of text: String, maximumBytes: Int = 1 << 20) throws(Problem) -> JSONTree {
        try decode(Decoded.self, from: Array(text.utf8), maximumBytes: maximumBytes).tree
    }

    /// What Foundation's decoder does not see to: it guesses other encodings than UTF-8, goes 512 levels deep on
    /// whatever stack it is called, and takes a comma before the end of a list.
    private static func check(_ bytes: [UInt8], maximumBytes: Int) throws(Problem) {
        guard bytes.count <= maximumBytes else { throw Problem("it has more than \(maximumBytes) bytes") }
        guard String(validating: bytes, as: UTF8.self) != nil, !bytes.contains(0) else {
            throw Problem("it is not UTF-8")
        }
        var depth = 0
        var isInString = false
        var isEscaped = false
        var followsComma = false
        for byte in bytes {
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isInString = true
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                depth += 1
                guard depth <= maximumDepth else { throw Problem("it nests deeper than \(maximumDepth) levels") }
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                guard !followsComma else { throw Problem("it has a comma before an end") }
                depth -= 1
            case 0x20, 0x09, 0x0A, 0x0D: continue
            default: break
            }
            followsComma = byte == UInt8(ascii: ",")
        }
    }

    /// The place, never the content: replies are about people.
    private static func description(of error: DecodingError) -> String {
        let context: DecodingError.Context
        switch error {
        case .keyNotFound(let key, let found):
            return "it lacks `\(path(found.codingPath + [key]))`"
        case .typeMismatch(_, let found), .valueNotFound(_, let found): context = found
        case .dataCorrupted: return "it is not valid JSON"
        @unknown default: return "it is not valid JSON"
        }
        return "`\(path(context.codingPath))` is not of the type that it should be"
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        keys.prefix(8).map { key in key.intValue.map(String.init) ?? String(key.stringValue.prefix(40)) }
            .joined(separator: ".")
    }
}

/// A tree out of Foundation's decoder. Members are sorted by name, since the decoder does not keep their order.
private struct Decoded: Decodable {
    let tree: JSONTree

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
        // The commonest first: each wrong guess costs an error.
        if let value = try? decoder.singleValueContainer().decode(String.self) {
            tree = .string(value)
        } else if let container = try? decoder.container(keyedBy: Key.self) {
            let keys = container.allKeys.sorted { $0.stringValue < $1.stringValue }
            tree = .object(
                try keys.map { .init($0.stringValue, try container.decode(Decoded.self, forKey: $0).tree) })
        } else if var container = try? decoder.unkeyedContainer() {
            var elements: [JSONTree] = []
            while !container.isAtEnd { elements.append(try container.decode(Decoded.self).tree) }
            tree = .array(elements)
        } else {
            tree = try Self.scalar(try decoder.singleValueContainer())
        }
    }

    private static func scalar(_ container: any SingleValueDecodingContainer) throws -> JSONTree {
        if container.decodeNil() { return .null }
        if let value = try? container.decode(Bool.self) { return .bool(value) }
        if let value = try? container.decode(Int64.self) { return .integer(value) }
        let value = try container.decode(Double.self)
        guard value.isFinite else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "a number that is not finite")
        }
        return .number(value)
    }
}
