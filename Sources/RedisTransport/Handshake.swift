/// The first commands on a connection, and what their replies mean.
struct Handshake: Sendable {
    private enum Part: Sendable {
        case authenticate, select, name, ping
    }

    private(set) var commands: [RedisCommand] = []
    private var parts: [Part] = []
    private let endpoint: RedisEndpoint

    init(endpoint: RedisEndpoint, name: String?) {
        self.endpoint = endpoint
        if let password = endpoint.password {
            var command = RedisCommand("AUTH")
            if let username = endpoint.username { command.append(username) }
            command.append(password)
            add(.authenticate, command)
        }
        if endpoint.database != 0 {
            var command = RedisCommand("SELECT")
            command.append(endpoint.database)
            add(.select, command)
        }
        if let name {
            add(.name, RedisCommand("CLIENT", "SETNAME", name))
        }
        // AUTH, SELECT and CLIENT are answered while the server loads its data; PING is not.
        add(.ping, RedisCommand("PING"))
    }

    private mutating func add(_ part: Part, _ command: RedisCommand) {
        parts.append(part)
        commands.append(command)
    }

    /// Why the connection cannot be used, if it cannot.
    func error(in outcomes: [Outcome]) -> RedisError? {
        for (part, outcome) in zip(parts, outcomes) {
            switch outcome {
            case .failure(let failure):
                return reason(for: failure)
            case .success(let reply):
                if let error = reply.value.error, let reason = reason(for: error, at: part) { return reason }
            }
        }
        return nil
    }

    private func reason(for failure: RedisError) -> RedisError {
        let message = "\(endpoint.redacted) did not answer: \(failure.message)"
        return switch (failure.code, endpoint.tls, endpoint.address) {
        case (.tlsFailed, _, _): .tlsFailed("no connection to \(endpoint.redacted): \(failure.message)")
        case (.timeout, _?, _): .connectFailed(message + "; does it speak TLS on this port?")
        case (.connectionClosed, nil, .tcp): .connectFailed(message + "; if it expects TLS, use rediss://")
        default: .connectFailed(message)
        }
    }

    private func reason(for error: RedisError, at part: Part) -> RedisError? {
        switch (error.code, part) {
        case (.loading, _), (.busy, _), (.noAuth, _), (.wrongPass, _), (.noPermission, .authenticate),
            (.noPermission, .select):
            RedisError(code: error.code, message: "\(endpoint.redacted): \(error.message)", effect: .notApplied)
        case (.other, .authenticate), (.other, .select), (.other, .ping):
            // For example "ERR max number of clients reached" or "ERR DB index is out of range".
            .connectFailed("\(endpoint.redacted): \(error.message)")
        default:
            // A refused name, or a state (MISCONF, READONLY, no right to PING) in which other commands work.
            nil
        }
    }
}
