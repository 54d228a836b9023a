internal import Store

/// Collects who the careers of a file come from.
struct SourceReading {
    private let fallback: CareerSource
    private var described: [String: CareerSource] = [:]
    private var used: [String] = []

    init(fallback: CareerSource) { self.fallback = fallback }

    /// Keeps a source's description; a second, different one is a complaint.
    mutating func describe(_ source: CareerSource) -> String? {
        if let known = described[source.name], known != source {
            return "the source “\(source.name)” is described twice, differently; keep one description"
        }
        described[source.name] = source
        return nil
    }

    mutating func use(_ name: String) {
        if !used.contains(name) { used.append(name) }
    }

    /// One for each source in use; a name that the file does not describe is its own title.
    var sources: [CareerSource] {
        used.map { name in
            described[name] ?? (name == fallback.name ? fallback : Self.source(name: name, title: name))
        }
    }

    static func source(
        name: String, title: String, attribution: String? = nil, licence: String? = nil, url: String? = nil,
        version: String? = nil
    ) -> CareerSource {
        CareerSource(
            name: name, title: title, attribution: attribution, licence: licence, url: url, version: version)
    }

    /// A source as a file's values describe it, or what is wrong with it.
    static func source(from value: ImportedValue) -> (source: CareerSource?, complaints: [String]) {
        guard case .object(let fields) = value else {
            return (nil, ["a source is \(value.words); write an object with name and title"])
        }
        let known = ["name", "title", "attribution", "licence", "url", "version"]
        var reading = CareerReading { "sources.\($0)" }
        for name in fields.keys.sorted() where !known.contains(name) {
            reading.complain(
                ImportText.excerpt(name), "is not a field of a source\(NearestName.hint(for: name, among: known))")
        }
        let name = reading.label(fields["name"], "name")
        let source = source(
            name: name, title: reading.label(fields["title"], "title"),
            attribution: reading.text(fields["attribution"], "attribution"),
            licence: reading.text(fields["licence"], "licence"), url: reading.text(fields["url"], "url"),
            version: reading.text(fields["version"], "version"))
        return reading.complaints.isEmpty ? (source, []) : (nil, reading.complaints)
    }
}
