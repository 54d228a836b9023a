/// Prometheus' text exposition format 0.0.4, kept to what OpenMetrics allows as well.
enum PrometheusText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// A valid metric name: other characters become `_`, and the unit is added where it is missing.
    static func metricName(_ label: String, suffix: String = "") -> String {
        let name = sanitised(label, alsoAllowed: ":")
        return name.hasSuffix(suffix) ? name : name + suffix
    }

    static func labelName(_ label: String) -> String { sanitised(label, alsoAllowed: "_") }

    private static func sanitised(_ text: String, alsoAllowed extra: Unicode.Scalar) -> String {
        var name = ""
        for scalar in text.unicodeScalars {
            let isAllowed =
                ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
                || scalar == "_" || scalar == extra
            name.unicodeScalars.append(isAllowed ? scalar : "_")
        }
        return name.first.map { $0.isNumber } ?? true ? "_" + name : name
    }

    static func escapedLabelValue(_ value: String) -> String {
        var escaped = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    private static func escapedHelp(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": escaped += "\\\\"
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        if value.magnitude < 1e15, let whole = Int(exactly: value) { return String(whole) }
        return value.description
    }

    /// Every series, by name and then by labels, so that two renderings differ only where values do.
    static func render(_ series: [SeriesKey: MetricsRegistry.Series], help: [String: String]) -> String {
        var text = ""
        let families = Dictionary(grouping: series) { $0.key.name }
        for (name, members) in families.sorted(by: { $0.key < $1.key }) {
            if let help = help[name] { text += "# HELP \(name) \(escapedHelp(help))\n" }
            if let type = members.first?.value.type { text += "# TYPE \(name) \(type)\n" }
            for (key, member) in members.sorted(by: { $0.key.labels.lexicographicallyPrecedes($1.key.labels) }) {
                switch member {
                case .counter(let counter):
                    text += "\(name)\(labels(key.labels)) \(number(counter.value))\n"
                case .gauge(let gauge):
                    text += "\(name)\(labels(key.labels)) \(number(gauge.value))\n"
                case .histogram(let histogram):
                    append(histogram, name: name, labels: key.labels, to: &text)
                }
            }
        }
        return text
    }

    private static func append(
        _ histogram: HistogramSeries, name: String, labels: [SeriesKey.Label], to text: inout String
    ) {
        let snapshot = histogram.snapshot
        var cumulative: UInt64 = 0
        for (bound, count) in zip(histogram.bounds + [.infinity], snapshot.counts) {
            cumulative += count
            let bound = SeriesKey.Label(name: "le", value: number(bound))
            text += "\(name)_bucket\(self.labels(labels + [bound])) \(cumulative)\n"
        }
        text += "\(name)_sum\(self.labels(labels)) \(number(snapshot.sum))\n"
        text += "\(name)_count\(self.labels(labels)) \(cumulative)\n"
    }

    private static func labels(_ labels: [SeriesKey.Label]) -> String {
        guard !labels.isEmpty else { return "" }
        return "{" + labels.map { "\($0.name)=\"\(escapedLabelValue($0.value))\"" }.joined(separator: ",") + "}"
    }
}
