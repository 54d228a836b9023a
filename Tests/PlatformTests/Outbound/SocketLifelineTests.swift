import Glibc
import Platform
import Testing

struct SocketLifelineTests {
    private func socket() throws -> Int32 {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try #require(socket >= 0)
        return socket
    }

    @Test func `a lifeline lives as long as a socket of it is open, and no longer`() throws {
        weak var seen: SocketLifeline?
        let sockets = [try socket(), try socket()]
        do {
            let lifeline = SocketLifeline()
            seen = lifeline
            for socket in sockets { lifeline.opened(socket) }
        }
        #expect(seen != nil)
        seen?.close(sockets[0])
        #expect(seen != nil)
        seen?.close(sockets[1])
        #expect(seen == nil)
        for socket in sockets { #expect(fcntl(socket, F_GETFD) < 0) }
    }

    @Test func `one without sockets goes with its last reference`() {
        weak var seen: SocketLifeline?
        do {
            let lifeline = SocketLifeline()
            seen = lifeline
            #expect(seen != nil)
        }
        #expect(seen == nil)
    }
}
