/// The picture of docs/architecture.md as a table: which module may import which.
///
/// The rule behind it: a layer sees the layer below and nothing else. Engine may also name VectorMath, for the types in
/// which the index and the embedder hand rows to each other, but calls no kernel. Lower layers return values and
/// statistics, upper layers log: therefore none below the server imports a logger or a metrics library.
struct Layer {
    /// Modules of this package that it may import.
    let modules: Set<String>
    /// Modules from outside the package; nil allows all but those that `Layers.reserved` keeps for others.
    let outside: Set<String>?
}

enum Layers {
    private static let systemLibrary: Set<String> = ["Glibc", "Musl", "Dispatch", "Synchronization"]

    static let table: [String: Layer] = [
        "COpenBLAS": Layer(modules: [], outside: []),
        "CKernels": Layer(modules: [], outside: []),
        "CAssets": Layer(modules: [], outside: []),
        "VectorMath": Layer(modules: ["COpenBLAS", "CKernels"], outside: systemLibrary),
        // Pure and synchronous: no Foundation, no threads of its own, no clock.
        "VectorIndex": Layer(modules: ["VectorMath"], outside: ["Synchronization"]),
        "Embedder": Layer(modules: ["VectorMath"], outside: systemLibrary.union(["Foundation"])),
        "Store": Layer(modules: [], outside: systemLibrary.union(["Foundation", "GRDB", "GRDBSQLite"])),
        "CCurl": Layer(modules: [], outside: []),
        "Platform": Layer(
            modules: ["Store", "CCurl"],
            // CoreFoundation for C's `stat`: whose it is, its or Glibc's, depends on which file comes first.
            outside: systemLibrary.union(["CoreFoundation", "Foundation", "Crypto", "CryptoExtras", "JWTKit"])),
        "Engine": Layer(
            modules: ["VectorIndex", "Embedder", "Store", "VectorMath"],
            outside: ["Foundation", "Synchronization", "Dispatch"]),
        // Crypto for the hash of files that are too large to hold; CoreFoundation as above.
        "Monitor": Layer(
            modules: ["Engine", "Platform", "Store"],
            outside: systemLibrary.union(["CoreFoundation", "Foundation", "Crypto"])),
        "bench": Layer(modules: ["VectorIndex", "Embedder", "VectorMath"], outside: nil),
        "server": Layer(
            modules: ["Engine", "Monitor", "Platform", "Store", "Embedder", "VectorIndex", "VectorMath", "CAssets"],
            outside: nil),
    ]

    /// What only one module may import, whatever the table says of the others.
    static let reserved: [String: Set<String>] = [
        "COpenBLAS": ["VectorMath"],
        "CKernels": ["VectorMath"],
        "GRDB": ["Store"],
        "GRDBSQLite": ["Store"],
        "CAssets": ["server"],
        "CCurl": ["Platform"],
        "JWTKit": ["Platform"],
    ]

    private static let testLibraries: Set<String> = [
        "Testing", "TestSupport", "Foundation", "Synchronization", "Glibc",
    ]

    /// The layer of a target by its name, for test targets derived from that of their subject; nil where the table
    /// does not know it.
    static func layer(of target: String) -> Layer? {
        if let layer = table[target] { return layer }
        if target == "TestSupport" { return Layer(modules: [], outside: ["Foundation"]) }
        if target == "ArchitectureTests" { return Layer(modules: ["TestSupport"], outside: testLibraries) }
        guard let subject = subject(of: target), let layer = table[subject] else { return nil }
        return Layer(
            modules: layer.modules.union([subject, "TestSupport"]),
            outside: layer.outside?.union(testLibraries))
    }

    /// What is wrong with `target` importing or depending on `module`, or nil.
    static func objection(to module: String, in target: String) -> String? {
        guard let layer = layer(of: target) else { return "\(target) is not in the table of layers" }
        let subject = subject(of: target) ?? target
        if module == target { return nil }
        if module == "server", target != "ServerTests" { return "nothing imports the server" }
        if let owners = reserved[module], !owners.contains(subject) {
            return "only \(owners.sorted().joined(separator: ", ")) may import \(module)"
        }
        if table[module] != nil || module == "TestSupport" {
            return layer.modules.contains(module) ? nil : "\(target) may not import the layer \(module)"
        }
        guard let outside = layer.outside, !outside.contains(module) else { return nil }
        return "\(target) may not import \(module), only \(outside.sorted().joined(separator: ", "))"
    }

    private static func subject(of target: String) -> String? {
        guard target.hasSuffix("Tests") else { return nil }
        let name = String(target.dropLast("Tests".count))
        return name == "Server" ? "server" : name
    }
}
