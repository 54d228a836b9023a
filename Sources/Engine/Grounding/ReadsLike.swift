/// An occupation that a text reads like.
package struct ReadsLike: Sendable, Hashable {
    /// The career's id.
    package let occupation: String
    package let name: String
    /// Of all that the text is about, 0…1.
    package let share: Float

    package init(occupation: String, name: String, share: Float) {
        self.occupation = occupation
        self.name = name
        self.share = share
    }
}
