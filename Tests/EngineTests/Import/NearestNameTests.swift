import Engine
import Testing

@Suite struct `The nearest name` {
    @Test(arguments: [
        ("top_m", "top_n"), ("topn", "top_n"), ("aplha", "alpha"), ("ALPHA", "alpha"), ("skill", "skills"),
        ("health care", "Health Care"), ("xyz", nil), ("", nil), (String(repeating: "a", count: 100), nil),
    ])
    func `is suggested where it is near`(name: String, expected: String?) {
        #expect(
            NearestName.suggestion(for: name, among: ["top_n", "alpha", "skills", "text", "Health Care"]) == expected)
    }
}
