import SagaCore
import SagaStore
import SagaWire

/// Sagas that are started by events.
extension Batch {
    /// Starts a saga of every definition that is triggered by the event's topic.
    mutating func apply(_ event: DomainEvent, _ source: Source) {
        for definition in registry.definitions(triggeredBy: event.topic) {
            do throws(DeadReason) {
                start(try event.sagaID(for: definition), of: definition, by: event)
            } catch {
                bury(source, error, saga: nil)
            }
        }
    }

    /// A saga that is there, whoever started it and with what, is the one that the event asks for: an event repeats
    /// itself, and a definition that is triggered once a key has many events for each.
    private mutating func start(_ saga: String, of definition: Definition, by event: DomainEvent) {
        guard isUnknown(saga) else {
            tally.ignored += 1
            return
        }
        let started = Started(
            definition: definition.name, version: definition.version, era: partition.era,
            isAfterRewind: partition.wasRewound, traceparent: event.traceparent,
            isReplicated: confirmations.hold(definition), input: event.payload)
        commit.startsSagas = true
        enter(saga, definition, started)
    }
}
