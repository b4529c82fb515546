import SagaCore
import SagaParticipant
import SagaWire
import TestSupport
import Testing

/// Random deliveries: any order, any number of repetitions, rising and falling eras, refusals and passing trouble.
@Suite("What no order of deliveries can break")
struct BarrierWalkTests {
    @Test("One effect a key, none after the compensation, answers that agree", arguments: TestBarrier.Kind.allCases)
    func walk(_ kind: TestBarrier.Kind) async throws {
        let seed = SeededRandom.pickSeed()
        var random = SeededRandom(seed: seed)
        let barrier = try TestBarrier.make(kind)
        var model = Model()
        for round in 0..<60 {
            let (commands, plan) = Self.deliveries(&random)
            let batch = CommandBatch(namespace: "test", now: Int64(round), commands: commands)
            let answers = try await barrier.perform(batch) { command in
                switch plan[command.token] {
                case "refuse": .failed(code: "refused", error: "no")
                case "retry": .retry(error: "later")
                default: .succeeded(Array(command.key.utf8))
                }
            }
            for (command, answer) in zip(commands, answers) {
                let reply = try #require(answer.reply)
                let fault = model.fault(of: reply, to: command)
                #expect(fault == nil, "seed \(seed), round \(round): \(fault ?? "")")
            }
            let effects = try await barrier.effects()
            #expect(effects.values.allSatisfy { $0 == 1 }, "seed \(seed), round \(round): an effect twice")
            for key in effects.keys where key.hasSuffix("/compensation") {
                let action = key.replacing("/compensation", with: "/action")
                #expect(effects[action] == 1, "seed \(seed), round \(round): compensated, but never done: \(key)")
            }
        }
    }

    /// Commands, and how their handlers end, by the commands' tokens.
    private static func deliveries(_ random: inout SeededRandom) -> ([Command], [String: String]) {
        var commands: [Command] = []
        var plan: [String: String] = [:]
        for _ in 0..<Int.random(in: 1...30, using: &random) {
            let command = command(&random)
            commands.append(command)
            plan[command.token] = random.pick(["succeed", "succeed", "refuse", "retry"])
        }
        return (commands, plan)
    }

    private static func command(_ random: inout SeededRandom) -> Command {
        var command = Command.test(
            random.pick(Phase.allCases), saga: "saga-\(Int.random(in: 0..<40, using: &random))",
            step: random.pick(["a", "b"]), attempt: Int.random(in: 1...5, using: &random),
            era: Int64.random(in: 1...3, using: &random))
        command.token = "\(random.next())"
        return command
    }

    /// What a coordinator could conclude from the answers.
    private struct Model {
        private var eras: [String: Int64] = [:]
        private var succeeded: Set<String> = []
        private var failed: Set<String> = []
        private var touched: Set<String> = []

        mutating func fault(of reply: ReplyMessage, to command: Command) -> String? {
            guard reply.id == command.id else { return "an answer to somebody else" }
            let highest = max(eras[command.saga] ?? 0, command.era)
            guard (reply.outcome == .stale) == (command.era < highest) else { return "wrong about the era" }
            eras[command.saga] = highest
            if reply.outcome == .stale { return reply.seen == highest ? nil : "stale, but not as seen" }
            let compensation = command.phase == .compensation ? command.key : command.counterpartKey
            let isTouched = touched.contains(compensation)
            switch (command.phase, reply.outcome) {
            case (.action, .succeeded):
                if isTouched { return "an action succeeded after its compensation" }
                if failed.contains(command.key) { return "a refused action succeeded" }
                if reply.result != Array(command.key.utf8) { return "another command's result" }
                succeeded.insert(command.key)
            case (.action, .failed):
                if !isTouched && succeeded.contains(command.key) { return "a success was taken back" }
                if !isTouched { failed.insert(command.key) }
            case (.action, .retry):
                if isTouched || succeeded.contains(command.key) || failed.contains(command.key) {
                    return "an answered action was asked again"
                }
            case (.compensation, .succeeded):
                succeeded.insert(command.key)
                touched.insert(command.key)
            case (.compensation, _):
                if succeeded.contains(command.key) { return "a compensation was taken back" }
                if reply.outcome == .failed { touched.insert(command.key) }
            case (_, .stale): break
            }
            return nil
        }
    }
}
