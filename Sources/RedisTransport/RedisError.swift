/// Why a command has no reply, or which error the server replied.
public struct RedisError: Error, Sendable, Hashable {
    public enum Code: Sendable, Hashable {
        // The server's word.
        case noScript
        case moved(slot: Int, address: String)
        case ask(slot: Int, address: String)
        case tryAgain, clusterDown, crossSlot
        case loading, busy, readOnly, outOfMemory, misconf, noReplicas, masterDown
        case noAuth, wrongPass, noPermission
        case wrongType, noGroup, busyGroup, unblocked, execAbort
        /// The first word of any other error, for example `ERR`.
        case other(String)

        // The connection's word.
        /// The connection was closed, or there is none.
        case connectionClosed
        case connectFailed
        /// The server or this side is not what the other's TLS settings ask for, or a file of certificates is of no use.
        case tlsFailed
        case timeout
        /// The peer sent something that is not RESP, or a reply that nobody asked for.
        case protocolViolation
        /// A reply beyond the bounds of ``ConnectionOptions``.
        case replyTooLarge
        /// More commands or bytes are waiting to be sent than ``ConnectionOptions`` allows.
        case backlogFull
        /// The waiting task was cancelled. The command may still be executed.
        case cancelled
    }

    /// What is known about the command's effect.
    public enum Effect: Sendable, Hashable {
        /// It changed nothing: it was never sent, or the server refused it before it ran.
        case notApplied
        /// It may have been applied, wholly or (a script) in part: read back before doing anything.
        case indeterminate
    }

    public var code: Code
    /// One line for people; a server's message as it arrived.
    public var message: String
    public var effect: Effect

    public init(code: Code, message: String, effect: Effect) {
        self.code = code
        self.message = message
        self.effect = effect
    }

    /// Whether the same command may succeed later, on this or a new connection. Says nothing on whether repeating it
    /// is safe: that is ``effect``.
    public var isTransient: Bool {
        switch code {
        case .tryAgain, .clusterDown, .loading, .busy, .readOnly, .outOfMemory, .misconf, .noReplicas, .masterDown,
            .unblocked, .noScript, .connectionClosed, .connectFailed, .timeout, .backlogFull:
            true
        case .moved, .ask, .crossSlot, .noAuth, .wrongPass, .noPermission, .wrongType, .noGroup, .busyGroup,
            .execAbort, .other, .tlsFailed, .protocolViolation, .replyTooLarge, .cancelled:
            false
        }
    }

    /// The same failure as it looks to a command with another fate.
    func with(effect: Effect) -> RedisError {
        RedisError(code: code, message: message, effect: effect)
    }
}

extension RedisError: CustomStringConvertible {
    public var description: String { message }
}
