import Foundation
import Glibc
import VectorMath

/// The machine and the build that the figures are of.
struct Machine: Encodable {
    var cpu: String
    var cores: Int
    var memoryGigabytes: Double
    /// The instruction set that the scan kernels chose.
    var instructionSet: String
    /// OpenBLAS's version and options, and the core that it chose its kernels for.
    var openblas: String
    var openblasThreads: Int
    var system: String
    var kernel: String
    var swiftVersion: String?
    /// Of the sources.
    var revision: String?
    /// The file system under the service's database.
    var storage: String?
    /// Over 1, 5 and 15 minutes, when the run began.
    var loadAtStart: String?

    init(swiftVersion: String?, revision: String?, storage: String?, loadAtStart: String?) {
        cpu = Self.value(of: "model name", in: "/proc/cpuinfo", separator: ":") ?? Self.architecture
        cores = WorkerThreads.processorCount
        memoryGigabytes = (Double(ProcessInfo.processInfo.physicalMemory) / 1e8).rounded() / 10
        instructionSet = "\(InstructionSet.detected)"
        openblas = Self.openblasText("openblas_get_config") ?? "unknown"
        // A build for one core names it in its options already.
        if let core = Self.openblasText("openblas_get_corename"), !openblas.contains(core) {
            openblas += ", core \(core)"
        }
        openblasThreads = DenseMath.threadCount
        system =
            Self.value(of: "PRETTY_NAME", in: "/etc/os-release", separator: "=")
            ?? ProcessInfo.processInfo.operatingSystemVersionString
        kernel =
            Self.value(of: "Linux", in: "/proc/version", separator: "version").map { text in
                "Linux " + text.prefix { $0 != " " }
            } ?? "unknown"
        self.swiftVersion = swiftVersion
        self.revision = revision
        self.storage = storage
        self.loadAtStart = loadAtStart
    }

    func markdown(date: String) -> String {
        var lines = [
            "- Machine: \(cpu), \(cores) cores, \(memoryGigabytes) GB; scans with \(instructionSet)",
            "- \(openblas); \(openblasThreads) threads",
            "- \(system), \(kernel)" + (swiftVersion.map { "; \($0)" } ?? ""),
        ]
        if let storage { lines.append("- The service's database on \(storage)") }
        let source = revision.map { ", revision \($0)" } ?? ""
        lines.append("- \(date)\(source)" + (loadAtStart.map { "; load average at the start \($0)" } ?? ""))
        return lines.joined(separator: "\n") + "\n"
    }

    /// Bytes that a new allocation can have without pushing others out, or nil where the system does not tell.
    static var availableBytes: Int? {
        value(of: "MemAvailable", in: "/proc/meminfo", separator: ":")
            .flatMap { Int($0.prefix { $0.isNumber }) }.map { $0 * 1024 }
    }

    /// What follows the separator on the first line that starts with `key`.
    private static func value(of key: String, in path: String, separator: String) -> String? {
        // Files of /proc have no size, so they are read to their end.
        guard let data = try? FileHandle(forReadingFrom: URL(fileURLWithPath: path)).readToEnd() else { return nil }
        for line in String(decoding: data, as: UTF8.self).split(separator: "\n") where line.hasPrefix(key) {
            guard let found = line.range(of: separator) else { continue }
            return line[found.upperBound...].trimmingCharacters(in: CharacterSet(charactersIn: " \t\""))
        }
        return nil
    }

    /// Asks OpenBLAS by name: its module belongs to VectorMath alone, which has no other use for these two.
    private static func openblasText(_ function: String) -> String? {
        typealias Text = @convention(c) () -> UnsafePointer<CChar>?
        guard let handle = unsafe dlopen(nil, RTLD_NOW), let symbol = unsafe dlsym(handle, function) else { return nil }
        // SAFETY: both functions take nothing and return a text that OpenBLAS keeps.
        guard let text = unsafe unsafeBitCast(symbol, to: Text.self)() else { return nil }
        return unsafe String(cString: text).trimmingCharacters(in: .whitespaces)
    }

    private static var architecture: String {
        #if arch(x86_64)
            "x86-64"
        #elseif arch(arm64)
            "AArch64"
        #else
            "unknown processor"
        #endif
    }
}
