/// What the HTTP clients wrote: a row for each time that something was measured, in order.
struct RouteTurns {
    let rows: [RouteRow]

    /// One row for each request, client and number of connections, in the order of their first turns.
    var merged: [RouteRow] {
        var groups: [[RouteRow]] = []
        for row in rows {
            let place = groups.firstIndex { group in group.contains { Self.areTurns($0, row) } }
            if let place { groups[place].append(row) } else { groups.append([row]) }
        }
        return groups.compactMap(Self.row(of:))
    }

    /// The known text's requests a second by those of the empty route that was asked in the same turn.
    ///
    /// - Returns: nil where one of them was not measured with so many connections.
    func shareOfEmptyRoute(connections: Int) -> EmptyRouteShare? {
        func rates(_ kind: RouteRow.Kind) -> [Double] {
            rows.filter { $0.kind == kind && $0.connections == connections }.map(\.requestsPerSecond)
        }
        let shares = zip(rates(.known), rates(.empty)).filter { $1 > 0 }.map { $0 / $1 }
        guard !shares.isEmpty else { return nil }
        return EmptyRouteShare(
            connections: connections, turns: shares.count, share: shares.sorted().nearestRank(50),
            goal: EmptyRouteShare.least)
    }

    private static func areTurns(_ a: RouteRow, _ b: RouteRow) -> Bool {
        a.name == b.name && a.client == b.client && a.connections == b.connections
    }

    private static func row(of turns: [RouteRow]) -> RouteRow? {
        guard var row = turns.first, turns.count > 1 else { return turns.first }
        func median(_ value: (RouteRow) -> Double) -> Double { turns.map(value).sorted().nearestRank(50) }
        row.turns = turns.count
        row.time.runs = turns.reduce(0) { $0 + $1.time.runs }
        row.time.p50Ms = median(\.time.p50Ms)
        row.time.p90Ms = median(\.time.p90Ms)
        row.time.p99Ms = median(\.time.p99Ms)
        row.time.maxMs = turns.compactMap(\.time.maxMs).max()
        row.requestsPerSecond = median(\.requestsPerSecond)
        row.errors = turns.reduce(0) { $0 + $1.errors }
        return row
    }
}

/// How many requests with a known text are answered for each of a route that does nothing, both under the same load.
struct EmptyRouteShare: Codable {
    /// Of the load that the goal speaks of.
    static let connections = 16
    /// What the share is to be at least.
    static let least = 0.6

    var connections: Int
    /// Of both, one after the other.
    var turns: Int
    /// The median over the turns.
    var share: Double
    var goal: Double

    var sentence: String {
        "Known text, \(connections) connections: \(Table.number(share)) of the empty route's requests a second, the "
            + "median of \(turns) turns (goal: \(goal)): \(share >= goal ? "met" : "**missed**")\n"
    }
}
