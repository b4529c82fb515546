import ShopStage

/// What a run prints at its end.
struct SoakReport: CustomStringConvertible {
    let audit: Audit
    let violations: [String]
    let faults: Faults
    let repeats: Int
    let deadLetters: [String: Int]
    let redeliveries: Int
    let rewinds: Int
    let refusals: Int
    let kind: GroundKind
    let seed: UInt64
    let seconds: Int

    /// The most violations that are shown.
    private static let shown = 20

    var description: String {
        var lines = ["", "\(AuditTable(audit))", "", "  \(faults.count.grouped) faults in \(seconds) s"]
        lines += faults.byKind.sorted { $0.key < $1.key }.map { "    \($0.value.grouped) × \($0.key)" }
        let letters = deadLetters.sorted { $0.key < $1.key }.map { "\($0.value.grouped) \($0.key)" }
        lines += [
            "  \(audit.counts.started.grouped) sagas, \(repeats.grouped) starts repeated",
            "  \(rewinds.grouped) new histories of partitions, \(refusals.grouped) late commits refused by epoch",
            "  \(redeliveries.grouped) commands delivered again to processes that lived to tell",
            "  dead letters: \(letters.isEmpty ? "none" : letters.joined(separator: ", "))",
            "",
        ]
        guard !violations.isEmpty else {
            return (lines + ["0 violations: nothing lost, nothing half done."]).joined(separator: "\n")
        }
        lines.append("\(violations.count.grouped) VIOLATIONS (shop-soak --ground \(kind.rawValue) --seed \(seed)):")
        lines += violations.prefix(Self.shown).map { "  \($0)" }
        if violations.count > Self.shown { lines.append("  … and more") }
        return lines.joined(separator: "\n")
    }
}
