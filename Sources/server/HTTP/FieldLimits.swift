/// How much a request's body may hold.
package struct FieldLimits: Sendable, Equatable {
    /// Bytes of a body.
    package var bodyBytes = 1 << 20
    /// Elements of a list where a field says nothing else.
    package var listCount = 1000
    /// UTF-8 bytes of a string where a field says nothing else.
    package var stringBytes = 16 << 10

    package init() {}

    package init(bodyBytes: Int, listCount: Int, stringBytes: Int) {
        self.bodyBytes = bodyBytes
        self.listCount = listCount
        self.stringBytes = stringBytes
    }
}
