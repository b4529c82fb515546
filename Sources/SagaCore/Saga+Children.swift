/// What a child saga tells its parent.
public struct ChildReport: Sendable, Hashable {
    public enum Outcome: String, Sendable, Hashable, CaseIterable {
        case completed
        /// It left no effect: it failed, or was undone.
        case compensated
        /// It could not be started, or cannot be undone.
        case refused
        /// After a rewind: it is where it was recorded to be, or on its way back.
        case running
    }

    public var step: String
    public var outcome: Outcome
    public var result: [UInt8]?
    public var error: String?

    public init(step: String, outcome: Outcome, result: [UInt8]? = nil, error: String? = nil) {
        self.step = step
        self.outcome = outcome
        self.result = result
        self.error = error
    }
}

/// Child sagas: steps that are sagas of their own. A nested transaction in Moss's sense, but that a child's effects
/// show before its parent ends; so undoing the step undoes the child.
extension Saga {
    // MARK: The parent's side

    func decide(_ report: ChildReport) -> Decision {
        guard let index = definition.step(named: report.step), definition.steps[index].isChild else {
            return .refuse("\(definition.id) has no child saga '\(report.step)'")
        }
        guard !status.isFinal || isVerifying else { return .ignore }
        if steps[index].verification != nil {
            // On its way back: nothing that was built on it goes on before it says that it is there.
            let isLost = report.outcome == .running && steps[index].action.status == .succeeded && !isCompensating
            return isLost ? .ignore : .accept(.childReported(report))
        }
        // What a step is stuck at can still come by itself.
        let hoped: ChildReport.Outcome = isCompensating ? .compensated : .completed
        let counts: Bool
        switch phase(of: index).status {
        case .running: counts = report.outcome != .running && !(isCompensating && report.outcome == .completed)
        case .stuck: counts = report.outcome == hoped
        default: counts = false
        }
        return counts ? .accept(.childReported(report)) : .ignore
    }

    mutating func apply(_ report: ChildReport, at instant: Milliseconds) {
        guard let index = definition.step(named: report.step) else { return }
        let branch = Branch(step: index)
        if steps[index].verification != nil { return applyVerification(of: index, report, at: instant) }
        let error = report.error ?? "the child saga was undone"
        let phase: Phase = isCompensating ? .compensation : .action
        switch (phase, report.outcome) {
        case (.action, .completed): succeed(branch, .action, result: report.result, at: instant)
        case (.action, .compensated), (.action, .refused): fail(branch, .action, error: error, at: instant)
        case (.compensation, .compensated): succeed(branch, .compensation, result: nil, at: instant)
        case (.compensation, .refused): fail(branch, .compensation, error: error, at: instant)
        case (_, .running), (.compensation, .completed): break
        }
    }

    private mutating func applyVerification(of index: Int, _ report: ChildReport, at instant: Milliseconds) {
        let branch = Branch(step: index)
        steps[index].verification = nil
        unverified -= 1
        let recorded = steps[index].action.status
        switch report.outcome {
        case .completed where recorded != .succeeded && recorded != .failed:
            succeed(branch, .action, result: report.result, at: instant)
        case .compensated where recorded != .failed && !isCompensating,
            .refused where recorded != .failed && !isCompensating:
            fail(branch, .action, error: report.error ?? "the child saga was undone", at: instant)
        default: break
        }
    }

    // MARK: The child's side

    /// Whether a parent may take the saga back.
    func decideRecall(_ reason: String) -> Decision {
        guard started.isChild else { return .refuse("'\(id)' is no child saga") }
        if isCompensating { return .ignore }
        if isBeyondReturn, let pivot = definition.pivot, steps[pivot].action.status != .failed {
            return .refuse("the pivot '\(definition.steps[pivot].name)' is due: the saga only goes forward")
        }
        return .accept(.recalled(reason: reason))
    }

    mutating func recall(because reason: String, at instant: Milliseconds) {
        beginCompensating(because: reason, at: instant)
    }

    /// What the parent is told of this saga as it is.
    package func report(to step: String) -> ChildReport {
        switch status {
        case .completed: ChildReport(step: step, outcome: .completed, result: lastResult)
        case .compensated: ChildReport(step: step, outcome: .compensated, error: error)
        case .scheduled, .running, .compensating, .stuck: ChildReport(step: step, outcome: .running)
        }
    }
}
