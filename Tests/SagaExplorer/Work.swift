import SagaCore

/// What some situations lead to.
struct Work: Sendable {
    struct Successor: Sendable {
        let bytes: [UInt8]
        let hash: StateHash
        let origin: Int
        let move: Move
    }

    struct Violation: Sendable {
        let reason: String
        let origin: Int
        /// Nil where the situation is at fault itself.
        let move: Move?
    }

    private(set) var successors: [Successor] = []
    private(set) var transitions = 0
    private(set) var violation: Violation?

    init(_ share: ArraySlice<Waiting>, _ family: Family, _ atlas: Atlas) {
        var seen: Set<StateHash> = []
        for waiting in share {
            expand(waiting, family, atlas, &seen)
            if violation != nil { return }
        }
    }

    private mutating func expand(_ waiting: Waiting, _ family: Family, _ atlas: Atlas, _ seen: inout Set<StateHash>) {
        let situation = Situation(imprint: waiting.bytes, family)
        var canGoOn = false
        for move in situation.moves(family) {
            var next = situation
            next.perform(move, family)
            let bytes = next.imprint(in: family)
            if let fault = next.fault {
                violation = Violation(reason: fault, origin: waiting.number, move: move)
                return
            }
            guard bytes != waiting.bytes else { continue }
            transitions += 1
            canGoOn = canGoOn || move.isProgress
            let hash = StateHash(bytes)
            guard !atlas.contains(hash), seen.insert(hash).inserted else { continue }
            if let reason = next.violation(family) {
                violation = Violation(reason: reason, origin: waiting.number, move: move)
                return
            }
            successors.append(Successor(bytes: bytes, hash: hash, origin: waiting.number, move: move))
        }
        if !canGoOn, situation.sagas[0]?.isAtRest != true {
            violation = Violation(
                reason: "nothing moves the saga any more", origin: waiting.number, move: nil)
        }
    }
}
