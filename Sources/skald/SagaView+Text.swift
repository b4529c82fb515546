import Foundation
import SagaClient
import SagaCore

extension SagaView {
    /// The saga for people.
    var text: String {
        // Every text that a peer wrote is cleaned by itself: a line of it must not pass for one of ours.
        var lines = [
            "\(saga.id)   \(saga.definition.id)   \(saga.status.rawValue)\(saga.isPaused ? " (paused)" : "")"
                + (saga.isVerifying ? " (verifying after a rewind)" : "")
                + (saga.isAwaitingConfirmation ? " (waiting for a confirmation of what is written)" : "")
        ]
        if let error = saga.error { lines.append("error     \(Terminal.clean(error))") }
        lines.append("started   \(Terminal.time(saga.startedAt))")
        if let end = saga.finishedAt {
            lines.append("finished  \(Terminal.time(end))   after \(end - saga.startedAt) ms")
        }
        lines.append("input     \(Terminal.clean(Terminal.payload(shown(saga.started.input))))")
        for (name, value) in saga.started.labels.sorted(by: { $0.key < $1.key }) {
            lines.append("label     \(Terminal.clean("\(name)=\(value)"))")
        }
        let rows = saga.steps.indices.map { index in
            let step = saga.steps[index]
            return [
                saga.definition.steps[index].name, stepStatus(index), String(step.action.attempts),
                compensationStatus(index), String(step.compensation.attempts),
                step.compensation.error ?? step.action.error ?? Terminal.payload(shown(step.result), limit: 60),
            ]
        }
        lines += [
            "", Terminal.table(["STEP", "ACTION", "TRIES", "COMPENSATION", "TRIES", "RESULT OR ERROR"], rows), "",
        ]
        for entry in timeline {
            let span = String(format: "%+8lld ms", entry.at - saga.startedAt)
            lines.append("\(span)  \(Terminal.clean(entry.text(in: saga)))")
        }
        return lines.joined(separator: "\n")
    }
}

extension TimelineEntry {
    fileprivate func text(in saga: Saga) -> String {
        var parts = [Terminal.pad(type, to: 12)]
        if let step { parts.append(step) }
        if let phase { parts.append(phase.rawValue) }
        if let attempt, attempt > 1 { parts.append("attempt \(attempt)") }
        if let what { parts.append(what) }
        if let text { parts.append("– \(text)") }
        return parts.joined(separator: " ")
    }
}
