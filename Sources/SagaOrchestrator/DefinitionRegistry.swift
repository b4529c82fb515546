public import SagaCore
public import SagaStore
import SagaWire
import Synchronization

/// The registered definitions, read from the store on demand and kept: a registered version never changes.
public final class DefinitionRegistry: Sendable {
    private let store: any SagaStore
    private let known = Mutex<[String: [Int: Definition]]>([:])
    private let stored = Mutex(0)

    public init(store: any SagaStore) {
        self.store = store
    }

    /// The definition with this name; nil for the version asks for the highest.
    public func definition(_ name: String, version: Int?) -> Definition? {
        known.withLock { known in
            guard let versions = known[name] else { return nil }
            return version.map { versions[$0] } ?? versions.max { $0.key < $1.key }?.value
        }
    }

    public var all: [Definition] {
        known.withLock { known in
            known.values.flatMap(\.values).sorted { ($0.name, $0.version) < ($1.name, $1.version) }
        }
    }

    /// How many definitions the store had when they were read, readable or not.
    public var storedCount: Int { stored.withLock { $0 } }

    /// The services that any definition names.
    public var services: [String] {
        Set(all.flatMap { $0.steps.compactMap(\.service) }).sorted()
    }

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
        self.stored.withLock { $0 = stored.count }
        known.withLock { known in
            for definition in loaded { known[definition.name, default: [:]][definition.version] = definition }
        }
        return unreadable
    }
}
