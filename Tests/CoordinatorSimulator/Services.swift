import SagaCore
import SagaParticipant
import SagaStore
import SagaWire
import TestSupport

/// All services with their databases, which keep the library's own barrier. They outlive whatever happens to the server.
final class Services {
    private struct Database {
        var records: [String: BarrierRecord] = [:]
        var eras: [String: Int64] = [:]
    }

    private let world: World
    /// What actions return: a function of the command, not of chance, so that a repeated one means the same.
    private let results: [[UInt8]]
    private var databases: [String: Database] = [:]
    /// By `SAGA/STEP` or `SAGA/STEP#ITEM`: actions that took effect minus those that were undone.
    private(set) var effects: [String: Int] = [:]
    /// By idempotency key: how often it took effect.
    private(set) var executions: [String: Int] = [:]
    private var stalledUntil: [String: Milliseconds] = [:]
    /// Commands and replies that are on their way.
    private(set) var underWay = 0

    init(_ world: World, results: [[UInt8]]) {
        self.world = world
        self.results = results
    }

    /// How long after a consumer's death another one takes its commands.
    private static let idleLimit: Milliseconds = 1_500

    /// Takes a service's commands off their stream, as soon as word of them has come.
    func fetch(_ service: String, in partition: Int) {
        after(world.latency()) { [self] in
            guard !world.isDown else { return fetch(service, in: partition) }
            let stall = stall(of: service)
            guard stall == 0 else { return after(stall) { self.fetch(service, in: partition) } }
            for fields in world.memory.takeCommands(of: service, in: partition) {
                let command: Command
                do throws(DeadReason) {
                    command = try fields.withViews { views throws(DeadReason) in try Command.decode(views) }
                } catch {
                    return world.report(.readable, "a command: \(error)")
                }
                world.count { $0.commands += 1 }
                receive(command, service, partition)
            }
        }
    }

    /// A service stands still: it fetches nothing, and does what it has in hand when it goes on.
    func stall(_ service: String, for span: Milliseconds) {
        stalledUntil[service] = world.now + span
        world.note(52, service, "stands still for \(span) ms", isFault: true)
    }

    private func stall(of service: String) -> Milliseconds {
        guard !stalledUntil.isEmpty else { return 0 }
        return max(0, (stalledUntil[service] ?? 0) - world.now)
    }

    private func after(_ span: Milliseconds, _ body: @escaping () -> Void) {
        underWay += 1
        world.conductor.after(span) { [self] in
            underWay -= 1
            body()
        }
    }

    private func receive(_ command: Command, _ service: String, _ partition: Int) {
        let weather = world.weather
        if world.chance(weather.lostCommands) {
            return world.note(50, service, "\(Self.label(command)) is lost", isFault: false)
        }
        let delay = world.chance(weather.slowCommands) ? world.span(200...6_000) : world.span(0...10)
        if world.chance(weather.dyingConsumers) {
            // Before the local commit, or after it and before the reply.
            if world.chance(0.5) { after(delay) { [self] in _ = perform(command, service) } }
            after(delay + Self.idleLimit) { [self] in execute(command, service, partition) }
        } else {
            after(delay) { [self] in execute(command, service, partition) }
        }
        guard world.chance(weather.doubledCommands) else { return }
        after(delay + world.span(0...3_000)) { [self] in execute(command, service, partition) }
    }

    private func execute(_ command: Command, _ service: String, _ partition: Int) {
        let stall = stall(of: service)
        guard stall == 0 else {
            return after(stall + world.span(0...20)) { [self] in execute(command, service, partition) }
        }
        guard world.safeguards.contains(.rowLocked) else {
            // Without the lock another transaction of the saga comes between the reading and the writing.
            let early = recorded(command, service)
            return after(world.span(0...20)) { [self] in
                answer(perform(command, service, early: early), partition)
            }
        }
        answer(perform(command, service), partition)
    }

    private func recorded(_ command: Command, _ service: String) -> RecordedState {
        let database = databases[service, default: Database()]
        func key(_ phase: Phase) -> String {
            Command.key(saga: command.saga, step: command.step, item: command.item, phase: phase)
        }
        return RecordedState(
            era: database.eras[command.saga], action: database.records[key(.action)],
            compensation: database.records[key(.compensation)])
    }

    /// One local transaction.
    private func perform(_ command: Command, _ service: String, early: RecordedState? = nil) -> ReplyMessage? {
        let state = early ?? recorded(command, service)
        var database = databases.removeValue(forKey: service) ?? Database()
        defer { databases[service] = database }
        database.eras[command.saga] = max(database.eras[command.saga] ?? 0, command.era)
        let conclusion = BarrierRules.perform(
            command, recorded: state, safeguards: world.safeguards, now: world.storeTime
        ) { handle(command) }
        if let record = conclusion.record { database.records[command.key] = record }
        guard case .reply(let reply) = conclusion.answer else { return nil }
        world.note(
            51, service,
            "\(Self.label(command)) attempt \(command.attempt) era \(command.era): \(reply.outcome) \(reply.code ?? "")"
        )
        return reply
    }

    private func handle(_ command: Command) -> HandlerOutcome {
        let weather = world.weather
        let isAction = command.phase == .action
        let codes = ["no", "busy", "late"]
        if world.chance(isAction ? weather.refusedActions : weather.refusedCompensations) {
            return .failed(code: world.random.pick(codes), error: "refused")
        }
        if world.chance(weather.stumbles) {
            let after: Milliseconds? = world.chance(0.2) ? world.span(1...3_000) : nil
            return .retry(error: "trouble", code: world.chance(0.7) ? world.random.pick(codes) : nil, after: after)
        }
        executions[command.key, default: 0] += 1
        if executions[command.key] != 1 {
            world.report(.oneEffect, "\(command.key) took effect again", saga: command.saga)
        }
        effects[Self.branch(command), default: 0] += isAction ? 1 : -1
        guard isAction, !results.isEmpty else { return .succeeded(nil) }
        let sum = command.key.utf8.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xffff }
        return .succeeded(results[sum % results.count])
    }

    private func answer(_ reply: ReplyMessage?, _ partition: Int) {
        guard let reply else { return }
        let weather = world.weather
        if world.chance(weather.lostReplies) { return }
        send(reply, partition, after: world.chance(weather.lateReplies) ? world.span(100...6_000) : world.latency())
        guard world.chance(weather.doubledReplies) else { return }
        send(reply, partition, after: world.span(0...3_000))
    }

    private func send(_ reply: ReplyMessage, _ partition: Int, after span: Milliseconds) {
        after(span) { [self] in
            guard world.append(reply.fields, to: .reply, of: partition) else {
                return send(reply, partition, after: world.span(50...300))
            }
        }
    }

    private static func label(_ command: Command) -> String { "\(branch(command)) \(command.phase.rawValue)" }

    private static func branch(_ command: Command) -> String {
        let item = command.item.map { "#\($0)" } ?? ""
        return "\(command.saga)/\(command.step)\(item)"
    }
}
