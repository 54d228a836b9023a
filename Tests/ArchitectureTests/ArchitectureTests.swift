import Foundation
import TestSupport
import Testing

/// The layers and habits that docs/architecture.md describes, held against the sources as they are.
struct `the architecture holds` {
    static let linesOfSource = 600
    static let linesOfTest = 800

    let sources: [SourceFile]
    let tests: [SourceFile]
    let everything: [SourceFile]

    init() throws {
        sources = try SourceTree.files(in: "Sources")
        tests = try SourceTree.files(in: "Tests")
        everything = sources + tests
        try #require(sources.count > 10, "the sources were not found under \(RepositoryRoot.url.path)")
    }

    /// One expectation for each finding, so that a run lists them all.
    private func report(_ findings: [String]) {
        for finding in findings { Issue.record("\(finding)") }
    }

    @Test func `every import points downwards`() {
        for file in everything where file.isSwift {
            report(Findings.imports(of: file.target, in: file.text, path: file.path))
        }
    }

    @Test func `the package manifest declares no dependency that the layers forbid`() throws {
        let text = try String(contentsOf: RepositoryRoot.file("Package.swift"), encoding: .utf8)
        let manifest = Manifest(text)
        for target in manifest.targets {
            for dependency in target.dependencies {
                report(Layers.objection(to: dependency, in: target.name).map { ["Package.swift: \($0)"] } ?? [])
            }
        }
        // A folder that no target claims would escape the compiler, and with it every rule.
        let declared = Set(manifest.targets.map(\.name))
        for folder in try SourceTree.targets(in: "Sources") {
            #expect(declared.contains(folder), "Sources/\(folder) belongs to no target")
            #expect(Layers.table[folder] != nil, "Sources/\(folder) is not in the table of layers")
        }
        for target in Layers.table.keys {
            #expect(declared.contains(target), "the table of layers names \(target), Package.swift does not")
        }
    }

    @Test func `no type carries its module's name`() {
        for file in sources where file.isSwift {
            report(Findings.typeNames(equal: file.target, in: file.text, path: file.path))
        }
    }

    @Test func `every C symbol carries the prefix`() {
        for file in sources where file.isC {
            for name in CDeclarations.names(in: file.text, isHeader: file.isPublicHeader)
            where !CDeclarations.isPrefixed(name) {
                Issue.record("\(file.path): '\(name)' does not start with pl_")
            }
        }
    }

    @Test func `ways out are opened in a few known places`() {
        var places: Set<String> = []
        for file in sources where file.isSwift && !Findings.waysOut(in: file.text, path: file.path).isEmpty {
            places.insert(file.path)
        }
        // One more is one more to guard and to tell of: docs/security.md says what the program sends and where.
        let known: Set = [
            // libcurl, whose sockets the guard makes, for models and traces, and for mail.
            "Sources/Platform/Outbound/CurlCallbacks.swift", "Sources/Platform/Outbound/CurlTransport.swift",
            "Sources/Platform/Outbound/SMTPTransport.swift", "Sources/server/Startup/ServiceSettings+Parts.swift",
            "Sources/Platform/Mail/MailSettings.swift",
            // `doctor`: the mail server, and its own address and port. `models fetch`: a script.
            "Sources/server/Commands/MailChecks.swift", "Sources/server/Commands/NetworkChecks.swift",
            "Sources/server/Commands/ModelsCommand.swift",
        ]
        #expect(places == known)
    }

    @Test func `files stay short enough to read`() {
        for file in everything {
            let limit = file.path.hasPrefix("Tests/") ? Self.linesOfTest : Self.linesOfSource
            report(Findings.length(of: file.text, limit: limit, path: file.path))
        }
    }

    @Test func `nothing is forced and nothing is left unfinished`() {
        for file in everything {
            report(Findings.unfinishedWork(in: file.text, path: file.path))
            guard file.isSwift else { continue }
            report(Findings.forcedTry(in: file.text, path: file.path))
        }
        for file in sources where file.isSwift {
            report(Findings.forceUnwraps(in: file.text, path: file.path))
        }
    }
}
