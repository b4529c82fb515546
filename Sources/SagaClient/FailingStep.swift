public import SagaCore

/// A step, or an item of a `forEach` step, that has failed and not succeeded since: it waits for its next attempt, or is stuck.
public struct FailingStep: Sendable, Hashable {
    public enum State: String, Sendable, Hashable, CaseIterable {
        /// Between two attempts.
        case waiting
        /// The next attempt is under way.
        case running
        /// Nothing goes on without an operator.
        case stuck
    }

    public var saga: String
    public var definition: String
    public var version: Int
    public var step: String
    /// Of a `forEach` step: place in its list, from 0.
    public var item: Int?
    /// nil where the coordinator executes the step by itself.
    public var service: String?
    public var phase: Phase
    public var state: State
    /// Attempts sent so far.
    public var attempts: Int
    /// When it failed for the first time since it last was in order.
    public var since: Milliseconds
    /// Why the last attempt failed.
    public var error: String?
    /// When the next attempt is due; nil unless the step waits for one, and while the saga is paused.
    public var nextAttemptAt: Milliseconds?
}

/// When each phase of a saga's steps began to fail, found entry by entry.
struct FailureTrace {
    private var since: [Phase: [Branch: Milliseconds]] = [:]

    mutating func observe(_ entry: LogEntry, _ saga: Saga) {
        for phase in Phase.allCases {
            for index in saga.steps.indices {
                for (branch, state) in saga.progress(of: index, phase) {
                    switch state.status {
                    case .waiting, .stuck: since[phase, default: [:]][branch] = since[phase]?[branch] ?? entry.at
                    // The next attempt does not mean that it is in order again.
                    case .running, .pending: break
                    case .none, .succeeded, .failed, .unknown, .skipped, .omitted: since[phase]?[branch] = nil
                    }
                }
            }
        }
    }

    /// The steps of the saga that fail now, in the direction in which it goes.
    func failing(_ saga: Saga) -> [FailingStep] {
        let phase: Phase = saga.isCompensating ? .compensation : .action
        return saga.steps.indices.flatMap { saga.progress(of: $0, phase) }.compactMap { branch, progress in
            guard let since = since[phase]?[branch],
                let state = FailingStep.State(rawValue: progress.status.rawValue)
            else { return nil }
            let step = saga.definition.steps[branch.step]
            return FailingStep(
                saga: saga.id, definition: saga.definition.name, version: saga.definition.version, step: step.name,
                item: branch.item, service: step.service, phase: phase, state: state, attempts: progress.attempts,
                since: since, error: progress.error,
                nextAttemptAt: state == .waiting && !saga.isPaused ? progress.due : nil)
        }
    }
}

extension Saga {
    /// What attempts a step is made of, itself or its items, and where they are in one direction.
    func progress(of index: Int, _ phase: Phase) -> [(branch: Branch, state: PhaseState)] {
        let step = steps[index]
        guard !step.items.isEmpty else {
            return [(Branch(step: index), phase == .action ? step.action : step.compensation)]
        }
        return step.items.enumerated().map { place, item in
            (Branch(step: index, item: place), phase == .action ? item.action : item.compensation)
        }
    }
}
