package import SagaWire

/// Seams at which a test makes things go wrong.
package struct ParticipantHooks: Sendable {
    /// Called when a batch is committed locally and not yet answered. A throw ends the session before the answer.
    package var committed: (@Sendable ([Command]) async throws -> Void)?

    package init(committed: (@Sendable ([Command]) async throws -> Void)? = nil) {
        self.committed = committed
    }
}
