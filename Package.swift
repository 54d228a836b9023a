// swift-tools-version: 6.2
import PackageDescription

// The core targets need nothing but libc and OpenBLAS. `PATHLIGHT_CORE_ONLY=1` leaves out everything
// with outside dependencies, so that the core can be built under a sanitizer in a minute
// (docs/decisions/0002-one-manifest-two-scopes.md).
let coreOnly = Context.environment["PATHLIGHT_CORE_ONLY"] == "1"

let swift: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableExperimentalFeature("Lifetimes"),
    .strictMemorySafety(),
]
let swiftTests: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableExperimentalFeature("Lifetimes"),
]

var targets: [Target] = [
    .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev", "liblapacke-dev"])]),
    .target(name: "CKernels", cSettings: [.unsafeFlags(["-O3"])]),
    .target(name: "VectorMath", dependencies: ["COpenBLAS", "CKernels"], swiftSettings: swift),
    .target(name: "VectorIndex", dependencies: ["VectorMath"], swiftSettings: swift),
    // Its tests look at the tokenizer's inner steps, which nobody else should; tests are built in the release
    // configuration, where `@testable` needs the flag.
    .target(
        name: "Embedder", dependencies: ["VectorMath"], swiftSettings: swift + [.unsafeFlags(["-enable-testing"])]),
    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: swiftTests),
    .testTarget(name: "VectorMathTests", dependencies: ["VectorMath", "TestSupport"], swiftSettings: swiftTests),
    .testTarget(
        name: "VectorIndexTests", dependencies: ["VectorIndex", "VectorMath", "TestSupport"], swiftSettings: swiftTests),
    .testTarget(
        name: "EmbedderTests", dependencies: ["Embedder", "VectorMath", "TestSupport"], exclude: ["Goldens"],
        swiftSettings: swiftTests),
    .testTarget(name: "ArchitectureTests", dependencies: ["TestSupport"], swiftSettings: swiftTests),
]
var dependencies: [Package.Dependency] = []
var products: [Product] = []

if !coreOnly {
    products = [
        .executable(name: "pathlight", targets: ["server"])
    ]
    dependencies = [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(
            url: "https://github.com/apple/swift-configuration", from: "1.4.0",
            traits: [.defaults, "YAML", "CommandLineArguments"]),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ]
    targets += [
        .target(name: "CAssets"),
        .target(
            name: "Store",
            dependencies: [
                .product(name: "GRDB", package: "GRDB.swift"), .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ], swiftSettings: swift),
        .target(
            name: "Engine",
            dependencies: ["VectorIndex", "Embedder", "Store", "VectorMath"], swiftSettings: swift),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .target(
            name: "Platform",
            dependencies: [
                "Store", "CCurl",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "JWTKit", package: "jwt-kit"),
            ], swiftSettings: swift),
        .target(
            name: "Monitor",
            dependencies: ["Engine", "Platform", "Store", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: swift),
        .executableTarget(
            name: "server",
            dependencies: [
                "Engine", "Monitor", "Platform", "Store", "Embedder", "VectorIndex", "CAssets",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "Mustache", package: "swift-mustache"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ], swiftSettings: swift),
        // Nested by path and not by package: what it times is `package` (Benchmarks/README.md).
        .executableTarget(
            name: "bench",
            dependencies: [
                "Embedder", "VectorIndex", "VectorMath",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], path: "Benchmarks/Sources/bench", swiftSettings: swift),
        .testTarget(name: "StoreTests", dependencies: ["Store", "TestSupport"], swiftSettings: swiftTests),
        .testTarget(
            name: "PlatformTests",
            dependencies: [
                "Platform", "Store", "TestSupport",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "JWTKit", package: "jwt-kit"),
            ], swiftSettings: swiftTests),
        .testTarget(
            name: "EngineTests",
            dependencies: ["Engine", "Embedder", "Store", "VectorIndex", "TestSupport"], swiftSettings: swiftTests),
        .testTarget(
            name: "MonitorTests", dependencies: ["Monitor", "Engine", "Platform", "Store", "TestSupport"],
            swiftSettings: swiftTests),
        .testTarget(
            name: "ServerTests",
            dependencies: [
                "server", "Embedder", "Engine", "Monitor", "Platform", "Store", "TestSupport",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ], swiftSettings: swiftTests),
    ]
}

let package = Package(
    name: "pathlight",
    products: products,
    dependencies: dependencies,
    targets: targets,
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu2x
)
