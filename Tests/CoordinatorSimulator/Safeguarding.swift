package import SagaCore

/// The rules whose absence a simulation of the whole has to notice.
package enum Safeguarding {
    package static let simulated: [(name: String, rule: Safeguards)] = Safeguards.named.filter {
        !rare.contains($0.rule)
    }

    /// It takes thousands of simulations until one of these is missed: their proof is the exploration of all states.
    private static let rare: Safeguards = [.eraFence, .oldAnswersIgnored, .childrenVerified]
}

extension Tally {
    package var text: String {
        """
        \(simulations) simulations of \(milliseconds / 1_000) s: \(sagas) sagas, \(completed) completed, \
        \(compensated) compensated, \(commits) commits, \(commands) commands, \(lostAnswers) lost answers, \
        \(crashes) crashes, \(freezes) freezes, \(rewinds) rewinds, \(skips) skips
        """
    }
}
