import SagaWire

/// An entry of a command stream that this consumer was given.
struct Delivery: Sendable {
    enum Content: Sendable {
        case command(Command)
        /// Delivered again and again without an answer: it may be what kills its consumers.
        case poison(Command, DeadLetter)
        case undecodable(DeadLetter)
        /// Its payloads cannot be opened: a key is missing, here or at their writer.
        case sealed(Command, PayloadKeyError)
        /// Pending, but deleted from the stream: what it said is lost.
        case vanished
    }

    var id: EntryID
    var content: Content
    /// A recovered command that was delivered several times: performed by itself, so that it takes no others with it.
    var isSuspect = false
}

/// Where an entry stands.
struct EntryID: Sendable, Hashable {
    var partition: Int
    /// The stream's id of it.
    var entry: String
}
