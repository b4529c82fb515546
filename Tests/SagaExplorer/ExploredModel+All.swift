package import SagaCore

extension ExploredModel {
    /// What is explored to its last situation before every release.
    package static func all() throws(DefinitionFaults) -> [ExploredModel] {
        [
            try oneStep(rewinds: 2), try sequence("a", "b", rewinds: 2), try sequence("a", "b", "c", rewinds: 1),
            try sideBySide("a", "b", rewinds: 2), try sideBySide("a", "b", "c", rewinds: 1),
            try joined(rewinds: 1), try oneService(rewinds: 2), try pivot(rewinds: 2), try list(rewinds: 1),
            try listBeside(rewinds: 1), try childBeside(rewinds: 2), try childBetween(rewinds: 1),
        ]
    }

    /// Those in which the absence of a rule is looked for, smallest first.
    package static func small() throws(DefinitionFaults) -> [ExploredModel] {
        [
            try oneStep(rewinds: 0), try sideBySide("a", "b", rewinds: 0), try oneStep(rewinds: 1),
            try pivot(rewinds: 0), try sideBySide("a", "b", rewinds: 1), try sequence("a", "b", rewinds: 1),
            try childBeside(rewinds: 1), try sideBySide("a", "b", rewinds: 1, attempts: 2),
        ]
    }

    // MARK: The models

    package static func oneStep(rewinds: Int) throws(DefinitionFaults) -> ExploredModel {
        let definition = try Definition("one", version: 1) { step("a", attempts: 2) }
        return ExploredModel("one step", rewinds: rewinds, canCancel: true, definition)
    }

    /// Steps one after the other.
    package static func sequence(_ names: String..., rewinds: Int) throws(DefinitionFaults) -> ExploredModel {
        let definition = try Definition("sequence", version: 1) {
            for name in names { step(name, attempts: names.count > 2 ? 1 : 2) }
        }
        return ExploredModel("\(names.count) in sequence", rewinds: rewinds, canCancel: true, definition)
    }

    /// Steps that start at once.
    package static func sideBySide(
        _ names: String..., rewinds: Int, attempts: Int = 1
    ) throws(DefinitionFaults) -> ExploredModel {
        let definition = try Definition("parallel", version: 1) {
            for name in names { step(name, attempts: attempts).after() }
        }
        return ExploredModel(
            "\(names.count) side by side\(attempts > 1 ? ", retried" : "")", rewinds: rewinds,
            canCancel: names.count < 3, attempts: attempts, definition)
    }

    /// A step after two.
    package static func joined(rewinds: Int) throws(DefinitionFaults) -> ExploredModel {
        let definition = try Definition("joined", version: 1) {
            step("a").after()
            step("b").after()
            step("c").after("a", "b")
        }
        return ExploredModel("1 after 2 side by side", rewinds: rewinds, attempts: 1, definition)
    }

    /// Two steps that one participant executes, so that they have one era.
    package static func oneService(rewinds: Int) throws(DefinitionFaults) -> ExploredModel {
        let definition = try Definition("shared", version: 1) {
            StepDraft("a", service: "s", action: "do").compensated(by: "undo").retry(attempts: 1).after()
            StepDraft("b", service: "s", action: "do").compensated(by: "undo").retry(attempts: 1).after()
        }
        return ExploredModel("2 of one service", rewinds: rewinds, canCancel: true, attempts: 1, definition)
    }

    /// A step, the pivot, and one that only goes forward; and a deadline.
    package static func pivot(rewinds: Int) throws(DefinitionFaults) -> ExploredModel {
        let definition = try Definition("pivot", version: 1, deadline: .seconds(1)) {
            step("a")
            StepDraft("p", service: "p", action: "do").pivot()
            StepDraft("c", service: "c", action: "do")
        }
        return ExploredModel("pivot in between", rewinds: rewinds, canCancel: true, definition)
    }

    /// A list of two items, one after the other.
    package static func list(rewinds: Int) throws(DefinitionFaults) -> ExploredModel {
        let definition = try Definition("list", version: 1) {
            step("a").forEach("input.items", parallel: 1)
            step("b")
        }
        return ExploredModel("list, then a step", rewinds: rewinds, attempts: 1, definition)
    }

    /// A list of two items at once, beside a step.
    package static func listBeside(rewinds: Int) throws(DefinitionFaults) -> ExploredModel {
        let definition = try Definition("listBeside", version: 1) {
            step("a").forEach("input.items", parallel: 2).after()
            step("b").after()
        }
        return ExploredModel("list beside a step", rewinds: rewinds, attempts: 1, definition)
    }

    /// A child saga of one step beside a step.
    package static func childBeside(rewinds: Int) throws(DefinitionFaults) -> ExploredModel {
        let child = try Definition("child", version: 1) { step("x") }
        let definition = try Definition("childBeside", version: 1) {
            StepDraft("k", saga: "child").after()
            step("b").after()
        }
        return ExploredModel(
            "child saga beside a step", rewinds: rewinds, attempts: 1, children: [child], definition)
    }

    /// A child saga of two steps side by side, after a step and before one.
    package static func childBetween(rewinds: Int) throws(DefinitionFaults) -> ExploredModel {
        let child = try Definition("child", version: 1) {
            step("x").after()
            step("y").after()
        }
        let definition = try Definition("childBetween", version: 1) {
            step("a")
            StepDraft("k", saga: "child")
            step("b")
        }
        return ExploredModel(
            "child saga between steps", rewinds: rewinds, attempts: 1, children: [child], definition)
    }

    private static func step(_ name: String, attempts: Int = 1) -> StepDraft {
        StepDraft(name, service: name, action: "do").compensated(by: "undo").retry(attempts: attempts)
    }
}
