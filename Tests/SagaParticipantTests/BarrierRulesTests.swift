import SagaCore
import SagaParticipant
import SagaWire
import Testing

@Suite("The barrier's rules")
struct BarrierRulesTests {
    static let now: Milliseconds = 1_000

    static let actions: [(String, BarrierRecord?)] = [
        ("none", nil), ("succeeded", BarrierRecord(.succeeded)), ("failed", BarrierRecord(.failed)),
        ("under way", BarrierRecord(.intended, until: now + 1)), ("in doubt", BarrierRecord(.intended, until: now)),
    ]
    static let compensations: [(String, BarrierRecord?)] = [
        ("none", nil), ("succeeded", BarrierRecord(.succeeded)), ("failed", BarrierRecord(.failed)),
        ("intended", BarrierRecord(.intended, until: now + 1)),
    ]

    /// What is done, for each record of the action (rows) and of the compensation (columns, as in `compensations`).
    static let tables: [(phase: Phase, known: Bool, rows: [String])] = [
        (
            .action, false,
            [
                "run late late late", "again late late late", "again late late late",
                "run late late late", "run late late late",
            ]
        ),
        (
            .action, true,
            [
                "run late late late", "again late late late", "again late late late",
                "run late late late", "run late late late",
            ]
        ),
        (
            .compensation, false,
            [
                "empty again empty empty", "run again run run", "empty again empty empty",
                "wait again wait wait", "run again run run",
            ]
        ),
        (
            .compensation, true,
            [
                "missing again missing missing", "run again run run", "empty again empty empty",
                "wait again wait wait", "run again run run",
            ]
        ),
    ]

    @Test("Every combination of phase, era and records has the verdict of the protocol's order")
    func table() {
        var combinations = 0
        for table in Self.tables {
            for (row, (action, actionRecord)) in Self.actions.enumerated() {
                let words = table.rows[row].split(separator: " ")
                for (column, (compensation, compensationRecord)) in Self.compensations.enumerated() {
                    for seen: Int64? in [nil, 6, 7, 8] {
                        let state = RecordedState(era: seen, action: actionRecord, compensation: compensationRecord)
                        let verdict = BarrierRules.decide(
                            phase: table.phase, era: 7, isEffectKnown: table.known, recorded: state, now: Self.now)
                        let expected = seen == 8 ? "stale" : String(words[column])
                        #expect(
                            word(verdict) == expected,
                            "\(table.phase), known \(table.known), \(action)/\(compensation), seen \(seen ?? -1)")
                        combinations += 1
                    }
                }
            }
        }
        #expect(combinations == 4 * 5 * 4 * 4)
    }

    @Test("A verdict other than run leaves the handler alone, and every reply echoes its own attempt, era and token")
    func repliesEcho() {
        for (_, action) in Self.actions {
            for (_, compensation) in Self.compensations {
                for phase in Phase.allCases {
                    let command = Command.test(phase, attempt: 3, era: 7)
                    let state = RecordedState(era: 7, action: action, compensation: compensation)
                    let verdict = BarrierRules.decide(
                        phase: phase, era: 7, isEffectKnown: false, recorded: state, now: Self.now)
                    var runs = 0
                    let conclusion = BarrierRules.perform(command, recorded: state, now: Self.now) {
                        runs += 1
                        return .succeeded([1])
                    }
                    #expect(runs == (verdict == .run ? 1 : 0))
                    #expect(conclusion.answer.reply?.id == command.id)
                    if case .duplicate = verdict { #expect(conclusion.record == nil) }
                }
            }
        }
    }

    @Test("What is recorded is what is replied: a success, and a refusal; a retry is not recorded")
    func recordsMatchReplies() {
        for phase in Phase.allCases {
            let command = Command.test(phase)
            let state = RecordedState(action: phase == .compensation ? BarrierRecord(.succeeded) : nil)
            let success = BarrierRules.perform(command, recorded: state, now: 0) { .succeeded([1, 2]) }
            #expect(success.record == BarrierRecord(.succeeded, result: [1, 2]))
            #expect(success.answer.reply?.outcome == .succeeded)
            #expect(success.answer.reply?.result == [1, 2])
            let refusal = BarrierRules.perform(command, recorded: state, now: 0) { .failed(code: "c", error: "e") }
            #expect(refusal.record == BarrierRecord(.failed, error: "e", code: "c"))
            #expect(refusal.answer.reply?.outcome == .failed)
            #expect(refusal.answer.reply?.code == "c")
            let retry = BarrierRules.perform(command, recorded: state, now: 0) { .retry(error: "e", after: 5) }
            #expect(retry.record == nil)
            #expect(retry.answer.reply?.outcome == .retry)
            #expect(retry.answer.reply?.retryAfter == 5)
            let call = BarrierRules.perform(command, recorded: state, now: 0) { .intended(until: 9) }
            #expect(call.record == BarrierRecord(.intended, until: 9))
            #expect(call.answer == .proceed)
        }
    }

    @Test("The codes that the rules give are stable")
    func codes() {
        let late = BarrierRules.perform(
            .test(.action), recorded: RecordedState(compensation: BarrierRecord(.succeeded)), now: 0
        ) { .succeeded(nil) }
        #expect(late.answer.reply?.outcome == .failed)
        #expect(late.answer.reply?.code == "late-action")
        #expect(late.record == nil)
        let missing = BarrierRules.perform(.test(.compensation, known: true), recorded: RecordedState(), now: 0) {
            .succeeded(nil)
        }
        #expect(missing.answer.reply?.outcome == .failed)
        #expect(missing.answer.reply?.code == "record-missing")
        #expect(missing.record?.outcome == .failed)
        let doubt = BarrierRules.perform(
            .test(.compensation), recorded: RecordedState(action: BarrierRecord(.intended, until: 30)), now: 10
        ) { .succeeded(nil) }
        #expect(doubt.answer.reply?.outcome == .retry)
        #expect(doubt.answer.reply?.code == "in-doubt")
        #expect(doubt.answer.reply?.retryAfter == 20)
        let stale = BarrierRules.perform(.test(.action, era: 3), recorded: RecordedState(era: 4), now: 0) {
            .succeeded(nil)
        }
        #expect(stale.answer.reply?.outcome == .stale)
        #expect(stale.answer.reply?.seen == 4)
        #expect(stale.record == nil)
    }

    private func word(_ verdict: BarrierRules.Verdict) -> String {
        switch verdict {
        case .stale(let seen): seen == 8 ? "stale" : "stale, but not as seen"
        case .lateAction: "late"
        case .duplicate: "again"
        case .emptyCompensation: "empty"
        case .recordMissing: "missing"
        case .inDoubt: "wait"
        case .run: "run"
        }
    }
}
