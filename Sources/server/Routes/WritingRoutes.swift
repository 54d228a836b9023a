/// The routes that write, which an `Idempotency-Key` makes safe to send again.
enum WritingRoutes {
    static let paths: Set<String> = [
        "/api/quiz/submit", "/api/results/recommend", "/api/results/save_career", "/api/results/view_career",
        "/api/results/dismiss_career", "/api/results/choose_career", "/api/monitor/students", "/api/monitor/run",
    ]
}
