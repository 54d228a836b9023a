import CoreFoundation
import CoreMetrics
package import Foundation
import Synchronization

/// What the operating system says about the process.
package enum ProcessMetrics {
    package static let startTime = MetricDefinition(
        "process_start_time_seconds", "When the process started, in seconds since 1970.")
    package static let residentMemory = MetricDefinition(
        "process_resident_memory_bytes", "Memory of the process that is in RAM.")
    package static let processorTime = MetricDefinition(
        "process_cpu_seconds_total", "Time that the process has spent on processors, its own and the system's.")
    package static let openFiles = MetricDefinition(
        "process_open_fds", "Files, sockets and pipes that the process has open.")
    package static let mostFiles = MetricDefinition("process_max_fds", "How many it may have open.")
    package static let definitions = [startTime, residentMemory, processorTime, openFiles, mostFiles]

    /// Registers the gauges; memory is read at each rendering.
    package static func register(in registry: MetricsRegistry, start: Date = .now) {
        registry.describe(definitions)
        let resident = Meter(label: residentMemory.name, dimensions: [], factory: registry)
        Meter(label: startTime.name, dimensions: [], factory: registry).set(start.timeIntervalSince1970)
        let files = Meter(label: openFiles.name, dimensions: [], factory: registry)
        let limit = Meter(label: mostFiles.name, dimensions: [], factory: registry)
        let processor = FloatingPointCounter(label: processorTime.name, dimensions: [], factory: registry)
        let counted = Mutex(0.0)
        registry.onRender {
            if let bytes = residentBytes() { resident.set(bytes) }
            if let count = openFileCount() { files.set(count) }
            var most = rlimit()
            // SAFETY: writes the one structure.
            if unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &most) == 0 {
                limit.set(Double(most.rlim_cur))
            }
            let seconds = processorSeconds()
            counted.withLock { counted in
                processor.increment(by: seconds - counted)
                counted = max(counted, seconds)
            }
        }
    }

    /// The entries of `/proc/self/fd`; nil where there is no such folder.
    private static func openFileCount() -> Int? {
        // One of them is that of the look itself.
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")).map { max(0, $0.count - 1) }
    }

    private static func processorSeconds() -> Double {
        var time = timespec()
        // SAFETY: writes the one structure.
        _ = unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// The second number of `/proc/self/statm`, in pages; nil where there is no such file.
    private static func residentBytes() -> Int? {
        guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return nil }
        let fields = text.split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else { return nil }
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }
}
