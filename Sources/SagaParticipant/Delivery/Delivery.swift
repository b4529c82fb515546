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
    /// Delivered several times and never answered: it is performed while no other such command is.
    var isSuspect = false
}

/// A command that this consumer was given and has not answered.
struct PendingEntry: Sendable {
    var id: EntryID
    /// How often it has been delivered, and how many of these may have been the end of a consumer.
    var counted: Int
    var deliveries: Int
}

/// Where an entry stands.
struct EntryID: Sendable, Hashable {
    var partition: Int
    /// The stream's id of it.
    var entry: String
}
