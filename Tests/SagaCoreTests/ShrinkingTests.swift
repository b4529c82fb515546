import SagaCore
import SagaProperties
import TestSupport
import Testing

@Suite("Shrinking of failing cases")
struct ShrinkingTests {
    /// Whoever reads of a failure has little to read.
    @Test(arguments: Flaw.allCases)
    func aFlawIsFoundAndShownSmall(flaw: Flaw) async throws {
        let found = try await Hunt(seeds: 0..<2_000, flaw: flaw).run().finding
        let finding = try #require(found)
        let shrunk = Shrinker.shrink(.random(seed: finding.seed), flaw: flaw)
        #expect(shrunk.draft.steps.count <= 2, "\(shrunk.source)")
        #expect(shrunk.choices.count <= 6, "\(shrunk.source)")
        #expect(shrunk.violation(flaw: flaw) != nil)
        #expect(shrunk.violation() == nil, "it is the flaw that fails")
        for index in shrunk.choices.indices {
            var smaller = shrunk
            smaller.choices.remove(at: index)
            #expect(smaller.violation(flaw: flaw) == nil, "choice \(index) can go")
        }
        #expect(try finding.report(flaw: flaw).contains(shrunk.source))
    }

    @Test func aCaseThatBreaksNoRuleStaysAsItIs() {
        #expect(Shrinker.shrink(.random(seed: 1)) == .random(seed: 1))
    }

    @Test func aCaseIsTheSameInEveryRun() throws {
        for seed: UInt64 in 0..<20 {
            #expect(SagaCase.random(seed: seed) == .random(seed: seed))
            #expect(try SagaCase.random(seed: seed).trace() == SagaCase.random(seed: seed).trace())
        }
    }
}

@Suite("The source of a case")
struct CaseSourceTests {
    /// The case whose source is pasted below.
    private var pasted: SagaCase {
        var reserve = StepDraft("s0", service: "v", action: "do").compensated(by: "undo")
        reserve.timeout = 1_000
        reserve.after = []
        reserve.retry = RetryPolicyDraft(attempts: 3, initial: 10, factor: 1.5, max: 900, jitter: 0.5)
        reserve.compensationRetry = RetryPolicyDraft(attempts: 2)
        var approval = StepDraft("s2", signal: "go")
        approval.timeout = 6_000
        approval.after = ["s0", "s1"]
        var charge = StepDraft("s3", service: "v", action: "do").uses("s0").pivot().withoutCompensation()
        charge.after = ["s2"]
        charge.when = Condition("input.a", .greaterThan(1)) && !Condition("result.s0", .isOneOf(["x", 1]))
        reserve.forEach = ForEach(ValuePath(.input, ["l"]), parallel: 2)
        (reserve.noRetry, reserve.stopOn) = (["busy"], ["no", "late"])
        var draft = DefinitionDraft(name: "random", version: 1, steps: [reserve])
        draft.steps += [StepDraft("s1", delay: .milliseconds(20)), approval, charge]
        (draft.deadline, draft.durability) = (20_000, .replicated)
        (draft.order, draft.whenStuck) = (.parallel, .hold)
        let quiet: [Choice] = [.execute(1), .execute(0, .refuse()), .execute(0, .stumble()), .answer(2), .pass(1)]
        let loud: [Choice] = [
            .execute(0, .stumble(retryAfter: 5, code: "busy")), .loseCommand(0), .loseAnswer(0), .doubleCommand(0),
            .doubleAnswer(0), .beat(0), .order(.cancel), .order(.skip, step: 1, saga: 1), .signal(0), .signal(1, id: 2),
            .rewind(losing: 3),
        ]
        return SagaCase(
            id: "s-1", draft: draft,
            children: [DefinitionDraft(name: "c0", version: 1, steps: [StepDraft("s0", service: "v", action: "do")])],
            input: #"{"a":1}"#, results: ["1", ""], startDelay: 7, isAfterRewind: true,
            choices: quiet + loud)
    }

    @Test func aFoundCase() throws {
        try SagaCase(
            id: "s-1",
            draft: DefinitionDraft(
                name: "random", version: 1, deadline: 20000, durability: .replicated, order: .parallel,
                whenStuck: .hold,
                steps: [
                    StepDraft(
                        name: "s0", service: "v", action: "do",
                        forEach: ForEach(ValuePath(.input, ["l"]), parallel: 2),
                        compensation: .operation("undo"), timeout: 1000,
                        retry: RetryPolicyDraft(attempts: 3, initial: 10, factor: 1.5, max: 900, jitter: 0.5),
                        compensationRetry: RetryPolicyDraft(attempts: 2), noRetry: ["busy"], stopOn: ["no", "late"],
                        after: []),
                    StepDraft(name: "s1", delay: 20),
                    StepDraft(name: "s2", signal: "go", timeout: 6000, after: ["s0", "s1"]),
                    StepDraft(
                        name: "s3", service: "v", action: "do",
                        when: .all([
                            .test(ValuePath(.input, ["a"]), .greaterThan(1)),
                            .not(.test(ValuePath(.result("s0"), []), .isOneOf(["x", 1]))),
                        ]), compensation: .none, after: ["s2"], uses: ["s0"],
                        isPivot: true),
                ]),
            children: [
                DefinitionDraft(
                    name: "c0", version: 1, steps: [StepDraft(name: "s0", service: "v", action: "do")])
            ],
            input: "{\"a\":1}",
            results: ["1", ""],
            startDelay: 7,
            isAfterRewind: true,
            choices: [
                .execute(1), .execute(0, .refuse()), .execute(0, .stumble()), .answer(2), .pass(1),
                .execute(0, .stumble(retryAfter: 5, code: "busy")), .loseCommand(0), .loseAnswer(0), .doubleCommand(0),
                .doubleAnswer(0), .beat(0), .order(.cancel), .order(.skip, step: 1, saga: 1), .signal(0),
                .signal(1, id: 2), .rewind(losing: 3),
            ]
        ).run()
    }

    /// What is printed compiles, for it stands above.
    @Test func whatIsPrintedCanBePasted() throws {
        let file = try Repository.text(of: "Tests/SagaCoreTests/ShrinkingTests.swift")
        // The formatter moves line breaks, and the commas that end a list.
        func plain(_ text: String) -> String {
            String(text.filter { !$0.isWhitespace }).split(separator: ",]").joined(separator: "]")
        }
        #expect(plain(file).contains(plain(pasted.source)))
    }
}
