import Testing

/// The checks themselves, shown to object to what they should and to let pass the rest.
struct `the import check` {
    @Test(arguments: [
        ("import GRDB", ["GRDB"]),
        ("package import Foundation", ["Foundation"]),
        ("@testable import Engine", ["Engine"]),
        ("@preconcurrency internal import NIOCore", ["NIOCore"]),
        ("@_spi(Kernels) public import VectorMath", ["VectorMath"]),
        ("import struct Foundation.URL", ["Foundation"]),
        ("private import func Glibc.mmap", ["Glibc"]),
        ("import A; import B", ["A", "B"]),
        ("#if canImport(Musl)\n    import Musl\n#endif", ["Musl"]),
        ("\timport   Foundation.NSURL // why", ["Foundation"]),
        ("import `server`", ["server"]),
        ("// import GRDB", []),
        ("/* outer /* inner */ import GRDB\nimport GRDB */", []),
        ("let text = \"\"\"\nimport GRDB\n\"\"\"", []),
        ("let important = importance + imported", []),
        ("let a = #\"import \"GRDB\"#; import Logging", ["Logging"]),
        ("let a = \"\\(f(\"x\", g(\")\")))\"\nimport Hummingbird", ["Hummingbird"]),
    ]) func `finds every form of import and no other text`(source: String, modules: [String]) {
        #expect(ImportStatement.all(in: source).map(\.module) == modules)
    }

    @Test func `tells the line`() {
        #expect(ImportStatement.all(in: "/*\n*/\nimport A\n\"a\"\nimport B").map(\.line) == [3, 5])
    }

    @Test(arguments: [
        ("VectorIndex", "import Foundation"),
        ("VectorIndex", "internal import Logging"),
        ("VectorIndex", "import FoundationNetworking"),
        ("VectorIndex", "import struct Hummingbird.Request"),
        ("VectorIndex", "internal import COpenBLAS"),
        ("VectorIndex", "internal import CKernels"),
        ("VectorIndex", "import Embedder"),
        ("VectorMath", "import Foundation"),
        ("VectorMath", "import VectorIndex"),
        ("Embedder", "import Store"),
        ("Embedder", "import Logging"),
        ("Store", "import VectorMath"),
        ("Store", "import Engine"),
        ("Engine", "import GRDB"),
        ("Engine", "import Hummingbird"),
        ("Engine", "import CAssets"),
        ("Engine", "@testable import server"),
        ("server", "import GRDB"),
        ("server", "import COpenBLAS"),
        ("server", "import TestSupport"),
        ("EngineTests", "import GRDB"),
        ("EngineTests", "import server"),
        ("VectorIndexTests", "internal import CKernels"),
        ("EmbedderTests", "import Engine"),
        ("TestSupport", "import VectorMath"),
        ("Monitor", "import Hummingbird"),
        ("Monitor", "import VectorIndex"),
        ("Engine", "import Monitor"),
        ("Platform", "import Monitor"),
        ("Unknown", "import Foundation"),
    ]) func `objects to what points the wrong way`(target: String, source: String) {
        let findings = Findings.imports(of: target, in: source, path: "Sources/\(target)/A.swift")
        #expect(findings.count == 1)
        #expect(findings.first?.hasPrefix("Sources/\(target)/A.swift:1: ") == true)
    }

    @Test(arguments: [
        ("VectorMath", "internal import COpenBLAS\ninternal import CKernels\nimport Glibc\nimport Dispatch"),
        ("VectorIndex", "internal import VectorMath\ninternal import Synchronization"),
        ("Embedder", "internal import VectorMath\npackage import Foundation"),
        ("Store", "internal import GRDB\nimport Foundation"),
        ("Engine", "import VectorIndex\nimport Embedder\nimport Store\nimport VectorMath\nimport Foundation"),
        ("Monitor", "import Engine\nimport Platform\nimport Store\nimport Crypto\nimport Foundation"),
        ("server", "import Engine\nimport Hummingbird\nimport Logging\nimport NIOCore\nimport CAssets"),
        ("StoreTests", "import Store\nimport GRDB\nimport TestSupport\nimport Testing"),
        ("VectorMathTests", "@testable import VectorMath\nimport CKernels\nimport Foundation"),
        ("EngineTests", "import Engine\nimport Embedder\nimport Store"),
        ("ServerTests", "@testable import server\nimport HummingbirdTesting\nimport Engine"),
    ]) func `lets pass what points downwards`(target: String, source: String) {
        #expect(Findings.imports(of: target, in: source, path: "A.swift") == [])
    }
}

struct `the manifest check` {
    let manifest = Manifest(
        """
        var targets: [Target] = [
            .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
            .target(name: "CKernels", cSettings: [.unsafeFlags(["-O3"])]),
            .target(
                name: "Store", dependencies: [.product(name: "GRDB", package: "GRDB.swift"), "CPQ"],
                swiftSettings: swift),
            .testTarget(name: "StoreTests", dependencies: ["Store", "TestSupport"], path: "Tests/StoreTests"),
        ]
        products = [.executable(name: "pathlight", targets: ["server"])]
        """)

    @Test func `reads targets, products and folders`() {
        #expect(
            manifest.targets == [
                .init(name: "COpenBLAS", dependencies: []),
                .init(name: "CKernels", dependencies: []),
                .init(name: "Store", dependencies: ["GRDB", "CPQ"]),
                .init(name: "StoreTests", dependencies: ["Store", "TestSupport"]),
            ])
    }

    @Test func `objects to a forbidden dependency`() {
        let wrong = Manifest(#".target(name: "Engine", dependencies: ["Store", .product(name: "GRDB", package: "G")])"#)
        let objections = wrong.targets.flatMap { target in
            target.dependencies.compactMap { Layers.objection(to: $0, in: target.name) }
        }
        #expect(objections == ["only Store may import GRDB"])
    }
}

struct `the C prefix check` {
    @Test(arguments: [
        ("int pl_add(int a, int b);", true, ["pl_add"]),
        ("int add(int a, int b);", true, ["add"]),
        ("static inline int add(int a) { return a; }", true, ["add"]),
        ("static inline int add(int a) { return a; }\nint pl_b(void) { return add(1); }", false, ["pl_b"]),
        (
            "__attribute__((target(\"avx512f,avx512vnni\"))) void pl_scan(const float *x) { if (x) { y(); } }", false,
            ["pl_scan"]
        ),
        ("__attribute__((always_inline, nonnull(1))) int f(int *a);", true, ["f"]),
        ("__attribute__((target(\"sha\"))) static void f(int *a) {}\nint pl_g(int a[static 4]);", false, ["pl_g"]),
        ("static const int table[] = {1};\n#define A 1\nvoid PL_NAME(scan)(int a) {}", false, ["PL_NAME"]),
        ("[[nodiscard]] int *const f(void (*callback)(int));", true, ["f"]),
        ("const unsigned char table[] = {1, 2, (3)};\nint after;", false, ["table", "after"]),
        ("#define CALL(x) \\\n    f(x)\n#include <math.h>\nint pl_a;", true, ["pl_a"]),
        ("typedef struct { int a; } pl_pair;\nstruct pl_tree { int b; };\nenum pl_kind { A };", true, []),
        ("extern \"C\" {\nint f(void);\n}\nint g(void);", true, ["f", "g"]),
        ("// int f(void);\n/* int g(void); */", true, []),
        ("_Static_assert(sizeof(float) == 4, \"float\");", false, []),
    ]) func `lists what other files could see`(source: String, isHeader: Bool, names: [String]) {
        #expect(CDeclarations.names(in: source, isHeader: isHeader) == names)
    }
}

struct `the checks of habits` {
    @Test func `object to a type with its module's name`() {
        #expect(Findings.typeNames(equal: "Engine", in: "package struct Engine {}", path: "A").count == 1)
        #expect(Findings.typeNames(equal: "Engine", in: "extension Engines {}\nstruct EngineState {}", path: "A") == [])
        #expect(Findings.typeNames(equal: "Engine", in: "// the struct Engine", path: "A") == [])
    }

    @Test(arguments: [
        ("let a = b!", 1), ("let a = b![0]", 1), ("f(x)!.y", 1), ("array[0]!", 1), ("var view: View!", 1),
        ("x as! Int", 1), ("a?.b!", 1), ("a != b", 0), ("if !a, !(b) {}", 0), ("a!=b", 0), ("\"wow!\"", 0),
        ("// really!", 0), ("`what a test!`()", 0), ("let a = \"\\(b!)\"", 1),
    ]) func `object to force unwraps`(source: String, count: Int) {
        #expect(Findings.forceUnwraps(in: source, path: "A").count == count)
    }

    @Test func `object to a forced try once`() {
        let source = "let a = try! f()\nlet b = try? f()\n// try! is wrong"
        #expect(Findings.forcedTry(in: source, path: "A") == ["A:1: a forced try"])
        #expect(Findings.forceUnwraps(in: source, path: "A") == [])
    }

    @Test func `find what leads out`() {
        let source = "import FoundationNetworking\n// URLSession(a)\nlet b = connect (c)\nreconnect(d); \"socket(e)\""
        #expect(Findings.waysOut(in: source, path: "A") == ["A:1: FoundationNetworking", "A:3: connect"])
    }

    @Test func `object to notes of unfinished work in comments`() {
        let word = "TO" + "DO"
        #expect(Findings.unfinishedWork(in: "a\n// \(word): later", path: "A").count == 1)
        #expect(Findings.unfinishedWork(in: "a\nlet \(word)S = 1", path: "A") == [])
    }

    @Test func `object to files that are too long`() {
        #expect(Findings.length(of: "a\nb\nc\n", limit: 3, path: "A") == [])
        #expect(Findings.length(of: "a\nb\nc\nd", limit: 3, path: "A").count == 1)
    }
}
