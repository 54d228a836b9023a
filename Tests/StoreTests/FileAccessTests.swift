import Glibc
import Store
import Testing

/// Whether somewhere may be written; a file system that is mounted read-only is arranged by the black-box tests.
struct FileAccessTests {
    @Test func `what is allowed is not refused`() async throws {
        try await Scratch.use { folder in
            #expect(FileAccess.refusal(of: folder, R_OK | W_OK | X_OK) == nil)
        }
    }

    @Test func `what is not there is not taken for a file system that may only be read`() async throws {
        try await Scratch.use { folder in
            #expect(FileAccess.refusal(of: folder + "/none", W_OK) == .notAllowed)
        }
    }
}
