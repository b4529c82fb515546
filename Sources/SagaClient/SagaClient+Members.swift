import RedisTransport
package import SagaCore
package import SagaRedis
import SagaStore

extension SagaClient {
    /// The orchestrators as their heartbeats tell them, each with what it owns and is to own.
    ///
    /// Redis: O(members).
    func members(
        _ keys: KeySpace, _ partitions: [NamespaceStatus.Partition]
    ) async throws(ClientError) -> [NamespaceStatus.Member] {
        let now = try await serverTime()
        let reply: RedisValue
        do throws(RedisError) {
            reply = try await client.send(RedisCommand("HGETALL", keys.members)).value
        } catch {
            // A user with the rights of an earlier version sees everything else.
            guard error.code == .noPermission else { throw ClientError(error) }
            return []
        }
        let records = stride(from: 0, to: reply.count - 1, by: 2).compactMap { place in
            MemberRecord(instance: reply[place].string ?? "", value: reply[place + 1].string ?? "")
        }
        return NamespaceStatus.members(records, of: partitions, now: now)
    }
}

extension NamespaceStatus {
    /// Who is a member follows from heartbeats, what it owns from the partitions: heartbeats are older.
    package static func members(
        _ records: [MemberRecord], of partitions: [Partition], now: Milliseconds
    ) -> [Member] {
        let owned = Dictionary(grouping: partitions.filter { $0.owner != nil }, by: \.instance).mapValues(\.count)
        let alive = records.map { record in
            var member = record.member(at: now)
            member.heartbeat.held = owned[member.instance] ?? 0
            return member
        }.filter { $0.age <= $0.heartbeat.lease }
        let shares = alive.shares(of: partitions.count)
        return records.map { record in
            let heartbeat = record.heartbeat
            return Member(
                name: heartbeat.name, instance: heartbeat.instance, age: max(0, now - record.at),
                lease: heartbeat.lease, isLeaving: heartbeat.phase == .leaving, held: owned[heartbeat.instance] ?? 0,
                share: shares[heartbeat.instance] ?? 0)
        }.sorted { ($0.name, $0.instance) < ($1.name, $1.instance) }
    }
}
