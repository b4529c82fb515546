import Synchronization

/// What a reply, or the failure to get one, ends as: a reply, or an error of the connection. Errors of the server are
/// replies here; they are told apart where they are awaited, off the event loop.
typealias Outcome = Result<RedisReply, RedisError>

/// Where replies go.
enum ReplySink: Sendable {
    case single(OneShot<Outcome>)
    case batch(ReplyBatch)

    func receive(_ reply: RedisReply) {
        switch self {
        case .single(let slot): slot.complete(.success(reply))
        case .batch(let batch): batch.receive(reply)
        }
    }

    /// Fails what has not been replied yet.
    func fail(_ error: RedisError) {
        switch self {
        case .single(let slot): slot.complete(.failure(error))
        case .batch(let batch): batch.fail(error)
        }
    }
}

/// Collects the replies of commands that were sent together.
final class ReplyBatch: Sendable {
    private struct State {
        var outcomes: [Outcome] = []
        var isDone = false
    }

    private let count: Int
    private let state = Mutex(State())
    private let done: @Sendable ([Outcome]) -> Void

    /// Calls `done` once, with `count` outcomes in the order of the commands.
    init(count: Int, done: @escaping @Sendable ([Outcome]) -> Void) {
        self.count = count
        self.done = done
    }

    func receive(_ reply: RedisReply) {
        finish { $0.append(.success(reply)) }
    }

    func fail(_ error: RedisError) {
        finish { outcomes in
            outcomes.append(contentsOf: repeatElement(.failure(error), count: count - outcomes.count))
        }
    }

    private func finish(_ change: (inout [Outcome]) -> Void) {
        let finished: [Outcome]? = state.withLock { state in
            guard !state.isDone else { return nil }
            change(&state.outcomes)
            guard state.outcomes.count >= count else { return nil }
            state.isDone = true
            return state.outcomes
        }
        if let finished { done(finished) }
    }
}
