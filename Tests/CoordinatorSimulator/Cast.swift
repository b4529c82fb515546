import SagaCore
import SagaProperties
import SagaWire
import TestSupport

/// The definitions of one simulation, and who starts which of them.
struct Cast {
    struct Role {
        var saga: String
        var definition: Definition
        var input: [UInt8]
        var partition: Int
    }

    private(set) var definitions: [String: Definition] = [:]
    private(set) var roles: [Role] = []
    private(set) var results: [[UInt8]] = []

    init(seed: UInt64, sagas: Int, partitions: Int) throws(DefinitionFaults) {
        let count = 4
        var inputs: [[UInt8]] = []
        for index in 0..<count {
            let drawn = SagaCase.random(seed: seed &* 16 &+ UInt64(index))
            inputs.append(Array(drawn.input.utf8))
            results += drawn.results.map { Array($0.utf8) }
            for draft in [drawn.draft] + drawn.children {
                let definition = try Definition(validating: draft.renamed { Self.name($0, index) })
                definitions[definition.name] = definition
            }
        }
        for number in 0..<sagas {
            guard let definition = definitions[Self.name("random", number % count)] else { continue }
            roles.append(
                Role(
                    saga: "s\(number)", definition: definition, input: inputs[number % count],
                    partition: number / count % partitions))
        }
    }

    private static func name(_ name: String, _ index: Int) -> String { "\(name)-\(index)" }

    var services: [String] { Set(definitions.values.flatMap { $0.steps.compactMap(\.service) }).sorted() }

    /// The definition of a saga, which may be a child of those that are started.
    func definition(of saga: String) -> Definition? {
        var parts = saga.split(separator: "/")[...]
        guard let first = parts.popFirst() else { return nil }
        var definition = roles.first { $0.saga == first }?.definition
        while let part = parts.popFirst() {
            guard let step = definition?.step(named: String(part)),
                case .child(let name, _) = definition?.steps[step].kind
            else { return nil }
            definition = definitions[name]
        }
        return definition
    }
}

extension DefinitionDraft {
    fileprivate func renamed(_ name: (String) -> String) -> DefinitionDraft {
        var draft = self
        draft.name = name(draft.name)
        for index in draft.steps.indices { draft.steps[index].saga = draft.steps[index].saga.map(name) }
        return draft
    }
}
