package import RedisTransport
package import SagaCore

/// What was read of a Redis server, and what follows from it.
///
/// Nil, everywhere, is what could not be read; ``missingRights`` says why.
package struct ServerReading: Sendable {
    /// A right that the user lacks.
    package struct MissingRight: Sendable, Hashable {
        /// As an ACL rule names it: `+config|get`.
        package var right: String
        /// What cannot be said without it.
        package var purpose: String

        package init(right: String, purpose: String) {
            self.right = right
            self.purpose = purpose
        }
    }

    /// A call of the slow log.
    package struct SlowCall: Sendable, Hashable {
        package var command: String
        package var at: Milliseconds
        package var microseconds: Int64

        package init(command: String, at: Milliseconds, microseconds: Int64) {
            self.command = command
            self.at = at
            self.microseconds = microseconds
        }
    }

    /// The server's clock beside this machine's.
    package struct Clock: Sendable, Hashable {
        /// The server's instant at the last reading.
        package var now: Milliseconds
        /// How far it is ahead of this machine's, and by how much that can be wrong: half a round trip.
        package var offset: Milliseconds
        package var uncertainty: Milliseconds
        /// Whether a later reading was an earlier instant.
        package var wentBack: Bool

        package init(now: Milliseconds, offset: Milliseconds, uncertainty: Milliseconds, wentBack: Bool) {
            self.now = now
            self.offset = offset
            self.uncertainty = uncertainty
            self.wentBack = wentBack
        }
    }

    package var info: ServerInfo?
    /// What CONFIG GET told.
    package var settings: [String: String]?
    package var user: String?
    /// Whether a connection without a name and a password is served.
    package var servesStrangers: Bool?
    package var clock: Clock?
    package var slowCalls: [SlowCall]?
    /// Scripts of this version that the server knows, and how many there are.
    package var scripts: (known: Int, all: Int)?
    /// The error with which the server refuses writes now, by whoever they come.
    package var refusal: String?
    package var missingRights: [MissingRight] = []

    package init() {}
}
