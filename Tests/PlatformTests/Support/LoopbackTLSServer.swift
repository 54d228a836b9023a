import Foundation
import Glibc

/// `openssl s_server` with a certificate for `localhost`, until its last reference goes.
final class LoopbackTLSServer: Sendable {
    static let program = "/usr/bin/openssl"

    let certificate: String
    let port: Int
    private let folder: URL
    private let pid: pid_t

    /// Starts one, on a thread that may wait.
    ///
    /// - Parameter options: further ones for `openssl s_server`.
    static func start(options: [String] = []) async throws -> LoopbackTLSServer {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Result { try LoopbackTLSServer(options) }) }
        }
    }

    private init(_ options: [String]) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        certificate = folder.appendingPathComponent("certificate.pem").path
        let key = folder.appendingPathComponent("key.pem").path
        let (making, _) = try Self.run([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
            "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate,
        ])
        var status: Int32 = 0
        waitpid(making, &status, 0)
        // Port 0: the system chooses, and the output says which.
        let (pid, output) = try Self.run(
            ["s_server", "-accept", "0", "-cert", certificate, "-key", key, "-www"] + options)
        self.pid = pid
        var text = ""
        var room = [UInt8](repeating: 0, count: 1024)
        while !text.contains("ACCEPT ") || !text.hasSuffix("\n") {
            let count = read(output, &room, room.count)
            guard count > 0 else { break }
            text += String(decoding: room[..<count], as: UTF8.self)
        }
        port = text.split { !$0.isNumber }.last.flatMap { Int($0) } ?? 0
        guard status == 0, port > 0 else { throw POSIXError(.ECHILD) }
    }

    deinit {
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
        try? FileManager.default.removeItem(at: folder)
    }

    /// Starts the program. Not by `Process`, which needs a run loop to hear of the end.
    ///
    /// - Returns: its process, and the end of a pipe that has its output.
    private static func run(_ arguments: [String]) throws -> (pid_t, Int32) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw POSIXError(.EMFILE) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[1]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var pointers = ([program] + arguments).map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var pid: pid_t = 0
        guard posix_spawn(&pid, program, &actions, nil, &pointers, environ) == 0 else { throw POSIXError(.ENOENT) }
        return (pid, ends[0])
    }
}
