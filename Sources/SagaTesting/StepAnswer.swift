import SagaCore

/// What a test's service answers.
public struct StepAnswer: Sendable, Hashable {
    let outcome: Reply.Outcome
    var result: String?
    var code: String?
    var retryAfter: Milliseconds?

    /// The step succeeded, and returned nothing.
    public static var succeeded: StepAnswer { StepAnswer(outcome: .succeeded) }

    /// The step succeeded, with a result (JSON).
    public static func succeeded(result: String) -> StepAnswer { StepAnswer(outcome: .succeeded, result: result) }

    /// The service refuses for good.
    public static func refused(_ code: String) -> StepAnswer { StepAnswer(outcome: .failed, code: code) }

    /// Passing trouble: to be tried again, not before this time has passed.
    public static func retry(after span: Duration? = nil) -> StepAnswer {
        StepAnswer(outcome: .retry, retryAfter: span?.milliseconds)
    }

    func reply(of step: String, _ item: Int?, _ phase: Phase, attempt: Int) -> Reply {
        Reply(
            step: step, item: item, phase: phase, attempt: attempt, outcome: outcome,
            result: result.map { Array($0.utf8) }, code: code, retryAfter: retryAfter)
    }

    /// The same said by a child saga, which has no attempts: passing trouble means that it is still running.
    func report(of step: String, _ phase: Phase) -> ChildReport {
        let result = result.map { Array($0.utf8) }
        switch outcome {
        case .succeeded:
            return ChildReport(step: step, outcome: phase == .action ? .completed : .compensated, result: result)
        case .failed:
            return ChildReport(step: step, outcome: phase == .action ? .compensated : .refused, error: code)
        case .retry: return ChildReport(step: step, outcome: .running)
        }
    }
}
