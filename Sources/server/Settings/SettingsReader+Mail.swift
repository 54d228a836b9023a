import Platform

extension SettingsReader {
    /// Mail's settings; whether they go together is found out where mail is set up (`MailPlan`).
    func read(into mail: inout MailSettings) throws {
        try read(.mailHost, into: &mail.host)
        try read(.mailPort, into: &mail.port, in: 1...65_535)
        try read(.mailUser, into: &mail.user)
        try read(.mailPasswordFile, into: &mail.passwordFile)
        try read(.mailSecurity, into: &mail.security)
        try read(.mailAuthorities, into: &mail.authorities)
        try read(.mailTimeout, into: &mail.timeout)
        try read(.mailFrom, into: &mail.from)
        try read(.mailFolder, into: &mail.folder)
    }

    /// The address under which people reach the service, for links in mail.
    func readPublicURL(_ key: SettingKey, into value: inout String?) throws {
        try read(key, into: &value, expected: "an address as `https://careers.example.org`, without a query") { text in
            let isAddress =
                (text.hasPrefix("https://") || text.hasPrefix("http://")) && !text.hasSuffix("://")
                && text.utf8.count <= 256
                && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && !#"<>"\^`{|},?#"#.utf8.contains($0) }
            return isAddress ? .some(text) : nil
        }
    }
}
