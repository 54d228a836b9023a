import CoreMetrics
package import Foundation

/// What the operating system says about the process.
package enum ProcessMetrics {
    package static let startTime = MetricDefinition(
        "process_start_time_seconds", "When the process started, in seconds since 1970.")
    package static let residentMemory = MetricDefinition(
        "process_resident_memory_bytes", "Memory of the process that is in RAM.")
    package static let definitions = [startTime, residentMemory]

    /// Registers the gauges; memory is read at each rendering.
    package static func register(in registry: MetricsRegistry, start: Date = .now) {
        registry.describe(definitions)
        let resident = Meter(label: residentMemory.name, dimensions: [], factory: registry)
        Meter(label: startTime.name, dimensions: [], factory: registry).set(start.timeIntervalSince1970)
        registry.onRender {
            if let bytes = residentBytes() { resident.set(bytes) }
        }
    }

    /// The second number of `/proc/self/statm`, in pages; nil where there is no such file.
    private static func residentBytes() -> Int? {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return nil }
        let fields = text.split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else { return nil }
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }
}
