package import RedisTransport
import SagaCore
package import SagaStore
import Synchronization

/// The connection over which a session has written last.
///
/// WAIT is about what its own connection has written. On a connection that came later it would count replicas that are
/// in touch, and say nothing of what an earlier one wrote.
final class LastWriter: Sendable {
    private let connection = Mutex<RedisConnection?>(nil)

    var current: RedisConnection? { connection.withLock { $0 } }

    func note(_ connection: RedisConnection?) { self.connection.withLock { $0 = connection } }
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
        case .none: PendingRedisConfirmation(partitions: [], replicas: 0, reply: nil)
        // The answer to a write comes when it is on the disk.
        case .disk: PendingRedisConfirmation(partitions: Set(partitions), replicas: 0, reply: nil)
        case .replicas(let count):
            PendingRedisConfirmation(
                partitions: Set(partitions), replicas: count, reply: submitWait(count, timeout: timeout))
        }
    }

    private func submitWait(_ replicas: Int, timeout: Milliseconds) -> PendingReply {
        let wait = RedisCommand("WAIT", "\(replicas)", "\(timeout)")
        guard let connection = lastWriter.current else { return writer.submit(wait) }
        return connection.submit(wait, timeout: .milliseconds(timeout) + writer.options.replyTimeout)
    }

    private struct PendingRedisConfirmation: PendingConfirmation {
        let partitions: Set<Int>
        let replicas: Int
        let reply: PendingReply?

        func outcome() async throws(StoreError) -> Set<Int> {
            guard let reply else { return partitions }
            let count = try await translating { () async throws(RedisError) in try await reply.get() }
            return count.value.integer.map { $0 >= replicas } ?? false ? partitions : []
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
