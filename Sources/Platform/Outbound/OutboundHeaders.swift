/// The fields of a response in the order in which they came; names are looked up whatever their case.
package struct OutboundHeaders: Sendable, Equatable {
    package struct Field: Sendable, Equatable {
        package let name: String
        package let value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    package private(set) var fields: [Field]

    package init(_ fields: [Field] = []) { self.fields = fields }

    package init(_ pairs: KeyValuePairs<String, String>) {
        fields = pairs.map { Field(name: $0.key, value: $0.value) }
    }

    /// The first field of that name.
    package subscript(name: String) -> String? { fields.first { Self.isSame($0.name, name) }?.value }

    /// All fields of that name, in order.
    package func values(of name: String) -> [String] {
        fields.filter { Self.isSame($0.name, name) }.map(\.value)
    }

    mutating func append(_ field: Field) { fields.append(field) }

    /// Continues the last field with a further line (RFC 9112, 5.2: a fold counts as one space).
    mutating func continueLast(with text: String) {
        guard let last = fields.popLast() else { return }
        fields.append(Field(name: last.name, value: last.value.isEmpty ? text : last.value + " " + text))
    }

    /// Whether two names of fields are the same: ASCII letters count without their case.
    package static func isSame(_ first: String, _ second: String) -> Bool {
        first.utf8.count == second.utf8.count
            && zip(first.utf8, second.utf8).allSatisfy { lowered($0) == lowered($1) }
    }

    private static func lowered(_ byte: UInt8) -> UInt8 {
        UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte ? byte | 0x20 : byte
    }
}
