import RedisTransport
import SagaCore
import SagaStore

/// The removal of ended sagas, and of consumers that are gone.
extension RedisSession {
    func removeConsumers(
        _ fence: Fence, services: [String], idle: Milliseconds, limit: Int
    ) async throws(StoreError) -> CommitOutcome {
        let streams = services.map { keys.command(fence.partition, service: $0) }
        let reply = try await evaluate(scripts.removeConsumers, keys: [keys.state(fence.partition)] + streams) {
            command in
            command.append(fence.owner)
            command.append(fence.epoch)
            command.append(idle)
            command.append(limit)
            for service in services { command.append(service) }
        }
        return try reply.commitOutcome()
    }

    func expired(
        _ partition: Int, by instant: Milliseconds, limit: Int
    ) async throws(StoreError) -> ExpiredSagas {
        let range = RedisCommand(
            "ZRANGEBYSCORE", keys.ended(partition), "-inf", "+inf", "WITHSCORES", "LIMIT", "0", "\(limit + 1)")
        let members = try await pipeline([range])[0].value
        var due: [(saga: String, removal: Milliseconds)] = []
        var next: Milliseconds?
        for place in stride(from: 0, to: members.count - 1, by: 2) {
            guard let saga = members[place].string, let removal = Self.instant(members[place + 1]) else { continue }
            guard due.count < limit, removal <= instant else {
                next = removal
                break
            }
            due.append((saga, removal))
        }
        guard !due.isEmpty else { return ExpiredSagas(sagas: [], next: next) }
        let compensated = keys.index(partition, .status(.compensated))
        let replies = try await pipeline(
            due.flatMap { saga, _ in
                let log = keys.log(partition, saga: saga)
                return [
                    RedisCommand("LINDEX", log, "0"), RedisCommand("LINDEX", log, "-1"),
                    RedisCommand("ZSCORE", compensated, saga),
                ]
            })
        let sagas = due.enumerated().map { place, expired in
            ExpiredSaga(
                saga: expired.saga, removal: expired.removal, first: replies[place * 3].value.bytes,
                last: replies[place * 3 + 1].value.bytes, isCompensated: !replies[place * 3 + 2].value.isNull)
        }
        return ExpiredSagas(sagas: sagas, next: next)
    }

    func retire(_ fence: Fence, _ retirements: [Retirement]) async throws(StoreError) -> CommitOutcome {
        let partition = fence.partition
        var names = [keys.state(partition), keys.ended(partition), keys.open(partition)]
        for retirement in retirements { names.append(keys.log(partition, saga: retirement.saga)) }
        var places: [SagaIndex: Int] = [:]
        for index in retirements.flatMap(\.indexes) where places[index] == nil {
            names.append(keys.index(partition, index))
            places[index] = names.count
        }
        let reply = try await evaluate(scripts.retire, keys: names) { command in
            command.append(fence.owner)
            command.append(fence.epoch)
            command.append(retirements.count)
            for retirement in retirements {
                command.append(retirement.saga)
                command.append(retirement.removal)
                command.append(retirement.tombstone ?? [])
                command.append(retirement.expiry)
                command.append(retirement.indexes.count)
                for index in retirement.indexes { command.append(places[index] ?? 0) }
            }
        }
        return try reply.commitOutcome()
    }
}
