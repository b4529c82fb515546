package import RedisTransport
import SagaCore
package import SagaStore
import Synchronization

/// The connections over which a session has written last, by the key that was written.
///
/// WAIT is about what its own connection has written. On a connection that came later it would count replicas that are
/// in touch, and say nothing of what an earlier one wrote.
final class LastWriter: Sendable {
    private let connections = Mutex<[String: RedisConnection]>([:])

    func connection(for key: String) -> RedisConnection? { connections.withLock { $0[key] } }

    func note(_ connection: RedisConnection?, for key: String) { connections.withLock { $0[key] = connection } }
}

extension RedisSession {
    func confirmationMeans(replicas: Int) async throws(StoreError) -> ConfirmationMeans {
        let info: ServerInfo
        do throws(RedisError) {
            info = ServerInfo(try await writer.send(RedisCommand("INFO", "everything")))
        } catch {
            throw StoreError(error)
        }
        var setting: String??
        if looksAtSettings, info["connected_slaves"] == "0", info["aof_enabled"] == "1" {
            do throws(RedisError) {
                setting = .some(try await writer.send(RedisCommand("CONFIG", "GET", "appendfsync")).value[1].string)
            } catch {
                // The user may not look, or the command has another name.
                switch error.code {
                case .noPermission, .other: break
                default: throw StoreError(error)
                }
            }
        }
        return ConfirmationMeans(info, appendfsync: setting, replicas: replicas)
    }

    func confirm(
        _ partitions: [Int], by means: ConfirmationMeans, timeout: Milliseconds
    ) -> any PendingConfirmation {
        switch means {
        case .none: PendingRedisConfirmation(confirmed: [], waits: [])
        // The answer to a write comes when it is on the disk.
        case .disk: PendingRedisConfirmation(confirmed: Set(partitions), waits: [])
        case .replicas(let count):
            PendingRedisConfirmation(
                confirmed: [], waits: submitWaits(for: partitions, replicas: count, timeout: timeout))
        }
    }

    /// One WAIT for each connection: that of a server covers all partitions there.
    private func submitWaits(
        for partitions: [Int], replicas: Int, timeout: Milliseconds
    ) -> [PendingRedisConfirmation.Wait] {
        var groups: [ObjectIdentifier: (connection: RedisConnection, partitions: Set<Int>)] = [:]
        for partition in partitions {
            let state = keys.state(partition)
            // Where nothing was written over a connection that is known, there is nothing that it could confirm.
            guard let connection = lastWriter.connection(for: state) else { continue }
            groups[ObjectIdentifier(connection), default: (connection, [])].partitions.insert(partition)
        }
        let wait = RedisCommand("WAIT", "\(replicas)", "\(timeout)")
        let patience = Duration.milliseconds(timeout) + writer.options.replyTimeout
        return groups.values.map { group in
            PendingRedisConfirmation.Wait(
                partitions: group.partitions, replicas: replicas,
                reply: group.connection.submit(wait, timeout: patience))
        }
    }

    private struct PendingRedisConfirmation: PendingConfirmation {
        struct Wait: Sendable {
            var partitions: Set<Int>
            var replicas: Int
            var reply: PendingReply
        }

        var confirmed: Set<Int>
        var waits: [Wait]

        func outcome() async throws(StoreError) -> Set<Int> {
            var confirmed = confirmed
            for wait in waits {
                let count = try await translating { () async throws(RedisError) in try await wait.reply.get() }
                if count.value.integer.map({ $0 >= wait.replicas }) ?? false { confirmed.formUnion(wait.partitions) }
            }
            return confirmed
        }
    }
}

extension ConfirmationMeans {
    /// What a server tells of itself. Whether its replicas sync their own files, or are kept from coming back empty as
    /// master, cannot be seen from here.
    ///
    /// - Parameter appendfsync: The setting, where it was looked at; nil inside where it has none, nil where one may not
    ///   look.
    package init(_ info: ServerInfo, appendfsync: String??, replicas: Int) {
        let count = info["connected_slaves"].flatMap(Int.init) ?? 0
        guard count == 0 else {
            self =
                count >= replicas
                ? .replicas(replicas)
                : .none("it has \(count == 1 ? "1 replica" : "\(count) replicas"), not \(replicas): add some")
            return
        }
        guard info["aof_enabled"] == "1" else {
            self = .none("it has neither a replica nor an append-only file: add a replica, or set appendfsync always")
            return
        }
        guard let appendfsync else {
            self = .none(
                "it has no replica, and whether it syncs each write was not seen: add a replica, or grant +config|get and "
                    + "ask for --durability replicated")
            return
        }
        self =
            appendfsync == "always"
            ? .disk
            : .none("it has no replica, and appendfsync is \(appendfsync ?? "not set"): add one, or set it to always")
    }
}
