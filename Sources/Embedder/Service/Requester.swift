/// Who asked for what is being done, and whether they still wait for it.
///
/// A server binds it around the work of a request; whatever makes that work wait looks it up, and asks to be told. It is
/// bound to the task, not handed down, because only the last of many layers has a use for it.
package struct Requester: Sendable {
    /// Whose request the present task works on; nil where nobody can go away.
    @TaskLocal package static var current: Requester?

    /// Registers what is to be done once the requester has gone; at once, if that has happened.
    package let whenGone: @Sendable (_ action: @escaping @Sendable () -> Void) -> Void

    package init(whenGone: @escaping @Sendable (_ action: @escaping @Sendable () -> Void) -> Void) {
        self.whenGone = whenGone
    }
}
