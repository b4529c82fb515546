public import SagaCore
public import SagaStore
import SagaWire
import Synchronization

/// The registered definitions, read from the store on demand and kept: a registered version never changes.
public final class DefinitionRegistry: Sendable {
    fileprivate struct Known {
        var definitions: [String: [Int: Definition]] = [:]
        /// The services that they name: asked for with every trim, and changed by a reload only.
        var services: [String] = []
        /// The topics that they name, likewise.
        var topics: [TrimmedTopic] = []
        /// By topic, the definitions that it triggers: of each name the highest version decides.
        var triggered: [String: [Definition]] = [:]
        var triggers: [String] = []
        var storedCount = 0
        /// Whether any asks for durability `replicated`.
        var hasReplicated = false

        var all: [Definition] {
            definitions.values.flatMap(\.values).sorted { ($0.name, $0.version) < ($1.name, $1.version) }
        }
    }

    private let store: any SagaStore
    private let known = Mutex(Known())

    public init(store: any SagaStore) {
        self.store = store
    }

    /// The definition with this name; nil for the version asks for the highest.
    public func definition(_ name: String, version: Int?) -> Definition? {
        known.withLock { known in
            guard let versions = known.definitions[name] else { return nil }
            return version.map { versions[$0] } ?? versions.max { $0.key < $1.key }?.value
        }
    }

    public var all: [Definition] { known.withLock { $0.all } }

    /// How many definitions the store had when they were read, readable or not.
    public var storedCount: Int { known.withLock { $0.storedCount } }

    /// Whether any definition asks for durability `replicated`.
    var hasReplicated: Bool { known.withLock { $0.hasReplicated } }

    /// The services that any definition names.
    public var services: [String] { known.withLock { $0.services } }

    /// The topics that any definition emits to or is triggered by.
    public var topics: [TrimmedTopic] { known.withLock { $0.topics } }

    /// The topics by which definitions are triggered.
    public var triggers: [String] { known.withLock { $0.triggers } }

    /// The definitions that are triggered by a topic, each in its highest version.
    public func definitions(triggeredBy topic: String) -> [Definition] { known.withLock { $0.triggered[topic] ?? [] } }

    /// Reads what is registered now.
    ///
    /// - Returns: Stored definitions that this version cannot read, with the reason.
    @discardableResult
    public func reload() async throws(StoreError) -> [String] {
        let stored = try await store.definitions()
        var unreadable: [String] = []
        var loaded: [Definition] = []
        for canonical in stored {
            do {
                loaded.append(try Definition.decode(canonical: canonical))
            } catch {
                unreadable.append("\(error)")
            }
        }
        known.withLock { known in
            for definition in loaded {
                known.definitions[definition.name, default: [:]][definition.version] = definition
            }
            known.services = Set(known.all.flatMap { $0.steps.compactMap(\.service) }).sorted()
            known.noteTopics()
            known.storedCount = stored.count
            known.hasReplicated = known.all.contains { $0.durability == .replicated }
        }
        return unreadable
    }
}

extension DefinitionRegistry.Known {
    fileprivate mutating func noteTopics() {
        let highest = definitions.values.compactMap { $0.values.max { $0.version < $1.version } }
        triggered = Dictionary(
            grouping: highest.filter { $0.trigger != nil }.sorted { $0.name < $1.name }, by: { $0.trigger?.event ?? "" }
        )
        triggers = triggered.keys.sorted()
        let emitted = all.flatMap(\.steps).flatMap { [$0.emits.succeeded, $0.emits.failed].compactMap(\.self) }
        let named = Set(emitted + all.compactMap(\.trigger?.event))
        topics = named.sorted().map { TrimmedTopic($0, isTrigger: triggered[$0] != nil) }
    }
}
