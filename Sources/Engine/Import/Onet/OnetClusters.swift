/// The product's cluster of an occupation, by the longest prefix of its SOC code that the table has.
///
/// SOC sorts by employer and rank as much as by what people like doing: a cluster of “Management” would hold farmers,
/// head teachers and chief executives. So managers go to their field, and so do the sellers and clerks of one.
package enum OnetClusters {
    /// The cluster, or nil for a code that no release of SOC 2018 has.
    package static func cluster(of code: String) -> String? {
        var prefix = code[...]
        while !prefix.isEmpty {
            if let cluster = table[String(prefix)] { return cluster }
            prefix.removeLast()
        }
        return nil
    }

    /// Clusters by prefix of a code.
    package static let table: [String: String] = {
        var table: [String: String] = [:]
        for (cluster, prefixes) in groups {
            for prefix in prefixes.split(separator: " ") { table[String(prefix)] = cluster }
        }
        return table
    }()

    private static let groups: [(String, String)] = [
        ("Business & Management", "11 13 41 43"),
        ("Technology", "15 11-3021 43-9011"),
        ("Data & AI", "15-2 15-1221 15-1243 15-1299.02 19-1029.01 43-9111"),
        ("Finance", "13-2 11-3031 13-1031 13-1032 41-3021 41-3031 43-3 43-4011 43-4041 43-4131 43-4141 43-9041"),
        ("Engineering", "17 11-9041 19-4099.01"),
        ("Art & Design", "27-1 17-1011 17-1012 15-1255 51-9195 51-6052 51-6092"),
        ("Science & Research", "19 11-9121"),
        (
            "Agriculture & Environment",
            "45 11-9013 11-9121.02 11-1011.03 13-1074 13-1199.05 19-101 19-103 19-1023 19-2041 19-4012 19-4042 19-4071 "
                + "37-1012 37-3 39-2 17-2021 11-9199.11 19-4013"
        ),
        ("Counselling & Social Care", "21 11-9151 19-303 29-1127 31-112 39-9011 39-9041"),
        (
            "Government & Community",
            "11-1031 11-9131 11-9161 13-1041 19-1041 19-3051 19-3094 19-3099.01 19-5 21-2 43-4031 43-4061 43-5051 "
                + "43-5052 43-5053"
        ),
        ("Law & Public Safety", "23 33 55 43-5031 19-4092 27-3092"),
        ("Education", "25 11-903 43-4121"),
        ("Media & Performance", "27 11-2011 11-2032 41-9012 43-9031 43-9081 39-5091"),
        ("Health Care", "29 31 11-9111 43-6013"),
        (
            "Hospitality & Food",
            "35 11-9051 11-9071 11-9081 13-1121 37-1011 37-2 39-1013 39-3 39-6 39-7 41-3041 43-4081 43-4181 51-3 53-2031"
        ),
        ("Sport & Personal Services", "39 27-202 27-2031 27-2032 11-9072 11-9171 11-9179 31-9011 29-9091"),
        ("Skilled Trades & Construction", "47 49 11-9021 13-1051 37-2021 51-4121"),
        ("Manufacturing & Transport", "51 53 11-3051 11-3071 13-1081 43-5"),
    ]
}
