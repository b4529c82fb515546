import SagaCore
import SagaStore
import SagaWire

/// Parents and their child sagas: they share a partition, so what one means for the other is in the same commit.
///
/// The lane has brought the whole family of every saga that is meant into memory.
extension Batch {
    /// Starts a step's child saga; where it is there already, it reports.
    mutating func startChild(_ step: Int, of parent: SagaCell) {
        guard let child = child(of: parent, step: step) else {
            return enterChild(step, of: parent, isRecalled: false)
        }
        if child.saga.status.isFinal { report(child, to: parent) }
    }

    /// Takes a step's child saga back.
    mutating func undoChild(_ step: Int, of parent: SagaCell) {
        guard let child = child(of: parent, step: step) else {
            return enterChild(step, of: parent, isRecalled: true)
        }
        switch feed(child, .recall(reason: "its parent turned back: \(parent.saga.error ?? "")")) {
        case .accept: break
        case .ignore:
            if child.saga.status == .compensated { report(child, to: parent) }
        case .refuse(let reason): refuse(step, of: parent, reason)
        }
    }

    /// Brings a step's child saga, ended or not, to the partition's era.
    mutating func verifyChild(_ step: Int, of parent: SagaCell) {
        guard let child = child(of: parent, step: step) else {
            return enterChild(step, of: parent, isRecalled: false)
        }
        catchUp(child)
        if child.saga.status.isFinal { feed(child, .rewind(era: partition.era)) }
        if !child.saga.isVerifying { report(child, to: parent) }
    }

    /// Tells a child's parent how it is.
    mutating func reportToParent(of child: SagaCell) {
        if let parent = parent(of: child) { report(child, to: parent) }
    }

    private mutating func report(_ child: SagaCell, to parent: SagaCell) {
        guard let (_, step) = self.parent(of: child.saga) else { return }
        feed(parent, .child(child.saga.report(to: step)))
    }

    private mutating func refuse(_ step: Int, of parent: SagaCell, _ reason: String) {
        let name = parent.saga.definition.steps[step].name
        feed(parent, .child(ChildReport(step: name, outcome: .refused, error: reason)))
    }

    private func child(of parent: SagaCell, step: Int) -> SagaCell? {
        guard let cell = partition.sagas[parent.saga.childID(of: step)], cell.saga.started.isChild else { return nil }
        return cell
    }

    /// The id of a child's parent, and the child's name there.
    private func parent(of saga: Saga) -> (id: String, step: String)? { saga.started.isChild ? saga.parent : nil }

    /// Makes a child saga that the store doesn't have.
    private mutating func enterChild(_ step: Int, of parent: SagaCell, isRecalled: Bool) {
        let saga = parent.saga
        let id = saga.childID(of: step)
        guard case .child(let name, _) = saga.definition.steps[step].kind else { return }
        guard id.utf8.count <= Names.maxDerivedSagaIDLength else {
            return refuse(step, of: parent, "the id '\(id)' has more than \(Names.maxDerivedSagaIDLength) bytes")
        }
        guard partition.sagas[id] == nil else {
            return refuse(step, of: parent, "the id '\(id)' is taken by a saga that was started by itself")
        }
        if !isUnknown(id) { return refuse(step, of: parent, absence(of: id).description) }
        guard let definition = registry.definition(name, version: nil) else {
            return refuse(step, of: parent, "the definition '\(name)' is not registered")
        }
        if runs(definition.name, above: parent) {
            // One that is never started has nothing to be undone.
            guard isRecalled else { return refuse(step, of: parent, "'\(name)' would run itself") }
            let stepName = saga.definition.steps[step].name
            feed(parent, .child(ChildReport(step: stepName, outcome: .compensated)))
            return
        }
        guard
            definition.pivot == nil || isRecalled || step == saga.definition.pivot
                || saga.definition.steps[step].isAfterPivot
        else {
            let reason =
                "\(definition.id) has a pivot, so the step that runs it must be the pivot of \(saga.definition.id)"
            return refuse(step, of: parent, reason)
        }
        let started = Started(
            definition: definition.name, version: definition.version, era: partition.era,
            isAfterRewind: partition.wasRewound || isRecalled, traceparent: saga.started.traceparent, isChild: true,
            isRecalled: isRecalled, isReplicated: saga.started.isReplicated || confirmations.hold(definition),
            input: saga.childInput(of: step))
        enter(id, definition, started)
    }

    /// Whether a saga or one above it is of this definition: then its children would have children without end.
    private func runs(_ definition: String, above cell: SagaCell) -> Bool {
        var next: SagaCell? = cell
        while let cell = next {
            if cell.saga.definition.name == definition { return true }
            next = parent(of: cell)
        }
        return false
    }

    // MARK: The end of a family

    /// Whether an ended child stays, because its parent may still take it back.
    func isHeld(_ cell: SagaCell) -> Bool {
        guard let parent = self.parent(of: cell) else { return false }
        return !parent.saga.isAtRest || isHeld(parent)
    }

    /// Whether a child's parent is there, and nobody knows how it is.
    func isParentUnreadable(_ cell: SagaCell) -> Bool {
        parent(of: cell.saga).map { unreadable[$0.id] != nil } ?? false
    }

    /// The saga that a family began with, or what is known of those above.
    func head(of cell: SagaCell) -> SagaCell {
        var head = cell
        while let parent = parent(of: head) { head = parent }
        return head
    }

    private func parent(of cell: SagaCell) -> SagaCell? {
        parent(of: cell.saga).flatMap { partition.sagas[$0.id] }
    }

    /// The ended children, near and far, of a saga that nothing will take back.
    func restingDescendants(of cell: SagaCell) -> [SagaCell] {
        cell.saga.definition.children.flatMap { step -> [SagaCell] in
            guard let child = child(of: cell, step: step), child.saga.isAtRest else { return [] }
            return [child] + restingDescendants(of: child)
        }
    }
}

extension Saga {
    /// Of a child: the parent's id, and the step's name there.
    var parent: (id: String, step: String)? {
        guard let slash = id.utf8.lastIndex(of: UInt8(ascii: "/")) else { return nil }
        return (String(id[..<slash]), String(id[id.utf8.index(after: slash)...]))
    }

    /// Whether the definition that a child saga will have is yet to be looked up.
    var hasChildrenToStart: Bool {
        definition.children.contains { [.none, .pending].contains(steps[$0].action.status) }
    }

    /// The sagas whose fate may depend on this one's next step, or the other way round. Children that it has not begun
    /// yet are taken to be new, which the commit checks.
    var relatives: [String] {
        var ids = definition.children.filter { step in
            compensatesAll || steps[step].action.status != .none || steps[step].compensation.status != .none
        }.map(childID)
        if started.isChild, let parent { ids.append(parent.id) }
        return ids
    }
}
