import SagaCore

/// The removal of ended sagas.
extension StoredPartition {
    func expired(by instant: Milliseconds, limit: Int) -> ExpiredSagas {
        let ordered = ended.sorted { ($0.value, $0.key) < ($1.value, $1.key) }
        let due = ordered.prefix { $0.value <= instant }.prefix(limit)
        let sagas = due.map { saga, removal in
            ExpiredSaga(
                saga: saga, removal: removal, first: logs[saga]?.first, last: logs[saga]?.last,
                isCompensated: indexes[.status(.compensated)]?[saga] != nil)
        }
        return ExpiredSagas(sagas: sagas, next: ordered.dropFirst(due.count).first?.value)
    }

    mutating func retire(_ fence: Fence, _ retirements: [Retirement], now: Milliseconds) -> CommitOutcome {
        guard isHeld(by: fence) else { return .fenced }
        for retirement in retirements where ended[retirement.saga] == retirement.removal {
            ended[retirement.saga] = nil
            guard open[retirement.saga] == nil else { continue }
            for index in retirement.indexes { apply(.remove(index), to: retirement.saga) }
            logs[retirement.saga] = retirement.tombstone.map { [$0] }
            expiries[retirement.saga] = retirement.tombstone.map { _ in retirement.expiry }
        }
        dropExpiredLogs(now)
        return .committed(now: present(now))
    }

    /// Forgets the logs whose time is over, as a server does by itself.
    mutating func dropExpiredLogs(_ now: Milliseconds) {
        guard !expiries.isEmpty else { return }
        for (saga, expiry) in expiries where expiry <= now {
            logs[saga] = nil
            expiries[saga] = nil
        }
    }
}
