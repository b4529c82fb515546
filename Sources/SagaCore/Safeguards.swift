/// The rules without which a saga would end half done, each by name, so that a test can switch one off and show that
/// its absence is noticed.
///
/// It exists for that proof and for nothing else: it cannot be reached from outside of this package, everything that
/// runs has ``all`` of them, and whoever looks at one looks at a bit of a value that he was given.
package struct Safeguards: OptionSet, Sendable, Hashable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    // MARK: The participant's

    /// A command of an older era than the saga's newest has no effect.
    package static let eraFence = Safeguards(rawValue: 1 << 0)
    /// An action whose compensation is recorded has no effect, and never reports a success.
    package static let lateActionRefused = Safeguards(rawValue: 1 << 1)
    /// An action's refusal is recorded like its success.
    package static let refusalRecorded = Safeguards(rawValue: 1 << 2)
    /// A transaction holds the saga's row before it reads the records, so that those of one saga never overlap.
    package static let rowLocked = Safeguards(rawValue: 1 << 3)

    // MARK: The coordinator's

    /// An answer to a command of an older era counts for nothing.
    package static let oldAnswersIgnored = Safeguards(rawValue: 1 << 4)
    /// After a rewind every recorded action is asked for before anything goes on.
    package static let verifyRound = Safeguards(rawValue: 1 << 5)
    /// Child sagas are part of their parent's verify round, ended or not.
    package static let childrenVerified = Safeguards(rawValue: 1 << 6)
    /// After a rewind a compensation covers every step of the definition, known to have run or not.
    package static let everyStepCompensated = Safeguards(rawValue: 1 << 7)
    /// A step whose effect is unknown is compensated.
    package static let doubtCompensated = Safeguards(rawValue: 1 << 8)
    /// From the moment that the pivot is due nothing but its own refusal turns the saga back.
    package static let noReturnFromPivot = Safeguards(rawValue: 1 << 9)

    // MARK: The store's

    /// Only the partition's present owner commits.
    package static let epochChecked = Safeguards(rawValue: 1 << 10)
    /// A commit applies to the state that it was decided on, and once.
    package static let sequenceChecked = Safeguards(rawValue: 1 << 11)

    package static let all = Safeguards(rawValue: (1 << 12) - 1)

    /// Each rule by itself, with its name.
    package static let named: [(name: String, rule: Safeguards)] = [
        ("eraFence", .eraFence), ("lateActionRefused", .lateActionRefused), ("refusalRecorded", .refusalRecorded),
        ("rowLocked", .rowLocked), ("oldAnswersIgnored", .oldAnswersIgnored), ("verifyRound", .verifyRound),
        ("childrenVerified", .childrenVerified), ("everyStepCompensated", .everyStepCompensated),
        ("doubtCompensated", .doubtCompensated), ("noReturnFromPivot", .noReturnFromPivot),
        ("epochChecked", .epochChecked), ("sequenceChecked", .sequenceChecked),
    ]

    /// Whether an answer to a command of `era` counts in a partition whose era is `present`.
    package func admitAnswer(of era: Int64, in present: Int64) -> Bool {
        era == present || !contains(.oldAnswersIgnored)
    }
}
