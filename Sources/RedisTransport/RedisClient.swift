public import Logging
public import NIOCore
public import NIOPosix
import Synchronization

/// A client that keeps one connection to a server, and makes a new one when it is asked for one after a loss.
///
/// Attempts are shared by all who wait, at most one is under way, and failed ones are spaced by a backoff with jitter
/// (50 ms to 2 s). It logs once when the connection is lost and once when it is back. Nothing is sent again blindly:
/// what happened to commands on a lost connection is for their senders to find out.
///
/// Where the endpoint names sentinels, the server is the master that they name: it is asked for anew whenever the client
/// connects, and once a second while it is connected, so that a former master is left that still takes itself for one.
public final class RedisClient: Sendable {
    typealias Slot = OneShot<Result<RedisConnection, RedisError>>

    public let endpoint: RedisEndpoint
    public let options: ConnectionOptions
    let eventLoop: any EventLoop
    let logger: Logger
    private let machine = Mutex(ClientMachine<RedisConnection, Slot>())

    /// Connects when it is first used.
    public init(
        endpoint: RedisEndpoint,
        options: ConnectionOptions = ConnectionOptions(),
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        logger: Logger
    ) {
        self.endpoint = endpoint
        self.options = options
        self.logger = logger
        eventLoop = group.any()
    }

    /// The live connection, or a new one.
    ///
    /// Waits for attempts up to ``ConnectionOptions/connectTimeout``, then throws `connectFailed` with the last reason.
    /// A refused login is thrown as soon as it is known.
    public func connection() async throws(RedisError) -> RedisConnection {
        if let connection = current { return connection }
        let slot = Slot()
        let (id, actions) = machine.withLock { $0.ask(slot, now: eventLoop.now) }
        perform(actions)
        let patience = eventLoop.scheduleTask(in: TimeAmount(bounded: options.connectTimeout)) {
            self.perform(self.machine.withLock { $0.waiterTimedOut(id) })
        }
        defer { patience.cancel() }
        guard let result = await slot.get() else {
            perform(machine.withLock { $0.waiterTimedOut(id) })
            throw RedisError(code: .cancelled, message: "cancelled while connecting", effect: .notApplied)
        }
        return try result.get()
    }

    /// The connection, if there is a live one now.
    public var current: RedisConnection? {
        guard let (connection, attempt) = machine.withLock({ $0.connected }) else { return nil }
        guard let reason = connection.core.closeReason else { return connection }
        // Closed, but its socket is not yet: the machine must not hand it out again.
        lost(attempt, reason)
        return nil
    }

    /// Closes the connection and fails who waits for one. The client cannot be used again.
    public func close() async {
        let connection = machine.withLock { $0.connected?.connection }
        perform(machine.withLock { $0.close() })
        await connection?.close()
    }

    /// Closes for a reason that what is under way is told.
    func abandon(_ reason: RedisError) {
        machine.withLock { $0.connected?.connection }?.core.close(reason)
        perform(machine.withLock { $0.close() })
    }

    /// Begins to connect if there is no connection, without waiting.
    func connectInBackground() {
        perform(machine.withLock { $0.wish(now: eventLoop.now) })
    }

    private func perform(_ actions: [ClientMachine<RedisConnection, Slot>.Action]) {
        for action in actions {
            switch action {
            case .connect(let attempt):
                connect(attempt)
            case .wake(let deadline, let attempt):
                eventLoop.scheduleTask(deadline: deadline) {
                    self.perform(self.machine.withLock { $0.backoffEnded(attempt: attempt) })
                }
            case .succeed(let slot, let connection):
                slot.complete(.success(connection))
            case .fail(let slot, let error):
                slot.complete(.failure(error))
            case .close(let connection):
                connection.core.close(.closedByOwner)
            case .logLost(let error):
                logger.warning(
                    "no connection to Redis; trying to get one whenever it is needed",
                    metadata: ["endpoint": "\(endpoint.redacted)", "reason": "\(error.message)"])
            case .logBack:
                logger.info("the connection to Redis is back", metadata: ["endpoint": "\(endpoint.redacted)"])
            }
        }
    }

    private func connect(_ attempt: Int) {
        RedisConnection.open(endpoint, options: options, on: eventLoop) { result in
            let now = self.eventLoop.now
            switch result {
            case .success(let connection):
                let actions = self.machine.withLock { $0.attemptSucceeded(connection, attempt: attempt, now: now) }
                self.perform(actions)
                self.watch(connection, attempt)
                self.followMaster(from: connection)
            case .failure(let error):
                let jitter = Double.random(in: 0..<1)
                self.perform(
                    self.machine.withLock { $0.attemptFailed(error, attempt: attempt, now: now, jitter: jitter) })
            }
        }
    }

    private func watch(_ connection: RedisConnection, _ attempt: Int) {
        let core = connection.core
        core.channel.closeFuture.whenComplete { [weak self] _ in
            self?.lost(attempt, core.closeReason ?? .noConnection)
        }
    }

    private func lost(_ attempt: Int, _ reason: RedisError) {
        let now = eventLoop.now
        let jitter = Double.random(in: 0..<1)
        perform(machine.withLock { $0.connectionLost(reason, attempt: attempt, now: now, jitter: jitter) })
    }
}
