internal import Store

/// Reads what a body says of a student.
enum StudentFields {
    private static let maximumIDBytes = StudentInput.maximumIDBytes
    private static let maximumInterestsBytes = StudentInput.maximumInterestsBytes
    private static let maximumInterests = 200

    /// - Parameter userID: nil where the body names it.
    static func read(_ fields: FieldReader, userID: String? = nil) -> StudentInput {
        StudentInput(
            userID: userID ?? fields.requiredString("user_id", maxBytes: maximumIDBytes),
            username: name("username", fields), name: name("name", fields), hometown: name("hometown", fields),
            course: name("course", fields), interests: interests(fields))
    }

    /// What is wrong with the id of a path that somebody is to be stored under; nil where nothing is.
    static func problem(ofID id: String) -> String? {
        guard !id.allSatisfy(\.isWhitespace) else { return "must not be empty" }
        let count = id.utf8.count
        return count > maximumIDBytes ? "must have at most \(maximumIDBytes) bytes of UTF-8, not \(count)" : nil
    }

    private static func name(_ name: String, _ fields: FieldReader) -> String {
        fields.string(name, maxBytes: StudentInput.maximumNameBytes) ?? ""
    }

    /// A text, or a list of texts. Not left out: who forgets them would have what somebody said forgotten.
    private static func interests(_ fields: FieldReader) -> String {
        guard let field = fields.requiredField("interests") else { return "" }
        switch field.value {
        case .string:
            return field.string(maxBytes: maximumInterestsBytes) ?? ""
        case .array:
            let entries = field.list(maxCount: maximumInterests)?
                .compactMap { $0.string(maxBytes: maximumInterestsBytes) }
            let text = (entries ?? []).filter { !$0.allSatisfy(\.isWhitespace) }.joined(separator: "; ")
            if text.utf8.count > maximumInterestsBytes {
                field.fail("must have at most \(maximumInterestsBytes) bytes of UTF-8 together, not \(text.utf8.count)")
            }
            return text
        default:
            field.fail("must be a string or a list of strings, not \(field.value.typeName)")
            return ""
        }
    }
}
