package import SagaCore

/// A small saga, and what may go wrong with it.
package struct ExploredModel: Sendable {
    package let name: String
    package let definition: Definition
    /// What its steps that are sagas of their own run.
    package let children: [Definition]
    /// How often the partition may lose its newest entries, any number of them.
    package var rewinds: Int
    /// Whether participants may refuse an action that is not after the pivot.
    package var canRefuse: Bool
    /// Whether an operator may cancel, once.
    package var canCancel: Bool
    /// Attempts of a phase from which on no alarm ends one any more; what a policy allows is counted by the machine.
    package var attempts: Int
    package var safeguards = Safeguards.all

    /// What `forEach` steps go through.
    static let items: [[UInt8]] = [Array("1".utf8), Array("2".utf8)]
    static let input = Array(#"{"items":[1,2]}"#.utf8)

    package init(
        _ name: String, rewinds: Int, canRefuse: Bool = true, canCancel: Bool = false, attempts: Int = 2,
        children: [Definition] = [], _ definition: Definition
    ) {
        self.name = name
        self.definition = definition
        self.children = children
        self.rewinds = rewinds
        self.canRefuse = canRefuse
        self.canCancel = canCancel
        self.attempts = attempts
    }

    package func without(_ rule: Safeguards) -> ExploredModel {
        var model = self
        model.safeguards.subtract(rule)
        return model
    }
}
