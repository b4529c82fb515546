import SagaCore
import TestSupport
import Testing

/// Rules that hold for all definitions, tried on random ones.
struct DefinitionPropertyTests {
    @Test func everyDraftThatKeepsTheRulesIsAcceptedAndMeansWhatItSays() throws {
        let seed = SeededRandom.pickSeed()
        var definitions = RandomDefinitions(seed: seed)
        for round in 0..<300 {
            let draft = definitions.draft()
            let comment: Comment = "SKALD_TEST_SEED=\(seed), round \(round)"
            do throws(DefinitionFaults) {
                check(try Definition(validating: draft), draft, comment)
            } catch {
                Issue.record(error, comment)
            }
        }
    }

    private func check(_ definition: Definition, _ draft: DefinitionDraft, _ comment: Comment) {
        let before = predecessors(definition)
        for (index, step) in definition.steps.enumerated() {
            #expect(step.after == step.after.sorted() && Set(step.after).count == step.after.count, comment)
            #expect(step.uses.allSatisfy(before[index].contains), comment)
            for case .result(let name) in (step.when?.paths ?? []).map(\.root) {
                #expect(definition.step(named: name).map(before[index].contains) == true, comment)
            }
            #expect(!before[index].contains(index), comment)
            #expect(definition.dependents[index].allSatisfy { definition.steps[$0].after.contains(index) }, comment)
            if let names = draft.steps[index].after {
                #expect(Set(step.after.map { definition.steps[$0].name }) == Set(names), comment)
            }
            guard let pivot = definition.pivot, pivot != index else { continue }
            #expect(step.isAfterPivot == before[index].contains(pivot), comment)
            #expect(step.isAfterPivot != before[pivot].contains(index), comment)
            #expect(!step.isAfterPivot || step.compensation == nil, comment)
        }
        let links = definition.steps.reduce(0) { $0 + $1.after.count }
        #expect(definition.dependents.reduce(0) { $0 + $1.count } == links, comment)
    }

    /// By another way than the validator's: repeated until nothing changes.
    private func predecessors(_ definition: Definition) -> [Set<Int>] {
        var before = definition.steps.map { Set($0.after) }
        var isChanging = true
        while isChanging {
            isChanging = false
            for index in before.indices {
                let further = before[index].reduce(before[index]) { $0.union(before[$1]) }
                if further != before[index] {
                    before[index] = further
                    isChanging = true
                }
            }
        }
        return before
    }

    @Test func noDraftCanTrapTheValidatorAndEveryRefusalHasAPlace() {
        let seed = SeededRandom.pickSeed()
        var random = SeededRandom(seed: seed)
        var accepted = 0
        for round in 0..<1500 {
            let draft = arbitraryDraft(&random)
            do throws(DefinitionFaults) {
                _ = try Definition(validating: draft)
                accepted += 1
            } catch {
                for fault in error.faults {
                    #expect(isPlace(fault.path, in: draft), "SKALD_TEST_SEED=\(seed), round \(round): \(fault)")
                }
            }
        }
        #expect(accepted > 0, "SKALD_TEST_SEED=\(seed)")
    }

    private func isPlace(_ path: [DefinitionFault.Component], in draft: DefinitionDraft) -> Bool {
        guard case .key("steps") = path.first, path.count > 1 else { return !path.isEmpty }
        guard case .index(let index) = path[1], draft.steps.indices.contains(index) else { return false }
        guard path.count == 4, case .index(let position) = path[3] else { return true }
        let step = draft.steps[index]
        let lists: [DefinitionFault.Component: [String]?] = [
            .key("after"): step.after, .key("uses"): step.uses, .key("noRetry"): step.noRetry,
            .key("compensateOn"): step.compensateOn, .key("stopOn"): step.stopOn,
        ]
        return lists[path[2]]??.indices.contains(position) == true
    }

    /// Mostly sane, with anything anywhere.
    private func arbitraryDraft(_ random: inout SeededRandom) -> DefinitionDraft {
        func name(_ random: inout SeededRandom) -> String {
            random.chance(0.95) ? random.pick(["a", "b", "c", "d", "e"]) : random.pick(["", "ä", "a b", "-"])
        }
        func names(_ random: inout SeededRandom) -> [String] {
            (0..<Int.random(in: 0...2, using: &random)).map { _ in name(&random) }
        }
        func span(_ random: inout SeededRandom) -> Milliseconds? {
            random.chance(0.9) ? nil : random.pick([.min, -1, 0, 1, 1000, .max])
        }
        func retry(_ random: inout SeededRandom) -> RetryPolicyDraft? {
            guard random.chance(0.1) else { return nil }
            return RetryPolicyDraft(
                attempts: random.pick([nil, 0, 5, -1, .max]), initial: span(&random),
                factor: random.pick([nil, 2, -.infinity, .nan, 0, 1e300]), max: span(&random),
                jitter: random.pick([nil, 0.5, -0.1, 2]))
        }
        let count = Int.random(in: 0...5, using: &random)
        return DefinitionDraft(
            name: random.chance(0.95) ? "d" : "", version: random.chance(0.95) ? 1 : .min, deadline: span(&random),
            retention: span(&random), trigger: random.chance(0.9) ? nil : EventTrigger(event: name(&random)),
            steps: (0..<count).map { index in
                var step = StepDraft(
                    name: random.chance(0.8) ? ["a", "b", "c", "d", "e"][index] : name(&random),
                    service: random.chance(0.97) ? "s" : nil, action: random.chance(0.97) ? "do" : nil,
                    compensation: random.pick([.absent, .none, .operation("undo")]), timeout: span(&random),
                    retry: retry(&random), compensationRetry: retry(&random), after: random.maybe { names(&$0) },
                    uses: random.chance(0.8) ? nil : names(&random), isPivot: random.chance(0.1))
                if random.chance(0.4) { addAnything(to: &step, &random) }
                return step
            })
    }

    private func addAnything(to step: inout StepDraft, _ random: inout SeededRandom) {
        var conditions = RandomConditions(random: random, steps: ["a", "b", "z", ""])
        let path = conditions.path()
        switch Int.random(in: 0..<10, using: &conditions.random) {
        case 0: step.delay = conditions.random.pick([0, 1, .max])
        case 1: step.until = conditions.random.pick([.at(.min), .at(0), .path(path)])
        case 2: step.signal = conditions.random.pick(["go", ""])
        case 3: step.saga = conditions.random.pick(["d", "child", " "])
        case 4: step.inputFrom = conditions.random.pick(["a", "b", "z"])
        case 5: step.when = conditions.condition(depth: conditions.random.pick([1, 4, 12]))
        case 6: step.forEach = ForEach(path, parallel: conditions.random.pick([.min, 0, 10, .max]))
        case 7: step.emits = Emits(succeeded: conditions.random.pick([nil, "T", "{}"]))
        case 8: step.when = conditions.random.pick([.all([]), .test(ValuePath(.input, ["a.b", ""]), .isOneOf([]))])
        default: step.noRetry = conditions.random.pick([[], ["a", "a"], ["ä"], ["timeout"]])
        }
        if conditions.random.chance(0.3) { step.stopOn = ["a"] }
        if conditions.random.chance(0.1) { step.compensateOn = ["a"] }
        random = conditions.random
    }
}
