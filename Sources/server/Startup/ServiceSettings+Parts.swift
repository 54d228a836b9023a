internal import Monitor
internal import Platform
internal import Store

/// What settings lead to, put together the same way by a start and by `pathlight doctor`.
extension ServiceSettings {
    /// The way out to other servers.
    ///
    /// - Throws: `SettingsError` for what cannot be meant.
    func makeTransport() throws(SettingsError) -> CurlTransport {
        do throws(OutboundError) {
            return try CurlTransport(outbound)
        } catch {
            throw .unusable("`outbound`: \(error)")
        }
    }

    /// Where mail goes.
    ///
    /// - Throws: `SettingsError` for what does not go together, and for a password that cannot be read.
    func makeMail() throws(SettingsError) -> (plan: MailPlan, mailer: any Mailer) {
        do throws(MailError) {
            let plan = try MailPlan(mail, dataFolder: dataDirectory)
            return (plan, try plan.makeMailer())
        } catch {
            throw .unusable("\(error)")
        }
    }

    /// The prompts in use, those of all features among them.
    ///
    /// - Throws: `SettingsError` for a file of the operator's folder that cannot be used.
    func makePrompts(database: any SQLDatabase) throws(SettingsError) -> PromptLibrary {
        do throws(PromptError) {
            var texts: [String: String] = [:]
            if let promptFolder { texts = try PromptLibrary.readFolder(promptFolder) }
            return try PromptLibrary(BuiltInPrompts.all + MonitorPrompts.all, folder: texts, database: database)
        } catch {
            throw .unusable("`llm.prompts`: \(error)")
        }
    }
}
