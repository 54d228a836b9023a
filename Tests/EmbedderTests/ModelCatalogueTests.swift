import Foundation
import TestSupport
import Testing
import VectorMath

@testable import Embedder

/// The models directory.
struct ModelCatalogueTests {
    @Test func `lists models, usable and not`() throws {
        let models = try TemporaryDirectory("models")
        try TinyModel().write(to: models, "good")
        try TinyModel(family: .mpnet).write(to: models, "other")
        try TinyModel().write(to: models, "strange", settings: ["model_type": "\"llama\""])
        try models.write("not a model", to: "notes/readme.txt")
        try models.write("{}", to: "manifest.json")
        let installed = ModelCatalogue(directory: models.url).installed()
        #expect(installed.map(\.id) == ["good", "other", "strange"])
        #expect(installed.map(\.family) == ["bert", "mpnet", nil])
        #expect(installed.map(\.dimension) == [24, 24, nil])
        #expect(installed.map(\.problem?.code) == [nil, nil, "unsupported_model"])
        #expect(ModelCatalogue(directory: models.file("absent")).installed().isEmpty)
    }

    @Test func `finds a model by its id`() throws {
        let models = try TemporaryDirectory("models")
        try TinyModel().write(to: models, "good")
        let catalogue = ModelCatalogue(directory: models.url)
        #expect(try catalogue.folder(of: "good").lastPathComponent == "good")
        #expect(throws: EmbedderError.modelNotFound(id: "bad", directory: models.path)) {
            try catalogue.folder(of: "bad")
        }
        for id in ["", ".", "..", "../good", "a/b", "/good", "good\u{0}", ".hidden"] {
            #expect(throws: EmbedderError.invalidModelID(id)) { try catalogue.folder(of: id) }
        }
    }

    @Test(arguments: [
        ("config.json", "file_missing"), ("model.safetensors", "file_missing"),
    ])
    func `names a missing file`(file: String, code: String) throws {
        let models = try TemporaryDirectory("models")
        try TinyModel().write(to: models, "m")
        try FileManager.default.removeItem(at: models.file("m/" + file))
        #expect {
            try ModelCatalogue(directory: models.url).folder(of: "m")
        } throws: { error in
            guard case EmbedderError.fileMissing(let path) = error else { return false }
            return path.hasSuffix("m/" + file)
        }
    }

    @Test func `names a missing tokenizer`() throws {
        let folder = try TinyModel().write()
        try FileManager.default.removeItem(at: folder.file("vocab.txt"))
        #expect { try TextEmbedder(folder: folder.url) } throws: { ($0 as? EmbedderError)?.code == "file_missing" }
    }

    @Test(arguments: [0, 7, 100, 5000])
    func `tells weights that were cut off`(bytes: Int) throws {
        let models = try TemporaryDirectory("models")
        try TinyModel().write(to: models, "m")
        let whole = try Data(contentsOf: models.file("m/model.safetensors"))
        try models.write(whole.prefix(bytes), to: "m/model.safetensors")
        #expect {
            try ModelCatalogue(directory: models.url).folder(of: "m")
        } throws: { error in
            String(describing: error).contains("cut off") && String(describing: error).contains("models fetch")
        }
    }

    @Test func `compares a folder with pinned checksums`() throws {
        let folder = try TemporaryDirectory("pinned")
        try folder.write("abc", to: "a/good.txt")
        try folder.write("abd", to: "altered.txt")
        try folder.write("ab", to: "short.txt")
        try folder.write("abcd", to: "long.txt")
        let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        let names = ["a/good.txt", "altered.txt", "short.txt", "long.txt", "gone.txt", "../escape.txt", "/etc/passwd"]
        let problems = ModelCatalogue.verify(
            folder: folder.url, files: names.map { PinnedFile(path: $0, sha256: sum, bytes: 3) })
        #expect(problems.map(\.path) == Array(names.dropFirst()))
        #expect(
            problems.dropFirst().map(\.kind) == [
                .cutOff(bytes: 2, expected: 3), .wrongSize(bytes: 4, expected: 3), .missing, .invalidPath, .invalidPath,
            ])
        guard case .altered(_, sum) = problems.first?.kind else { return #expect(Bool(false), "\(problems)") }
    }
}

/// SHA-256 against the vectors of FIPS 180-4's examples.
struct SHA256Tests {
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
        ),
        (String(repeating: "a", count: 1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ])
    func `hashes the published examples`(text: String, expected: String) {
        #expect(SHA256.hash(Array(text.utf8)) == expected)
    }

    @Test func `does not care how the bytes arrive`() {
        let bytes = (0..<1000).map { UInt8($0 * 31 & 0xFF) }
        var random = SeededGenerator(seed: 31)
        for _ in 0..<200 {
            var hash = SHA256()
            var position = 0
            while position < bytes.count {
                let end = min(bytes.count, position + Int.random(in: 0...130, using: &random))
                hash.update(Array(bytes[position..<end]).span.bytes)
                position = end
            }
            #expect(hash.finalise() == SHA256.hash(bytes), "\(random)")
        }
    }
}
