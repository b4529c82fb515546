public import SagaCore

/// Replays stored logs.
public enum SagaLog {
    /// What a stored log says.
    public enum Replayed: Sendable {
        case saga(Saga)
        /// There is no such saga.
        case absent
        /// The saga ended, and was removed since.
        case tombstone(Tombstone)
        /// The saga's definition is not among those that the caller knows.
        case unknownDefinition(name: String, version: Int)
    }

    /// Folds a log into the saga that wrote it.
    ///
    /// - Parameter definition: Looks up a definition by name and version.
    /// - Parameter observe: Called for each entry with the directives that it had, for timelines.
    public static func replay(
        _ log: [[UInt8]], of id: String, definition: (String, Int) -> Definition?,
        observe: (LogEntry, [Directive], Saga) -> Void = { _, _, _ in }
    ) throws(LogFault) -> Replayed {
        try replay(log, of: id, safeguards: .all, definition: definition, observe: observe)
    }

    package static func replay(
        _ log: [[UInt8]], of id: String, safeguards: Safeguards, definition: (String, Int) -> Definition?,
        observe: (LogEntry, [Directive], Saga) -> Void = { _, _, _ in }
    ) throws(LogFault) -> Replayed {
        guard let first = log.first else { return .absent }
        let (started, at): (Started, Milliseconds)
        switch try LogCodec.decode(head: first) {
        case .started(let fact, let instant): (started, at) = (fact, instant)
        case .tombstone(let tombstone): return .tombstone(tombstone)
        }
        let entry = LogEntry(index: 0, at: at, fact: .started(started))
        guard let definition = definition(started.definition, started.version) else {
            return .unknownDefinition(name: started.definition, version: started.version)
        }
        var directives: [Directive] = []
        var saga = Saga(
            id: id, definition: definition, started: started, safeguards: safeguards, at: at, directives: &directives)
        observe(entry, directives, saga)
        for bytes in log.dropFirst() {
            directives.removeAll(keepingCapacity: true)
            let entry = try LogCodec.decode(bytes)
            saga.evolve(entry, directives: &directives)
            observe(entry, directives, saga)
        }
        return .saga(saga)
    }
}
