internal import ArgumentParser
internal import Logging

/// Options of every command that touches data or a model.
struct CommonOptions: ParsableArguments {
    @Option(name: .customLong("data"), help: "The folder that holds the data (default ./data).")
    var dataDirectory: String?

    @Option(name: .customLong("models"), help: "The folder that holds the models (default ./models).")
    var modelsDirectory: String?

    @Option(
        help: """
            The model: a folder in the models folder (default all-MiniLM-L6-v2-occupations where it is there, else \
            all-MiniLM-L6-v2), or one outside, gemini:NAME or openai:NAME.
            """)
    var model: String?

    @Option(name: .customLong("config"), help: "A settings file that must exist (default pathlight.yaml, if there).")
    var settingsFile: String?

    @Option(help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel: String?

    /// The settings with these options on top.
    ///
    /// - Parameter quiet: the level below which nothing is logged unless somebody asked for it: commands that print
    ///   data keep to warnings.
    func settings(
        host: String? = nil, port: Int? = nil, logFormat: String? = nil, quiet: Bool = true
    ) throws -> (settings: ServiceSettings, logger: Logger) {
        let (settings, logger, _) = try settingsWithOrigins(
            host: host, port: port, logFormat: logFormat, quiet: quiet)
        return (settings, logger)
    }

    /// As `settings`, with where each value comes from.
    func settingsWithOrigins(
        host: String? = nil, port: Int? = nil, logFormat: String? = nil, quiet: Bool = true
    ) throws -> (settings: ServiceSettings, logger: Logger, values: [SettingValue]) {
        var overrides = SettingsOverrides()
        overrides.host = host
        overrides.port = port
        overrides.data = dataDirectory
        overrides.models = modelsDirectory
        overrides.model = model
        overrides.logLevel = logLevel
        overrides.logFormat = logFormat
        let loaded = try ServiceSettings.load(file: settingsFile, overrides: overrides)
        var settings = loaded.settings
        if quiet, settings.logLevel == .info { settings.logLevel = .warning }
        LoggingSystem.bootstrap { [settings] label in settings.makeLogHandler(label: label) }
        let logger = Logger(label: "pathlight")
        for warning in loaded.warnings { logger.warning("\(warning)") }
        return (settings, logger, loaded.values)
    }
}
