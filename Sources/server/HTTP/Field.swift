/// One value of a body, with the path that its mistakes are reported under.
package struct Field {
    package let value: JSONValue
    package let path: String
    let reader: FieldReader

    /// Records a mistake of this value.
    package func fail(_ message: String) { reader.errors.add(path, message) }

    /// The value, where it is text that stands for a number or a flag the value that the text says.
    private var typed: JSONValue {
        guard reader.readsText, case .string(let text) = value else { return value }
        // The JSON grammar serves: "5", "0.5", "true".
        let parsed = try? JSONParser.parse(Array(text.utf8))
        switch parsed {
        case .integer, .number, .bool: return parsed ?? value
        default: return value
        }
    }

    private func wrongType(_ expected: String) {
        if reader.readsText, case .string(let text) = value {
            fail("must be \(expected), not `\(excerpt(of: text))`")
        } else {
            fail("must be \(expected), not \(value.typeName)")
        }
    }

    /// A string of at most `maxBytes` UTF-8 bytes (the service's general limit where nil) without NUL, which
    /// neither C nor PostgreSQL can hold.
    package func string(maxBytes: Int? = nil, allowEmpty: Bool = true) -> String? {
        guard case .string(let text) = value else {
            wrongType("a string")
            return nil
        }
        let limit = maxBytes ?? reader.limits.stringBytes
        if text.utf8.count > limit {
            fail("must have at most \(limit) bytes of UTF-8, not \(text.utf8.count)")
        } else if text.utf8.contains(0) {
            fail("must not contain the NUL character")
        } else if !allowEmpty, text.allSatisfy(\.isWhitespace) {
            fail("must not be empty")
        } else {
            return text
        }
        return nil
    }

    /// Free text of at most `maxBytes` UTF-8 bytes, any characters at all: it is read and quoted, never used as a
    /// key.
    package func text(maxBytes: Int? = nil) -> String? {
        guard case .string(let text) = value else {
            wrongType("a string")
            return nil
        }
        let limit = maxBytes ?? reader.limits.stringBytes
        guard text.utf8.count <= limit else {
            fail("must have at most \(limit) bytes of UTF-8, not \(text.utf8.count)")
            return nil
        }
        return text
    }

    package func bool() -> Bool? {
        guard case .bool(let flag) = typed else {
            wrongType("true or false")
            return nil
        }
        return flag
    }

    /// A whole number in `range`; `3.0` and `3e0` count as 3.
    package func integer(in range: ClosedRange<Int>) -> Int? {
        let number: Int
        switch typed {
        case .integer(let whole):
            number = Int(whole)
        case .number(let double):
            guard let whole = Int(exactly: double) else {
                let isWhole = double == double.rounded()
                fail(isWhole ? Self.outside("\(range.lowerBound)", "\(range.upperBound)") : "must be a whole number")
                return nil
            }
            number = whole
        default:
            wrongType("a whole number")
            return nil
        }
        guard range.contains(number) else {
            fail(Self.outside("\(range.lowerBound)", "\(range.upperBound)") + ", not \(number)")
            return nil
        }
        return number
    }

    /// A number in `range`.
    package func number(in range: ClosedRange<Double>) -> Double? {
        let number: Double
        switch typed {
        case .integer(let whole): number = Double(whole)
        case .number(let double): number = double
        default:
            wrongType("a number")
            return nil
        }
        guard range.contains(number) else {
            fail(
                Self.outside(Self.plain(range.lowerBound), Self.plain(range.upperBound)) + ", not \(Self.plain(number))"
            )
            return nil
        }
        return number
    }

    private static func outside(_ lower: String, _ upper: String) -> String { "must be from \(lower) to \(upper)" }

    /// `10` rather than `10.0`.
    private static func plain(_ number: Double) -> String {
        Int(exactly: number).map(String.init) ?? number.description
    }

    /// The elements of a list of at most `maxCount` (the service's general limit where nil).
    package func list(maxCount: Int? = nil) -> [Field]? {
        guard case .array(let elements) = value else {
            wrongType("a list")
            return nil
        }
        let limit = maxCount ?? reader.limits.listCount
        guard elements.count <= limit else {
            fail("must have at most \(limit) elements, not \(elements.count)")
            return nil
        }
        return elements.enumerated().map { Field(value: $1, path: "\(path).\($0)", reader: reader) }
    }

    /// The value as an object whose fields are known by name.
    package func object() -> FieldReader? {
        guard case .object(let object) = value else {
            wrongType("an object")
            return nil
        }
        return reader.child(object, path: path)
    }

    /// The value as an object whose names are data, in the order of the text.
    package func entries(maxCount: Int? = nil) -> [(name: String, field: Field)]? {
        guard case .object(let object) = value else {
            wrongType("an object")
            return nil
        }
        let limit = maxCount ?? reader.limits.listCount
        guard object.count <= limit else {
            fail("must have at most \(limit) members, not \(object.count)")
            return nil
        }
        return object.members.map { ($0.name, Field(value: $0.value, path: "\(path).\($0.name)", reader: reader)) }
    }
}
