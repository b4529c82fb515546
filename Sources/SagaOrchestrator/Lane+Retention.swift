import SagaCore
import SagaStore
import SagaWire

/// The removal of sagas that ended long ago, a bounded number at a time.
///
/// It is done between two rounds: after the last commits were begun, and before anything is decided again. So no batch
/// ever knows a saga as ended that is removed while it is decided on.
extension Lane {
    struct RemovalRequest: Sendable {
        var fence: Fence
        var instant: Milliseconds
        var limit: Int
        /// How long after the end a tombstone stays.
        var tombstoneRetention: Milliseconds
        /// The names of all known definitions.
        var definitions: Set<String>
    }

    struct Removal: Sendable {
        var fence: Fence
        /// The removed sagas, and when the next one is due.
        var result: Result<(sagas: [String], next: Milliseconds?), StoreError>
    }

    /// The partitions in which sagas are to be removed now.
    func dueRemovals() -> [RemovalRequest] {
        let monotonic = surroundings.monotonic()
        var requests: [RemovalRequest] = []
        for partition in ordered {
            let now = partition.clock.now(monotonic: monotonic)
            guard partition.nextRemoval <= now, monotonic >= partition.lastRemoval.adding(options.trimInterval) else {
                continue
            }
            partition.lastRemoval = monotonic
            // Lowered by what ends meanwhile, and by what the store says.
            partition.nextRemoval = .max
            requests.append(
                RemovalRequest(
                    fence: partition.fence, instant: now, limit: options.removalCount,
                    tombstoneRetention: options.tombstoneRetention, definitions: Set(registry.all.map(\.name))))
        }
        return requests
    }

    static func remove(_ session: any StoreSession, _ requests: [RemovalRequest]) async -> [Removal] {
        var removals: [Removal] = []
        for request in requests {
            do throws(StoreError) {
                let expired = try await session.expired(
                    request.fence.partition, by: request.instant, limit: request.limit)
                if !expired.sagas.isEmpty {
                    let outcome = try await session.retire(
                        request.fence, expired.sagas.map { Retirement($0, request) })
                    // Lost: the next commit meets the same, and deals with it.
                    guard case .committed = outcome else { continue }
                }
                removals.append(
                    Removal(fence: request.fence, result: .success((expired.sagas.map(\.saga), expired.next))))
            } catch {
                removals.append(Removal(fence: request.fence, result: .failure(error)))
            }
        }
        return removals
    }

    /// Takes over what was removed.
    func note(_ removals: [Removal]) {
        for removal in removals {
            guard let partition = partitions[removal.fence.partition], partition.claim.owner == removal.fence.owner
            else { continue }
            switch removal.result {
            case .success(let (sagas, next)):
                partition.nextRemoval = min(partition.nextRemoval, next ?? .max)
                // An ended saga comes into memory when a late message is about it.
                for saga in sagas { partition.sagas[saga] = nil }
                var tally = Tally()
                tally.removed = sagas.count
                holdings.count(tally)
            case .failure(let error):
                partition.nextRemoval = .min
                // It may still be executed, after a message about one of the sagas was decided on: a higher epoch ends it.
                if error.effect == .indeterminate { partition.doubt() }
            }
        }
    }
}

extension Retirement {
    /// The removal of an ended saga, of which its log's first and last entry tell what has to be known.
    init(_ expired: ExpiredSaga, _ request: Lane.RemovalRequest) {
        var indexes: [SagaIndex] = expired.isCompensated ? [.status(.compensated)] : []
        let tombstone: Tombstone?
        do throws(LogFault) {
            switch try expired.first.map({ bytes throws(LogFault) in try LogCodec.decode(head: bytes) }) {
            case .started(let started, let startedAt):
                indexes.append(.definition(started.definition))
                for (name, value) in started.labels { indexes.append(.label(name: name, value: value)) }
                tombstone = Tombstone(
                    at: request.instant, definition: started.definition, version: started.version,
                    status: expired.isCompensated ? .compensated : .completed, startedAt: startedAt,
                    finishedAt: try expired.last.map { bytes throws(LogFault) in try LogCodec.instant(of: bytes) }
                        ?? expired.removal)
            case .tombstone(let stored):
                // A removal that was cut off half-way.
                indexes.append(.definition(stored.definition))
                tombstone = stored
            case nil: tombstone = nil
            }
        } catch {
            // What cannot be read must not stay in the way of all that ended later. When it ended is not known, so its id
            // stays taken from now on.
            indexes =
                (expired.isCompensated ? [.status(.compensated)] : []) + request.definitions.map { .definition($0) }
            tombstone = Tombstone(
                at: request.instant, definition: "", version: 0,
                status: expired.isCompensated ? .compensated : .completed, startedAt: request.instant,
                finishedAt: request.instant)
        }
        let expiry = (tombstone?.finishedAt ?? 0).adding(request.tombstoneRetention)
        self.init(
            saga: expired.saga, removal: expired.removal, indexes: indexes,
            tombstone: expiry > request.instant ? tombstone?.encoded : nil, expiry: expiry)
    }
}
