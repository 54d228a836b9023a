/// A metric's name and meaning, as `/metrics` shows them.
package struct MetricDefinition: Sendable, Hashable {
    /// With its unit at the end: `_seconds`, `_bytes`, `_total`.
    package let name: String
    /// One sentence.
    package let help: String

    package init(_ name: String, _ help: String) {
        self.name = name
        self.help = help
    }
}

/// What identifies one series of a metric.
struct SeriesKey: Hashable {
    let name: String
    let labels: [Label]

    struct Label: Hashable, Comparable {
        let name: String
        let value: String

        static func < (left: Label, right: Label) -> Bool {
            (left.name, left.value) < (right.name, right.value)
        }
    }

    init(name: String, dimensions: [(String, String)]) {
        self.name = name
        labels = dimensions.map { Label(name: PrometheusText.labelName($0.0), value: $0.1) }.sorted()
    }
}
