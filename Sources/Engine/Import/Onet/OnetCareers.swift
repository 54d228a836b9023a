internal import Foundation
internal import Store

/// What joins an occupation from elsewhere.
struct OnetJoin {
    var wages: BLSWages?
    var projections: BLSProjections?

    /// A salary and whether it is that of the broad occupation.
    func salary(of occupation: OnetOccupation) -> (range: SalaryRange, isBroad: Bool)? {
        wages?.salary(of: String(occupation.code.prefix(7)))
    }

    /// By the title of the occupation that the statistics count: O*NET's own for a code that ends in `.00`, else that of
    /// the occupation it is part of.
    func growth(of occupation: OnetOccupation, parent: String?) -> JobGrowth? {
        guard let projections else { return nil }
        for title in [parent, wages?.title(of: String(occupation.code.prefix(7)))] {
            if let title, let growth = projections.growth(of: title) { return growth }
        }
        return nil
    }
}

/// Makes careers of the occupations of a release.
struct OnetCareers {
    private static let maximumTasks = 12
    private static let maximumExamples = 16
    private static let maximumTechnologies = 24
    private static let maximumSkills = 10

    private let release: OnetRelease
    private let join: OnetJoin
    private let ratings: OnetRatings
    private let skills: OnetRatings
    private let abilities: [[Double]]
    private let styleAverages: [String: Double]
    private let zones: OnetRatings
    private let titles: [String: String]

    init(release: OnetRelease, join: OnetJoin) {
        self.release = release
        self.join = join
        ratings = release.ratings.completed()
        skills = release.skills.completed()
        abilities = OnetAbilities.values(of: ratings)
        styleAverages = OnetWords.averages(of: release.ratings)
        var zones = OnetRatings(codes: release.occupations.map(\.code))
        for (k, occupation) in release.occupations.enumerated() {
            if let zone = occupation.jobZone { zones.set("zone", k, Double(zone)) }
        }
        self.zones = zones.completed()
        titles = Dictionary(
            release.occupations.filter { $0.code.hasSuffix(".00") }.map { (String($0.code.prefix(7)), $0.title) }
        ) { first, _ in first }
    }

    /// - Throws: `ImportError` where the release rates nothing that abilities could be made of.
    func imported(problems: ImportProblems) throws(ImportError) -> ImportedCareers {
        guard !release.ratings.values.isEmpty else {
            throw .noRelease(folder: release.directory.path, reason: "has no rating that can be read")
        }
        var careers: [Career] = []
        var wages = 0
        var broadWages = 0
        var projections = 0
        var estimates = ["rated": 0, "partly estimated": 0, "estimated": 0]
        for (k, occupation) in release.occupations.enumerated() {
            let salary = join.salary(of: occupation)
            let growth = join.growth(of: occupation, parent: titles[String(occupation.code.prefix(7))])
            if let salary {
                wages += 1
                if salary.isBroad { broadWages += 1 }
            }
            if growth != nil { projections += 1 }
            let basis = basis(k)
            estimates[basis, default: 0] += 1
            careers.append(career(occupation, k, salary: salary?.range, growth: growth, basis: basis))
        }
        return ImportedCareers(
            careers: careers, sources: [source], problems: problems, notes: release.notes,
            statistics: [
                ImportStatistic("rows_read", release.rowsRead), ImportStatistic("careers", careers.count),
                ImportStatistic("aliases", careers.reduce(0) { $0 + $1.aliases.count }),
                ImportStatistic("wages_joined", wages), ImportStatistic("wages_of_broad_occupations", broadWages),
                ImportStatistic("projections_joined", projections),
                ImportStatistic("rated", estimates["rated"] ?? 0),
                ImportStatistic("partly_estimated", estimates["partly estimated"] ?? 0),
                ImportStatistic("estimated", estimates["estimated"] ?? 0),
            ])
    }

    private func career(
        _ occupation: OnetOccupation, _ k: Int, salary: SalaryRange?, growth: JobGrowth?, basis: String
    ) -> Career {
        var attributes: [String: CareerAttribute] = ["ratings": .words([basis])]
        if let zone = occupation.jobZone { attributes["job_zone"] = .number(Double(zone)) }
        let interests = OnetWords.topInterests(of: k, in: ratings).map(\.name)
        if !interests.isEmpty { attributes["interests"] = .words(interests) }
        return Career(
            id: occupation.code, name: occupation.title, aliases: occupation.aliases.texts,
            description: occupation.description, requiredSkills: requiredSkills(k),
            suitableFor: OnetWords.suitableFor(k, title: occupation.title, in: ratings, averages: styleAverages),
            salary: salary, growth: growth, requiredEducation: education(k),
            relatedCareers: occupation.related.sorted { ($0.rank, $0.code) < ($1.rank, $1.code) }.map(\.code),
            socCode: occupation.code, cluster: OnetClusters.cluster(of: occupation.code) ?? "",
            abilities: abilities[k], tasks: Array(occupation.tasks.joined().prefix(Self.maximumTasks)),
            technologies: technologies(occupation), attributes: attributes, source: OnetImporter.sourceName)
    }

    /// Whether the abilities rest on the occupation's own ratings.
    private func basis(_ k: Int) -> String {
        let elements = Set(Ability.allCases.flatMap { OnetAbilityMap.parts(of: $0).map(\.element) })
            .filter { release.ratings.values[$0] != nil }
        let own = elements.filter { release.ratings.value($0, k) != nil }.count
        // A handful of suppressed rows leaves a rating what it is.
        if own * 10 >= elements.count * 9 { return "rated" }
        return own == 0 ? "estimated" : "partly estimated"
    }

    /// The most important skills, named; those of relatives where the occupation has no ratings of its own.
    private func requiredSkills(_ k: Int) -> [String] {
        let rated = skills.values.keys.compactMap { element in
            skills.value(element, k).map { (value: $0, element: element) }
        }
        return rated.filter { $0.value > 0 }
            .sorted { ($1.value, $0.element) < ($0.value, $1.element) }
            .prefix(Self.maximumSkills).map { release.names[$0.element] ?? $0.element }
    }

    /// Products first, those that employers ask for at the head; then the kinds of product with the most examples, which
    /// say in plain words what the products are for.
    private func technologies(_ occupation: OnetOccupation) -> [String] {
        var texts = DistinctTexts()
        for example in occupation.technologies.joined() where texts.texts.count < Self.maximumExamples {
            texts.add(example)
        }
        var counts: [String: (count: Int, first: Int)] = [:]
        for (place, commodity) in occupation.commodities.enumerated() where !commodity.isEmpty {
            counts[commodity] = ((counts[commodity]?.count ?? 0) + 1, counts[commodity]?.first ?? place)
        }
        let kinds = counts.sorted { ($1.value.count, $0.value.first) < ($0.value.count, $1.value.first) }
        for kind in kinds where texts.texts.count < Self.maximumTechnologies { texts.add(kind.key) }
        return texts.texts
    }

    /// Where an occupation has no job zone, the rounded mean of its relatives'.
    private func education(_ k: Int) -> RequiredEducation {
        guard let zone = zones.value("zone", k).map({ Int($0.rounded()) }) else {
            return RequiredEducation(level: .none, text: "Not stated")
        }
        let levels: [Int: EducationLevel] = [2: .secondary, 3: .certificate, 4: .bachelor, 5: .master]
        let level = levels[zone] ?? .none
        let text = release.educations[zone] ?? ""
        return RequiredEducation(level: level, text: text.isEmpty ? CareerFields.text(of: level) : text)
    }

    private var source: CareerSource {
        let release = release.version.map { "O*NET \($0) Database" } ?? "O*NET Database"
        var attribution =
            "This product includes information from the \(release) by the U.S. Department of Labor, Employment and "
            + "Training Administration (USDOL/ETA). Used under the CC BY 4.0 license. O*NET® is a trademark of USDOL/ETA. "
            + "Pathlight has modified all or some of this information. USDOL/ETA has not approved, endorsed, or tested "
            + "these modifications."
        let joined = [
            join.wages.map { "wages of \($0.year)" }, join.projections == nil ? nil : "employment projections",
        ].compactMap(\.self)
        if !joined.isEmpty {
            attribution += " With \(joined.joined(separator: " and ")) from the U.S. Bureau of Labor Statistics."
        }
        return SourceReading.source(
            name: OnetImporter.sourceName, title: release, attribution: attribution, licence: "CC BY 4.0",
            url: "https://www.onetcenter.org/database.html", version: self.release.version)
    }
}
