/// Signals: what comes early is kept, what comes twice counts once.
extension Saga {
    /// Signals that a saga keeps for steps which are not due yet.
    public static let maxBufferedSignals = 64

    func decide(_ signal: Signal) -> Decision {
        guard definition.steps.contains(where: { $0.kind == .signal(signal.name) }) else {
            return .refuse("\(definition.id) waits for no signal '\(signal.name)'")
        }
        guard !status.isFinal, !isCompensating else { return .ignore }
        if let id = signal.id, signalIDs.contains(id) { return .ignore }
        guard awaiting(signal.name) != nil || bufferedSignals.count < Self.maxBufferedSignals else {
            return .refuse("the saga keeps \(Self.maxBufferedSignals) signals already that no step waits for yet")
        }
        return .accept(.signaled(signal))
    }

    mutating func apply(_ signal: Signal, at instant: Milliseconds) {
        if let id = signal.id { signalIDs.insert(id) }
        if let index = awaiting(signal.name) {
            succeed(Branch(step: index), .action, result: signal.payload, at: instant)
        } else {
            bufferedSignals.append(signal)
        }
    }

    /// The first step that waits for a signal with this name.
    private func awaiting(_ name: String) -> Int? {
        steps.indices.first { definition.steps[$0].kind == .signal(name) && steps[$0].action.status == .running }
    }

    /// Gives a step that begins to wait the oldest signal that came early.
    mutating func takeBuffered(_ name: String, for index: Int, at instant: Milliseconds) {
        guard let place = bufferedSignals.firstIndex(where: { $0.name == name }) else { return }
        let signal = bufferedSignals.remove(at: place)
        succeed(Branch(step: index), .action, result: signal.payload, at: instant)
    }
}
