internal import Platform

/// Words of a model as they may stand in a list: one line of plain text, bounded.
///
/// A list is shown by pages, spreadsheets and whoever reads the files, and what a model writes may have been put into
/// its mouth by somebody's interests. So there is no markup left in it, and no address to follow.
enum ModelText {
    static func plain(_ text: String, maximumCharacters: Int) -> String {
        // Read a little further than is kept, for markup takes room; and never further, for patterns take time.
        var text = UntrustedText(text, label: "reply", maximumCharacters: maximumCharacters * 4).text
        text = text.replacing(/!?\[([^\[\]]*)\]\([^()]*\)/) { String($0.output.1) }
        text = text.replacing(/<[A-Za-z\/!?][^<>]*>/, with: " ")
        text.removeAll { "<>`*|~{}\\".contains($0) }
        // After the marks, which may have stood inside an address to hide it.
        text = text.replacing(/(?i)\b(?:[a-z][a-z0-9+.\-]*:\/\/|www\.)[^\s]+/, with: " ")
        // Addresses of mail, names of hosts and numbers to call, which readers would follow as well. Ends that names of
        // technologies share (ASP.NET, Node.js, socket.io) are none of those.
        text = text.replacing(/[^\s@,;()]+@[^\s@,;()]+\.[A-Za-z]{2,}/, with: " ")
        text = text.replacing(
            /\b[a-z0-9](?:[a-z0-9\-]*\.)+(?:com|org|info|biz|xyz|site|online|shop|top|club|app|link)\b(?:\/[^\s]*)?/,
            with: " ")
        text = text.replacing(/\+[0-9][0-9 ()\-]{6,}[0-9]/, with: " ")
        let words = text.split(whereSeparator: \.isWhitespace)
        // Headings and lists of Markdown; `#` stays within “C#”.
        let marks = words.prefix { word in word.allSatisfy { "#-_=•".contains($0) } }
        return cut(words.dropFirst(marks.count).joined(separator: " "), to: maximumCharacters)
    }

    /// Ends between words where there is a space in the last third.
    private static func cut(_ text: String, to count: Int) -> String {
        guard text.count > count else { return text }
        let kept = text.prefix(count - 1)
        let space = kept.lastIndex(of: " ") ?? kept.endIndex
        let isLate = kept.distance(from: kept.startIndex, to: space) > count * 2 / 3
        return String(isLate ? kept[..<space] : kept) + "…"
    }
}
