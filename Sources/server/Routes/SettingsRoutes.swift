internal import Hummingbird

/// `GET /api/admin/settings/`: what the service runs with, and where each value comes from. Secrets are left out.
///
/// There is no route that changes one: settings are of a process, and each replica would have others after the next
/// start. What has to change at once, the budget, has a route of its own.
struct SettingsRoutes {
    let values: [SettingValue]

    func add(to router: GuardedRouter) {
        router.get("/api/admin/settings", .admin) { request, _ in
            try request.readQuery { _ in }
            return reply()
        }
    }

    private func reply() -> Response {
        AdminPage.reply(values, total: values.count, skip: 0, limit: values.count) { json, setting in
            json.object { json in
                json.field("name", setting.key.rawValue)
                json.field("variable", setting.key.environmentName)
                json.field("value", setting.value)
                json.field("is_secret", setting.key.isSecret)
                json.field("is_set", setting.isSet)
                json.field("source", setting.source)
            }
        }
    }
}
