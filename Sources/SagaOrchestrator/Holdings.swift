import Logging
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
        /// Finish what is in flight of the partition, and release it.
        case giveUp(partition: Int, owner: String)
        /// Take the partition anew: the server is another one than before.
        case reacquire(partition: Int)
    }

    private struct State {
        var claims: [Int: Claim] = [:]
        /// Partitions that their lanes are taking anew.
        var replacing: Set<Int> = []
        var notices: [Int: [Notice]] = [:]
        var isStopping = false
        var isClosed = false
        /// Nil until the first answer to a heartbeat.
        var members: [Member]?
        var offer: Int?
        var isRestless = true
        var hasToldLoss = false
        /// For each partition, the highest era that was ever seen or raised here.
        var eras: [Int: Int64] = [:]
        /// For each partition, the highest commit sequence that the store confirmed here.
        var sequences: [Int: Int64] = [:]
        var tally = Tally()
        var health = Health()
    }

    private let state = Mutex(State())
    let laneCount: Int
    /// This process: random text.
    let instance: String
    let admission: Admission

    init(laneCount: Int, instance: String, admission: Admission) {
        self.laneCount = laneCount
        self.instance = instance
        self.admission = admission
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
            state.hasToldLoss = false
            state.notices[lane(of: index), default: []].append(.adopt(partition, claim))
        }
    }

    /// A lane is about to take its own partition anew: from now on the store may know it under a claim that isn't known
    /// here yet.
    func beginReplacing(_ partition: Int) {
        state.withLock { _ = $0.replacing.insert(partition) }
    }

    /// The lane has its answer.
    ///
    /// - Parameter claim: The one that it has now; nil where it has none, or doesn't know.
    func endReplacing(_ partition: Int, with claim: Claim?) {
        state.withLock { state in
            state.replacing.remove(partition)
            if let claim { state.claims[partition] = claim }
        }
    }

    /// The partition is not ours any more; does nothing where it was taken anew in the meantime, or is just being.
    ///
    /// - Returns: Whether that is news.
    @discardableResult
    func lose(_ partition: Int, owner: String) -> Bool {
        state.withLock { state in
            guard state.claims[partition]?.owner == owner, !state.replacing.contains(partition) else { return false }
            state.claims[partition] = nil
            state.notices[lane(of: partition), default: []].append(.drop(partition: partition, owner: owner))
            return true
        }
    }

    /// Says that a partition was lost: one loss stands for all until a partition is taken again.
    func tellLoss(_ logger: Logger, _ metadata: @autoclosure () -> Logger.Metadata) {
        let isNews = state.withLock { state in
            defer { state.hasToldLoss = true }
            return !state.hasToldLoss
        }
        guard isNews else { return }
        logger.warning("partition lost: another orchestrator has taken it", metadata: metadata())
    }

    /// The partition is to be given up by its lane.
    func requestRelease(of partition: Int) {
        state.withLock { state in
            guard let owner = state.claims[partition]?.owner else { return }
            state.notices[lane(of: partition), default: []].append(.giveUp(partition: partition, owner: owner))
        }
    }

    /// A lane has given a partition up.
    func noteRelease(of partition: Int, owner: String) {
        state.withLock { state in
            guard state.claims[partition]?.owner == owner else { return }
            state.claims[partition] = nil
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

    // MARK: Sharing with others

    func noteMembers(_ members: [Member]) { state.withLock { $0.members = members } }

    var members: [Member]? { state.withLock { $0.members } }

    /// Whether somebody is there to take what is given up.
    var hasSuccessors: Bool { (members ?? []).contains { $0.instance != instance && $0.isStaying } }

    func setMotion(offer: Int?, isRestless: Bool) {
        state.withLock { ($0.offer, $0.isRestless) = (offer, isRestless) }
    }

    /// The partition that is being given up.
    var offer: Int? { state.withLock { $0.offer } }

    /// Whether partitions are about to move: everything that can delay that has to be short.
    var isRestless: Bool { state.withLock { $0.isRestless } }

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

    /// A commit was refused because somebody else owns the partition.
    func countFenced() { state.withLock { $0.tally.fenced += 1 } }

    func count(_ tally: Tally) { state.withLock { $0.tally.add(tally) } }

    var tally: Tally { state.withLock { $0.tally } }

    /// The orchestrator is to hand its partitions over.
    func stop() { state.withLock { $0.isStopping = true } }

    var isStopping: Bool { state.withLock { $0.isStopping } }

    /// The hand-over is done: the lanes are to end.
    func close() { state.withLock { $0.isClosed = true } }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// The store has done what this part of the orchestrator asked for.
    func noteContact(_ part: Health.Part, at now: Milliseconds) {
        state.withLock { $0.health.succeeded(part, now: now) }
    }

    /// This part of the orchestrator asks the store for nothing any more.
    func noteRest(_ part: Health.Part) { state.withLock { $0.health.rests(part) } }

    /// - Returns: Whether this is news: no trouble with the store was told of.
    func noteFailure(_ part: Health.Part, _ error: String, at now: Milliseconds) -> Bool {
        state.withLock { $0.health.failed(part, error, now: now) }
    }

    /// How long a trouble with the store lasted that is over, told once.
    func endTrouble(after quiet: Milliseconds, at now: Milliseconds) -> Milliseconds? {
        state.withLock { $0.health.end(after: quiet, now: now) }
    }

    var health: Health { state.withLock { $0.health } }
}
