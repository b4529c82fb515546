import SagaCore
import SagaWire

/// What commits and trims change.
extension StoredPartition {
    /// Longest value of a dead letter that is copied whole, and the most fields that are copied.
    private static let letterValueBytes = 4_096
    private static let letterFields = 256

    mutating func apply(_ commit: PartitionCommit, now: Milliseconds) -> CommitResult {
        guard isHeld(by: commit.fence) else { return CommitResult(.fenced) }
        guard commit.fence.sequence == sequence || !safeguards.contains(.sequenceChecked) else {
            return CommitResult(.outOfSequence)
        }
        dropExpiredLogs(now)
        guard commit.changes.allSatisfy({ logs[$0.saga, default: []].count == $0.firstIndex }) else {
            return CommitResult(.logMoved)
        }
        let now = tick(now)
        for mark in commit.dead { dead.append(letter(mark, at: now), at: now) }
        for change in commit.changes { apply(change) }
        var ids: [StreamID] = []
        for command in commit.commands {
            if let replaced = command.replaced { commands[command.service]?.remove(replaced) }
            ids.append(commands[command.service, default: StoredStream()].append(command.fields, at: now))
        }
        for event in commit.events { events[event.topic, default: StoredStream()].append(event.fields, at: now) }
        for fields in commit.outcomes { outcomes.append(fields, at: now) }
        let events = positions.events.merging(commit.movedEvents) { $1 }
        positions = commit.positions
        positions.events = events
        sequence += 1
        if let era = commit.verifiedEra { verifiedEra = era }
        return CommitResult(.committed(now: now), commands: ids)
    }

    private mutating func apply(_ change: SagaChange) {
        if !change.entries.isEmpty { logs[change.saga, default: []] += change.entries }
        switch change.alarm {
        case .keep: break
        case .at(let instant): open[change.saga] = instant
        case .never: open[change.saga] = .max
        case .gone: open[change.saga] = nil
        case .ended(let instant):
            open[change.saga] = nil
            ended[change.saga] = instant
        case .rested: open[change.saga] = nil
        }
        for index in change.indexes { apply(index, to: change.saga) }
    }

    mutating func apply(_ change: IndexChange, to saga: String) {
        indexes[change.index, default: [:]][saga] = change.startedAt
        if indexes[change.index]?.isEmpty == true { indexes[change.index] = nil }
    }

    /// The dead letter of one message of an inbox entry.
    private func letter(_ mark: DeadMark, at now: Milliseconds) -> Fields {
        var letter = Fields()
        letter.append("source", mark.stream.name)
        letter.append("id", mark.entry)
        letter.append("message", mark.position)
        letter.append("reason", mark.reason.description)
        letter.append("at", now)
        if let saga = mark.saga { letter.append("saga", saga) }
        let entry = StoredStream.ID(mark.entry).flatMap { stream(mark.stream)?.entry($0) }
        entry?.fields.withViews { views in
            let starts =
                views.indices.filter { $0 == 0 || mark.stream.topic == nil && views[$0].isNamed("type") }
                + [views.count]
            guard mark.position >= 0, mark.position + 1 < starts.count else { return }
            for view in views[starts[mark.position]..<starts[mark.position + 1]].prefix(Self.letterFields) {
                let name = String(decoding: view.name.prefix(Self.letterValueBytes), as: UTF8.self)
                letter.append("entry.", suffix: name, Self.cut(view.value))
            }
        }
        return letter
    }

    private static func cut(_ value: UnsafeRawBufferPointer) -> [UInt8] {
        guard value.count > letterValueBytes else { return [UInt8](value) }
        return [UInt8](value.prefix(letterValueBytes)) + Array("… (cut from \(value.count) bytes)".utf8)
    }

    mutating func trim(
        _ fence: Fence, topics: [TrimmedTopic], outcomesBefore: Milliseconds, eventsBefore: Milliseconds,
        now: Milliseconds
    ) -> CommitOutcome {
        guard isHeld(by: fence) else { return .fenced }
        for stream in InboxStream.inbox {
            guard let position = StoredStream.ID(positions[stream]) else { continue }
            inbox[stream]?.trim(below: position)
        }
        outcomes.trim(below: StoredStream.ID(milliseconds: UInt64(max(0, outcomesBefore)), number: 0))
        for topic in topics {
            let bound =
                topic.isTrigger
                ? StoredStream.ID(positions[.event(topic.name)])
                : StoredStream.ID(milliseconds: UInt64(max(0, eventsBefore)), number: 0)
            if let bound { events[topic.name]?.trim(below: bound) }
        }
        return .committed(now: present(now))
    }
}
