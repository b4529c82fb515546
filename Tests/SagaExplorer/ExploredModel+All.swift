package import SagaCore

extension ExploredModel {
    /// What is explored before every release: each with all its situations.
    package static func all() throws -> [ExploredModel] {
        [
            ExploredModel("one step, cancelled", rewinds: 2, canCancel: true, try steps("a")),
            ExploredModel("two in sequence", rewinds: 1, canCancel: true, try steps("a", "b")),
            ExploredModel("two side by side", rewinds: 1, canCancel: false, attempts: 1, try sideBySide("a", "b")),
        ]
    }

    /// Steps one after the other.
    package static func steps(_ names: String..., attempts: Int = 1) throws -> Definition {
        try Definition("sequence", version: 1) {
            for name in names { step(name, attempts: attempts) }
        }
    }

    /// Steps that start at once.
    package static func sideBySide(_ names: String..., attempts: Int = 1) throws -> Definition {
        try Definition("parallel", version: 1) {
            for name in names { step(name, attempts: attempts).after() }
        }
    }

    static func step(_ name: String, attempts: Int = 1) -> StepDraft {
        StepDraft(name, service: name, action: "do").compensated(by: "undo").retry(attempts: attempts)
    }
}
