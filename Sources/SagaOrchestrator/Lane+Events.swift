import SagaCore
import SagaStore
import SagaWire

/// What topics have in this round.
extension Lane {
    /// Applies the events that were read, as many as start about as many sagas as one read of the intake does. The rest
    /// is read again; the topics take turns in being first, so that none waits for another's flood to end.
    ///
    /// - Returns: Whether there may be more.
    func applyEvents(_ work: Work, _ batch: inout Batch) -> Bool {
        let topics = work.batches.keys.compactMap(\.topic).sorted()
        guard !topics.isEmpty else { return false }
        let first = Int(roundNumber % UInt64(topics.count))
        var room = options.readCount
        var hasMore = false
        for topic in topics[first...] + topics[..<first] {
            let stream = InboxStream.event(topic)
            let entries = work.batches[stream]?.entries ?? []
            let cost = max(1, registry.definitions(triggeredBy: topic).count)
            if entries.count >= options.readCount { hasMore = true }
            for entry in entries {
                guard room > 0, !batch.budget.isSpent else {
                    hasMore = true
                    break
                }
                for message in entry.messages { batch.apply(message, from: stream, entry: entry.id) }
                batch.commit.positions[stream] = entry.id
                room -= cost
            }
        }
        return hasMore
    }

    /// The sagas that are to be looked for before an event is applied. One that is started once a key is likely to be
    /// there; one that each event starts is taken to be new, as one from the intake is.
    func sagas(triggeredBy event: DomainEvent) -> [String] {
        registry.definitions(triggeredBy: event.topic).compactMap { definition in
            guard definition.trigger?.isPerEvent == false else { return nil }
            // An id that cannot be is said when the event is applied.
            return try? event.sagaID(for: definition)
        }
    }
}
