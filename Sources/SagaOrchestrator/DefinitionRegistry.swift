public import SagaCore
public import SagaStore
import SagaWire
import Synchronization

/// The registered definitions, read from the store on demand and kept: a registered version never changes.
public final class DefinitionRegistry: Sendable {
    private struct Known {
        var definitions: [String: [Int: Definition]] = [:]
        /// The services that they name: asked for with every trim, and changed by a reload only.
        var services: [String] = []
        var storedCount = 0

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

    /// The services that any definition names.
    public var services: [String] { known.withLock { $0.services } }

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
            known.storedCount = stored.count
        }
        return unreadable
    }
}
