import LocalRedis
import RedisTransport
import SagaCore
import SagaOrchestrator
import SagaRedis
import SagaStore
import SagaTesting
import SagaWire
import Synchronization

/// A failover that loses what the master acknowledged last: sagas are started all the while, and afterwards it is counted
/// what of that is gone.
///
/// Clients, orchestrator and participants reach the server by one address, a proxy that leads to the master and then to
/// the promoted replica. The replica follows the master through a proxy of its own.
struct FailoverPlay: Sendable {
    enum Mishap: String, Sendable, CaseIterable {
        /// The link to the replica is cut without a word. The master goes on for a while, then it is killed.
        case partition
        /// The master is frozen, and the replica promoted. It wakes, and goes on for a while for those who are still
        /// connected to it.
        case frozenMaster
    }

    struct Setting: Sendable {
        var name: String
        var durability = Durability.async
        /// min-replicas-to-write 1, min-replicas-max-lag 2.
        var hasMinimum = false

        static let all = [
            Setting(name: "async"), Setting(name: "async, min-replicas 1", hasMinimum: true),
            Setting(name: "replicated", durability: .replicated),
            Setting(name: "replicated, min-replicas 1", durability: .replicated, hasMinimum: true),
        ]
    }

    struct Count: Sendable, CustomStringConvertible {
        /// Starts that their starter may count on, and ends that were told.
        var starts = 0
        var ends = 0
        /// Those of them that the survivor does not know, or knows otherwise.
        var lostStarts = 0
        var lostEnds = 0
        /// Pivots that took effect, of sagas that are not completed in the end.
        var lostPivots = 0
        /// Sagas of the survivor that are not all-or-nothing.
        var faults: [String] = []

        var description: String { "\(starts) | \(lostStarts) | \(ends) | \(lostEnds) | \(lostPivots)" }
    }

    var mishap: Mishap
    var setting: Setting
    /// How long the master goes on that will be lost.
    var span: Duration

    private final class Starts: Sendable {
        private let state = Mutex<(acknowledged: [String], isOver: Bool)>(([], false))
        var acknowledged: [String] { state.withLock { $0.acknowledged } }
        var isOver: Bool { state.withLock { $0.isOver } }
        func note(_ saga: String) { state.withLock { if !$0.isOver { $0.acknowledged.append(saga) } } }
        func end() { state.withLock { $0.isOver = true } }
    }

    func run() async throws -> Count {
        var options = LocalRedisServer.Options()
        options.extra = ["repl-diskless-sync-delay 0"]
        if setting.hasMinimum { options.extra += ["min-replicas-to-write 1", "min-replicas-max-lag 2"] }
        return try await withLocalRedis(options) { master in
            let link = try await TCPProxy.start(to: master.port)
            let address = try await TCPProxy.start(to: master.port)
            let count = try await withLocalRedis(options.replica(of: link.port)) { replica in
                try await replica.untilInStep()
                // The survivor's own replica: without one it could not confirm, or not even write.
                return try await withLocalRedis(options.replica(of: replica.port)) { third in
                    try await third.untilInStep()
                    return try await play(Stage(master: master, replica: replica, link: link, address: address))
                }
            }
            await link.stop()
            await address.stop()
            return count
        }
    }

    private struct Stage: Sendable {
        var master: LocalRedisServer
        var replica: LocalRedisServer
        var link: TCPProxy
        var address: TCPProxy
    }

    private var draft: DefinitionDraft {
        DefinitionDraft(
            name: "order", version: 1, durability: setting.durability,
            steps: ["create", "charge", "ship"].map { name in
                StepDraft(
                    name: name, service: "\(name)-service", action: name,
                    compensation: name == "create" ? .operation("undo") : .absent, timeout: 1_000,
                    isPivot: name == "charge")
            })
    }

    private func play(_ stage: Stage) async throws -> Count {
        let endpoint = RedisEndpoint(address: .tcp(host: "127.0.0.1", port: stage.address.port))
        let namespace = try await RedisNamespace(at: endpoint)
        let scenario = Scenario(namespace)
        try await scenario.register(draft)
        let starts = Starts()
        let requires = setting.durability == .replicated
        let (told, pivots) = try await scenario.run(configure: {
            ($0.durability, $0.requiresConfirmation) = (requires ? .replicated : .async, requires)
        }) {
            async let starting: Void = start(starts, namespace)
            try await eventually("sagas end") { try await scenario.outcomes().count >= 20 }
            switch mishap {
            case .partition:
                stage.link.setMode(.drop)
                try await Task.sleep(for: span)
            case .frozenMaster:
                stage.master.freeze()
                try await Task.sleep(for: .milliseconds(300))
                try await stage.replica.promote()
                stage.address.setTarget(stage.replica.port)
                stage.master.thaw()
                try await Task.sleep(for: span)
            }
            starts.end()
            let told = try await outcomes(of: stage.master, namespace)
            let pivots = scenario.participants.effects.filter { $0.key.hasSuffix("/charge") && $0.value == 1 }
            stage.master.kill()
            if mishap == .partition {
                try await stage.replica.promote()
                stage.address.setTarget(stage.replica.port)
            }
            stage.address.closeConnections()
            await starting
            try await settle(scenario)
            return (told, pivots.keys.map { String($0.dropLast("/charge".count)) })
        }
        let count = try await compare(scenario, starts.acknowledged, told, pivots)
        await namespace.close()
        return count
    }

    /// Starts a saga every few milliseconds; under `replicated` a starter counts on one that a replica has.
    private func start(_ starts: Starts, _ namespace: RedisNamespace) async {
        var number = 0
        while !starts.isOver, !Task.isCancelled {
            number += 1
            let saga = "s\(number)"
            let message = StartMessage(saga: saga, definition: "order", input: Array("{}".utf8))
            var add = RedisCommand("XADD", namespace.keys.intake(namespace.keys.partition(of: saga)), "*")
            add.append(message.fields)
            var commands = [add]
            if setting.durability == .replicated { commands.append(RedisCommand("WAIT", "1", "100")) }
            let results = await namespace.client.pipeline(commands)
            var replies: [RedisReply] = []
            for case .success(let reply) in results { replies.append(reply) }
            let isConfirmed = setting.durability == .async || replies.last?.value.integer ?? 0 >= 1
            if replies.count == commands.count, isConfirmed { starts.note(saga) }
            // Cancelled: the loop's condition is looked at next.
            try? await Task.sleep(for: .milliseconds(10))
        }
    }

    private func outcomes(of server: LocalRedisServer, _ namespace: RedisNamespace) async throws -> [OutcomeEntry] {
        let direct = try await RedisNamespace(at: server.endpoint)
        var ends: [OutcomeEntry] = []
        for partition in 0..<namespace.keys.partitions {
            for entry in try await direct.outcomes(of: partition) {
                if case .end(let end) = entry.fields.withViews({ Outcome.decode($0) }) { ends.append(end) }
            }
        }
        await direct.close()
        return ends
    }

    /// Waits until the survivor has applied whatever stood in its intake, and all that it knows has ended.
    private func settle(_ scenario: Scenario) async throws {
        let markers = (0..<8).map { "marker-\($0)" }
        for marker in markers {
            try await eventually("the survivor takes starts") {
                // Not while clients still find out that the master is gone.
                do { try await scenario.start(marker) } catch { return false }
                return true
            }
        }
        try await eventually("everything ends", within: .seconds(60)) {
            do {
                for marker in markers where try await scenario.end(of: marker) == nil { return false }
                return try await scenario.openCount() == 0
            } catch { return false }
        }
    }

    private func compare(
        _ scenario: Scenario, _ starts: [String], _ told: [OutcomeEntry], _ pivots: [String]
    ) async throws -> Count {
        var count = Count(starts: starts.count, ends: told.count)
        var known: [String] = []
        for saga in starts {
            if try await scenario.saga(saga) == nil { count.lostStarts += 1 } else { known.append(saga) }
        }
        for end in told {
            let status = try await scenario.saga(end.saga)?.status
            if status.map({ OutcomeEntry.Status($0) }) != end.status { count.lostEnds += 1 }
        }
        for saga in pivots where try await scenario.saga(saga)?.status != .completed { count.lostPivots += 1 }
        count.faults = try await scenario.audit(known)
        return count
    }
}
