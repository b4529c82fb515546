import ShopStage

/// What the demo prints at its end.
struct Report: CustomStringConvertible {
    let audit: Audit
    /// What was wrong with how the processes ended.
    let complaints: [String]
    /// From the first order placed to the last one's end.
    let seconds: Double
    /// Commands that were delivered again.
    let redeliveries: Int
    /// One compensated saga, as `skald show` tells it.
    let timeline: String?

    /// The most findings that are shown.
    private static let shownFindings = 20

    var description: String {
        var parts = ["", "\(AuditTable(audit))", "", rate]
        if let timeline { parts += ["", "One saga that was compensated (skald show):", "", timeline] }
        parts += ["", verdict]
        return parts.joined(separator: "\n")
    }

    private var rate: String {
        let perSecond = Int((Double(audit.counts.started) / max(seconds, 0.001)).rounded())
        return "  \(redeliveries.grouped) commands were delivered again after the kills, and absorbed\n"
            + "  \(audit.counts.started.grouped) orders in \(Int(seconds.rounded())) s, kills included: "
            + "\(perSecond.grouped) a second (debug build)"
    }

    private var verdict: String {
        let findings = audit.findings + complaints
        guard !findings.isEmpty else { return "The books agree: nothing lost, nothing done twice, nothing half done." }
        var lines = ["THE AUDIT FAILED: \(findings.count.grouped) findings"]
        lines += findings.prefix(Self.shownFindings).map { "  \($0)" }
        if findings.count > Self.shownFindings { lines.append("  … and more") }
        return lines.joined(separator: "\n")
    }
}
