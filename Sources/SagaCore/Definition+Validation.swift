/// Everything that is wrong with a draft, in the order of the file; never empty.
public struct DefinitionFaults: Error, Sendable, Hashable, CustomStringConvertible {
    public let faults: [DefinitionFault]

    package init(_ faults: [DefinitionFault]) {
        precondition(!faults.isEmpty, "a refusal needs a reason")
        self.faults = faults
    }

    /// One line a fault.
    public var description: String { faults.map(\.description).joined(separator: "\n") }
}

extension Definition {
    /// Makes a definition of a draft that keeps all rules.
    ///
    /// Defaults are filled in here and nowhere else. ``Step/after`` and ``Step/uses`` come out in the order of the
    /// file, so that two drafts which mean the same make equal definitions.
    ///
    /// - Throws: all faults at once, except that the order of dependency is judged only where every name in it is known.
    public init(validating draft: DefinitionDraft) throws(DefinitionFaults) {
        var validator = DefinitionValidator(draft)
        guard let definition = validator.validate() else { throw DefinitionFaults(validator.faults) }
        self = definition
    }

    /// What is allowed but looks like an oversight: a step that can have to be undone, has no compensation, and
    /// doesn't say (`compensation: null`) that this is meant.
    public static func warnings(of definition: Definition) -> [DefinitionFault] {
        definition.steps.indices.compactMap { index in
            let step = definition.steps[index]
            guard step.service != nil, step.compensation == nil, !step.isCompensationWaived, !step.isAfterPivot,
                index != definition.pivot
            else { return nil }
            return DefinitionFault(
                [.key("steps"), .index(index)],
                "step \(FaultText.quoted(step.name)) has no compensation: write 'compensation: null' if there is "
                    + "nothing to undo")
        }
    }
}
