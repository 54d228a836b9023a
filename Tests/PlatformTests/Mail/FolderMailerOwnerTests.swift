import Foundation
import Glibc
import Platform
import TestSupport
import Testing

struct FolderMailerOwnerTests {
    @Test(.enabled(if: geteuid() == 0, "nobody else can give files away"))
    func `messages that root leaves are whose the data is, and so is their folder`() async throws {
        let nobody: uid_t = 65_534
        let data = try TemporaryDirectory()
        try #require(chown(data.path, nobody, nobody) == 0)
        let outcome = await FolderMailer(folder: data.path + "/mail").send(try MailFixture.message())
        guard case .sent(let receipt) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        for path in [data.path + "/mail", receipt.place] {
            let owner = try FileManager.default.attributesOfItem(atPath: path)[.ownerAccountID] as? NSNumber
            #expect(owner?.uint32Value == nobody, "\(path)")
        }
    }
}
