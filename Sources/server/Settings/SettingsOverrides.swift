/// What the command line says; it wins over everything else.
package struct SettingsOverrides: Sendable, Equatable {
    package var host: String?
    package var port: Int?
    package var data: String?
    package var models: String?
    package var model: String?
    package var logLevel: String?
    package var logFormat: String?

    package init() {}

    var values: [SettingKey: String] {
        var values: [SettingKey: String] = [:]
        values[.host] = host
        values[.port] = port.map { String($0) }
        values[.data] = data
        values[.models] = models
        values[.model] = model
        values[.logLevel] = logLevel
        values[.logFormat] = logFormat
        return values
    }
}
