/// The mistakes found in one body, collected so that a client learns of all at once.
package final class FieldErrors {
    /// More than this many help nobody and would let a small body ask for a large reply.
    package static let maxCount = 50

    package private(set) var errors: [FieldError] = []
    package private(set) var isTruncated = false

    func add(_ path: String, _ message: String) {
        guard errors.count < Self.maxCount else {
            isTruncated = true
            return
        }
        errors.append(FieldError(path: excerpt(of: path, limit: 128), message: message))
    }

    /// The problem that the mistakes make together, or nil without any.
    var problem: HTTPProblem? {
        guard let first = errors.first else { return nil }
        let place = first.path.isEmpty ? first.message : "\(first.path): \(first.message)"
        let others = errors.count - 1
        let more = isTruncated ? " (and many more)" : others > 0 ? " (and \(others) more)" : ""
        return HTTPProblem(.invalidFields, place + more, errors: errors)
    }
}
