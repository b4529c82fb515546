public import SagaCore
public import SagaRedis
public import SagaStore
public import SagaWire

/// A namespace as everything outside of the coordinator sees it: starters, participants, operators, and a test that
/// looks at what became of all that. The same test can so run on the in-memory store and on a real Redis.
public protocol TestNamespace: Sendable {
    var store: any SagaStore { get }
    /// Says which partition a saga belongs to.
    var keys: KeySpace { get }

    /// Adds an entry to an inbox stream or a topic, and returns its id.
    @discardableResult
    func append(_ fields: Fields, to stream: InboxStream, of partition: Int) async throws -> String

    /// What a service is told to do.
    func commandSource(of service: String) -> any CommandSource

    /// The commands that stand in a service's stream.
    func commands(of service: String, in partition: Int) async throws -> [TestEntry]
    func inbox(_ stream: InboxStream, of partition: Int) async throws -> [TestEntry]
    func outcomes(of partition: Int) async throws -> [TestEntry]
    /// `source` ends with the name of the stream.
    func deadLetters(of partition: Int) async throws -> [TestEntry]
    func log(of saga: String, in partition: Int) async throws -> [[UInt8]]
    /// Sagas that are not ended by their alarm; `.max` where none rings.
    func openSagas(of partition: Int) async throws -> [String: Milliseconds]
    /// Ended sagas by the instant of their removal.
    func endedSagas(of partition: Int) async throws -> [String: Milliseconds]
    /// Sagas of an index by the instant of their start.
    func sagas(in index: SagaIndex, of partition: Int) async throws -> [String: Milliseconds]
    /// When a saga's log goes by itself; nil where it doesn't, or there is none.
    func logExpiry(of saga: String, in partition: Int) async throws -> Milliseconds?

    /// Makes the removal of all ended sagas due.
    func hastenRemovals() async throws

    /// Makes what is stored look as if another server had written it.
    func changeServer() async throws
}

/// An entry of some stream.
public struct TestEntry: Sendable, Hashable {
    public var id: String
    public var fields: Fields

    public init(id: String, fields: Fields) {
        self.id = id
        self.fields = fields
    }

    /// The value of the first field with this name.
    public subscript(_ name: String) -> String? {
        fields.withViews { views in
            views.first { $0.name.elementsEqual(name.utf8) }.map { String(decoding: $0.value, as: UTF8.self) }
        }
    }

    /// All names, in order.
    public var names: [String] {
        fields.withViews { views in views.map { String(decoding: $0.name, as: UTF8.self) } }
    }
}

/// A service's commands, in all partitions, and the way to answer them.
public protocol CommandSource: Sendable {
    /// Commands that have come, after a short wait; after a loss of connection also those that were delivered before
    /// and not answered.
    mutating func next() async throws -> [Delivery]

    /// Answers commands, and acknowledges them.
    func answer(_ answers: [(delivery: Delivery, reply: ReplyMessage)]) async throws

    func close() async
}

/// A command as it was delivered.
public struct Delivery: Sendable {
    public var partition: Int
    public var entry: String
    public var command: Command
}
