import Foundation
import TestSupport
import Testing

/// The API document against what the program carries.
@Suite struct `The API document` {
    private func json(_ path: String) throws -> [String: Any] {
        let data = try Data(contentsOf: RepositoryRoot.file("Sources/CAssets/\(path)"))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    @Test func `lists the quiz's questions and their choices exactly`() throws {
        let components = try #require(try json("openapi.json")["components"] as? [String: Any])
        let schemas = try #require(components["schemas"] as? [String: Any])
        let answers = try #require(schemas["Answers"] as? [String: Any])
        let described = try #require(answers["properties"] as? [String: [String: Any]])
        let questions = try #require(try json("quiz.json")["questions"] as? [[String: Any]])
        #expect(Set(described.keys) == Set(questions.compactMap { $0["id"] as? String }))
        for question in questions {
            guard let id = question["id"] as? String, let choices = question["choices"] as? [[String: Any]] else {
                continue
            }
            let allowed = described[id]?["enum"] as? [String]
            #expect(allowed.map(Set.init) == Set(choices.compactMap { $0["id"] as? String }), "question \(id)")
        }
    }

    @Test func `is of version 3.1 and gives every operation a summary and replies`() throws {
        let document = try json("openapi.json")
        #expect((document["openapi"] as? String)?.hasPrefix("3.1") == true)
        for (path, operations) in try #require(document["paths"] as? [String: [String: Any]]) {
            for (method, operation) in operations where ["get", "post", "put", "patch", "delete"].contains(method) {
                let operation = try #require(operation as? [String: Any])
                #expect(operation["summary"] is String, "\(method) \(path)")
                #expect((operation["responses"] as? [String: Any])?.isEmpty == false, "\(method) \(path)")
            }
        }
    }

    /// Codes that stand for statuses which no route gives yet.
    private static let reserved: Set<String> = ["not_implemented", "unavailable"]

    @Test func `lists every problem code of the source with its title`() throws {
        let pattern = /ProblemCode\(\s*"(?<name>[a-z_]+)", \.\w+, "(?<title>[^"]+)"\)/
        var inSource: [String: String] = [:]
        let folder = RepositoryRoot.file("Sources/server")
        let files = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
        for case let file as URL in files where file.pathExtension == "swift" {
            for match in try String(contentsOf: file, encoding: .utf8).matches(of: pattern) {
                inSource[String(match.name)] = String(match.title)
            }
        }
        let listed = try #require(try json("openapi.json")["x-problems"] as? [[String: Any]])
        var described: [String: String] = [:]
        for problem in listed {
            described[try #require(problem["code"] as? String)] = problem["title"] as? String
        }
        #expect(inSource.count > 45)
        #expect(inSource.filter { !Self.reserved.contains($0.key) } == described)
    }
}
