/// How large a commit may become: the store works on nothing else while it applies one.
///
/// A message can cause far more than itself, such as a hundred commands that each carry the saga's input. So a batch
/// stops where the budget is used up, which one message overdraws at most. Messages, orders, alarms and the sweep have
/// one each, so that none of them waits for the others' flood to end.
struct CommitBudget {
    private let entries: Int
    private let bytes: Int
    private var spent = (entries: 0, bytes: 0)

    init(_ options: OrchestratorOptions) {
        (entries, bytes) = (options.commitEntries, options.commitBytes)
    }

    var isSpent: Bool { spent.entries >= entries || spent.bytes >= bytes }

    mutating func spend(_ bytes: Int) { spent = (spent.entries + 1, spent.bytes + bytes) }

    mutating func renew() { spent = (0, 0) }
}
