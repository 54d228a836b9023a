import Glibc
import TestSupport
import Testing
import VectorIndex

struct IndexFileOwnerTests {
    @Test(.enabled(if: geteuid() == 0, "nobody else can give files away"))
    func `an index file that root writes is its folder's owner's`() throws {
        let nobody: uid_t = 65_534
        let fixture = try IndexFileFixture(seed: 21)
        try #require(chown(fixture.folder.path, nobody, nobody) == 0)
        for _ in 0..<2 {
            try fixture.index.save(to: fixture.path)
            var found = stat()
            try #require(stat(fixture.path, &found) == 0)
            #expect(found.st_uid == nobody && found.st_mode & 0o777 == 0o600)
        }
    }
}
