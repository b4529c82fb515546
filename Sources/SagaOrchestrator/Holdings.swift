import SagaCore
import SagaStore
import Synchronization

/// Which partitions this orchestrator holds: what the keeper of the leases and the lanes tell each other.
final class Holdings: Sendable {
    /// What a lane is told.
    enum Notice: Sendable {
        case adopt(PartitionState, Claim)
        /// Somebody else owns the partition.
        case drop(partition: Int, owner: String)
        /// Take the partition anew: the server is another one than before.
        case reacquire(partition: Int)
    }

    private struct State {
        var claims: [Int: Claim] = [:]
        var notices: [Int: [Notice]] = [:]
        var isStopping = false
        /// For each partition, the highest era that was ever seen or raised here.
        var eras: [Int: Int64] = [:]
        /// For each partition, the highest commit sequence that the store confirmed here.
        var sequences: [Int: Int64] = [:]
        var tally = Tally()
        var health = Health()
    }

    private let state = Mutex(State())
    let laneCount: Int

    init(laneCount: Int) {
        self.laneCount = laneCount
    }

    func lane(of partition: Int) -> Int { partition % laneCount }

    // MARK: Claims

    func claim(on partition: Int) -> Claim? { state.withLock { $0.claims[partition] } }

    var heldPartitions: [Int] { state.withLock { $0.claims.keys.sorted() } }

    /// The keeper has taken a partition for its lane.
    func adopt(_ partition: PartitionState, _ claim: Claim) {
        let index = partition.fence.partition
        state.withLock { state in
            state.claims[index] = claim
            state.notices[lane(of: index), default: []].append(.adopt(partition, claim))
        }
    }

    /// A lane has taken its own partition anew.
    func replace(_ claim: Claim, on partition: Int) {
        state.withLock { $0.claims[partition] = claim }
    }

    /// The partition is not ours any more; does nothing where it was taken anew in the meantime.
    func lose(_ partition: Int, owner: String) {
        state.withLock { state in
            guard state.claims[partition]?.owner == owner else { return }
            state.claims[partition] = nil
            state.notices[lane(of: partition), default: []].append(.drop(partition: partition, owner: owner))
        }
    }

    func requestReacquisition(of partition: Int) {
        state.withLock { state in
            state.notices[lane(of: partition), default: []].append(.reacquire(partition: partition))
        }
    }

    func takeNotices(for lane: Int) -> [Notice] {
        state.withLock { $0.notices.removeValue(forKey: lane) ?? [] }
    }

    // MARK: What is known of a partition's history

    func noteEra(_ era: Int64, of partition: Int) {
        state.withLock { $0.eras[partition] = max($0.eras[partition] ?? 0, era) }
    }

    func highestEra(of partition: Int) -> Int64 { state.withLock { $0.eras[partition] ?? 0 } }

    func noteSequence(_ sequence: Int64, of partition: Int) {
        state.withLock { $0.sequences[partition] = max($0.sequences[partition] ?? 0, sequence) }
    }

    /// The history begins anew here: what was confirmed before is not to be compared with.
    func resetSequence(_ sequence: Int64, of partition: Int) {
        state.withLock { $0.sequences[partition] = sequence }
    }

    func highestSequence(of partition: Int) -> Int64 { state.withLock { $0.sequences[partition] ?? 0 } }

    // MARK: The process

    func count(_ tally: Tally) { state.withLock { $0.tally.add(tally) } }

    var tally: Tally { state.withLock { $0.tally } }

    func stop() { state.withLock { $0.isStopping = true } }

    var isStopping: Bool { state.withLock { $0.isStopping } }

    /// The store has done what this part of the orchestrator asked for.
    func noteContact(_ part: Health.Part) { state.withLock { $0.health.succeeded(part, now: monotonicClock()) } }

    /// This part of the orchestrator asks the store for nothing any more.
    func noteRest(_ part: Health.Part) { state.withLock { $0.health.rests(part) } }

    /// - Returns: Whether this is news: no trouble with the store was told of.
    func noteFailure(_ part: Health.Part, _ error: String) -> Bool {
        state.withLock { $0.health.failed(part, error, now: monotonicClock()) }
    }

    /// How long a trouble with the store lasted that is over, told once.
    func endTrouble(after quiet: Milliseconds) -> Milliseconds? {
        state.withLock { $0.health.end(after: quiet, now: monotonicClock()) }
    }

    var health: Health { state.withLock { $0.health } }
}
