import Synchronization

/// A command on its way to the node that serves its slot.
struct ClusterCall: Sendable {
    enum Form: Sendable {
        case command(RedisCommand)
        case script(RedisScript, RedisCommand)
        case transaction([RedisCommand])
        case blocking(RedisCommand, for: Duration)
    }

    var form: Form
    /// Nil where any node will do.
    var slot: Int?
    var timeout: Duration?

    init(_ form: Form, slot: Int?, timeout: Duration? = nil) {
        self.form = form
        self.slot = slot
        self.timeout = timeout
    }

    init(_ command: RedisCommand, timeout: Duration? = nil) {
        self.init(.command(command), slot: command.slot, timeout: timeout)
    }

    init(transaction commands: [RedisCommand], timeout: Duration? = nil) {
        self.init(.transaction(commands), slot: commands.lazy.compactMap(\.slot).first, timeout: timeout)
    }

    /// Enqueues it.
    func submit(on connection: RedisConnection) -> PendingReply {
        switch form {
        case .command(let command), .blocking(let command, _): connection.submit(command, timeout: timeout)
        case .script(let script, let command):
            PendingReply(ScriptCall(script, command, on: connection, timeout: timeout))
        case .transaction(let commands): connection.submitTransaction(commands, timeout: timeout)
        }
    }

    func run(on connection: RedisConnection) async throws(RedisError) -> RedisReply {
        guard case .blocking(let command, let duration) = form else { return try await submit(on: connection).get() }
        return try await connection.blocking(command, for: duration)
    }

    /// Runs it on a node that its slot is on the way to.
    func runAsking(on connection: RedisConnection) async throws(RedisError) -> RedisReply {
        switch form {
        case .command(let command):
            return try await ask(command, on: connection)
        case .blocking(let command, let duration):
            connection.submit(RedisCommand("ASKING"))
            return try await connection.blocking(command, for: duration)
        case .script(let script, let command):
            do throws(RedisError) {
                return try await ask(command, on: connection)
            } catch {
                guard error.code == .noScript else { throw error }
            }
            // Scripts are known to the nodes that they have run on.
            try await connection.load([script])
            return try await ask(command, on: connection)
        case .transaction:
            // ASKING is good for one command, and MULTI would be that.
            throw RedisError(
                code: .tryAgain, message: "the slot of a transaction's keys is on its way to another node",
                effect: .notApplied)
        }
    }

    private func ask(
        _ command: RedisCommand, on connection: RedisConnection
    ) async throws(RedisError) -> RedisReply {
        let results = await connection.pipeline([RedisCommand("ASKING"), command])
        return try results[1].get()
    }
}

/// A call that was enqueued on the connection of the node that served its slot, in order with others.
///
/// It is not sent to another node when the slot turns out to have moved: who counts on an order has to look first what it
/// finds there. Only while the slot is on its way, one node asks another for it.
final class OrderedCall: Sendable {
    private let call: ClusterCall
    private let first: PendingReply
    private let node: RedisNode
    private let clients: ClusterClients
    private let outcome = Mutex<Outcome?>(nil)

    init(_ call: ClusterCall, on connection: RedisConnection, of node: RedisNode, _ clients: ClusterClients) {
        self.call = call
        self.node = node
        self.clients = clients
        first = call.submit(on: connection)
    }

    func reply() async throws(RedisError) -> RedisReply {
        if let known = outcome.withLock({ $0 }) { return try known.get() }
        let failure: RedisError
        do throws(RedisError) {
            return try await first.get()
        } catch {
            failure = error
        }
        clients.topology.note(failure, from: node)
        guard case .ask(_, let address) = failure.code, failure.effect == .notApplied,
            let target = RedisNode(redirect: address, from: node)
        else { throw failure.afterMoves }
        let asked: Outcome
        do throws(RedisError) {
            asked = .success(try await call.runAsking(on: clients.connection(to: target)))
        } catch {
            asked = .failure(error.afterMoves)
        }
        // Asked for again, it is told again and not done again.
        outcome.withLock { $0 = asked }
        return try asked.get()
    }
}
