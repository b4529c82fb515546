/// What a definition asks of payloads. Nothing else in the machine looks into one.
extension Saga {
    /// Whether a step is due at all.
    func isMet(_ condition: Condition) throws(PayloadFault) -> Bool {
        try condition.isMet { (path) throws(PayloadFault) in try value(at: path) }
    }

    /// What a path leads to; nil where it leads nowhere, also where the step has no result.
    func value(at path: ValuePath) throws(PayloadFault) -> JSON? {
        let payload: [UInt8]?
        switch path.root {
        case .input: payload = started.input
        case .result(let name): payload = definition.step(named: name).flatMap { steps[$0].result }
        }
        guard let payload, !payload.isEmpty else { return nil }
        do throws(JSONFault) {
            return path.find(in: try JSON.parse(payload))
        } catch {
            let owner = ValuePath(path.root, []).description
            // How a payload begins that its writer has encrypted.
            guard !payload.starts(with: [0xf5, 0x53, 0x4b]) else {
                throw PayloadFault(
                    reason: "'\(path)' cannot be looked up: \(owner) is encrypted, and the coordinator has no keys")
            }
            throw PayloadFault(reason: "'\(path)' cannot be looked up: \(owner) is no JSON (\(error))")
        }
    }

    /// The instant that a timer waits for.
    func instant(of moment: Moment) throws(PayloadFault) -> Milliseconds {
        switch moment {
        case .at(let instant): return instant
        case .path(let path):
            let value = try value(at: path)
            if let instant = value?.integer ?? value?.string.flatMap(InstantText.parse) { return instant }
            let what = value == nil ? "there is none" : "what is there is neither Unix milliseconds nor RFC 3339 text"
            throw PayloadFault(reason: "'\(path)' must lead to an instant: \(what)")
        }
    }

    /// The elements of the list that a `forEach` step goes through, each as JSON.
    func items(of forEach: ForEach) throws(PayloadFault) -> [[UInt8]] {
        guard let value = try value(at: forEach.items) else {
            throw PayloadFault(reason: "'\(forEach.items)' must lead to a list: there is none")
        }
        guard let elements = value.array else {
            throw PayloadFault(reason: "'\(forEach.items)' must lead to a list: what is there is none")
        }
        guard elements.count <= DefinitionLimits.items else {
            throw PayloadFault(
                reason: "'\(forEach.items)' has \(elements.count) items: at most \(DefinitionLimits.items) are allowed")
        }
        return elements.map { element in
            var writer = JSONWriter(reserving: 32)
            writer.value(element)
            return writer.bytes
        }
    }

    /// The results of a step's items as one list, in their order; null where there is none.
    func collectedResults(of index: Int) throws(PayloadFault) -> [UInt8] {
        var writer = JSONWriter(reserving: 256)
        writer.beginArray()
        for item in steps[index].items {
            writer.payload(item.result)
            guard writer.bytes.count <= DefinitionLimits.resultBytes else {
                let most = DefinitionLimits.resultBytes
                throw PayloadFault(reason: "the results of its items have more than \(most) bytes together")
            }
        }
        writer.endArray()
        return writer.bytes
    }

    /// The input of a step's child saga.
    package func childInput(of index: Int) -> [UInt8] {
        guard case .child(_, let source?) = definition.steps[index].kind else { return started.input }
        return steps[source].result ?? []
    }

    /// The id of a step's child saga.
    package func childID(of index: Int) -> String { "\(id)/\(definition.steps[index].name)" }

    /// What a completed child gives its parent: the result of its last step, in the order of the file.
    package var lastResult: [UInt8]? { steps.last?.result }
}
