/// What the files of a release say of one occupation.
struct OnetOccupation {
    let code: String
    let title: String
    let description: String
    /// Where `Occupation Data.txt` names it.
    let line: Int
    var aliases = DistinctTexts()
    /// By rank: core, supplemental, not rated.
    var tasks: [[String]] = [[], [], []]
    /// By rank: hot and in demand, in demand, hot, others.
    var technologies: [[String]] = [[], [], [], []]
    /// The commodity of each technology, in the order of the file.
    var commodities: [String] = []
    var related: [(rank: Int, code: String)] = []
    var jobZone: Int?

    init(code: String, title: String, description: String, line: Int) {
        self.code = code
        self.title = title
        self.description = description
        self.line = line
    }
}

/// Texts of which no two differ by case alone, in the order of their arrival.
struct DistinctTexts {
    private(set) var texts: [String] = []
    private var known: Set<String> = []

    init(without excluded: String? = nil) {
        if let excluded { known.insert(excluded.lowercased()) }
    }

    mutating func add(_ text: String) {
        if !text.isEmpty, known.insert(text.lowercased()).inserted { texts.append(text) }
    }
}
