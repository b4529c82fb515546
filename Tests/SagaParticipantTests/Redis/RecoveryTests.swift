import LocalRedis
import RedisTransport
import SagaCore
import SagaParticipant
import SagaRedis
import SagaWire
import Synchronization
import SagaTesting
import Testing

@Suite("A participant when things go wrong")
struct RecoveryTests {
    struct Crash: Error {}

    /// Fails as often as it is told to.
    final class Faults: Sendable {
        private let left: Mutex<Int>

        init(_ count: Int) {
            left = Mutex(count)
        }

        var hooks: ParticipantHooks {
            ParticipantHooks { _ in
                let fails = self.left.withLock { left in
                    left -= 1
                    return left >= 0
                }
                if fails { throw Crash() }
            }
        }
    }

    @Test("A session that ends between commit and answer begins anew with what is pending: one effect, one answer")
    func lostAnswer() async throws {
        try await Namespace.with { namespace in
            let barrier = MemoryBarrier([String: Int]())
            let commands = (0..<20).map { Command.test(.action, saga: "saga-\($0)") }
            let participant = counting(namespace, barrier: barrier, hooks: Faults(3).hooks)
            try await running(participant) { _ in
                try await namespace.send(commands)
                let replies = try await namespace.awaitReplies(20)
                #expect(Set(replies.map(\.id)) == Set(commands.map(\.id)))
                #expect(replies.allSatisfy { $0.outcome == .succeeded })
            }
            #expect(participant.counts.sessions >= 4)
            #expect(barrier.withState { $0.values.allSatisfy { $0 == 1 } && $0.count == 20 })
            #expect(try await namespace.pending() == 0)
        }
    }

    @Test("Answers that fail again and again never make a command pass for one that kills its consumer")
    func survivorsAreNotPoison() async throws {
        try await Namespace.with(partitions: 1) { namespace in
            let options = ParticipantOptions.test { $0.deliveryLimit = 2 }
            try await running(counting(namespace, options: options, hooks: Faults(5).hooks)) { _ in
                try await namespace.send([.test(.action)])
                #expect(try await namespace.awaitReply()?.outcome == .succeeded)
            }
            #expect(try await namespace.dead().isEmpty)
        }
    }

    @Test("What an earlier process of the same consumer left pending is done first")
    func ownPending() async throws {
        try await Namespace.with { namespace in
            let commands = (0..<300).map { Command.test(.action, saga: "saga-\($0)") }
            try await namespace.send(commands)
            try await namespace.takeAndDie(consumer: "stock-1")
            let barrier = MemoryBarrier([String: Int]())
            // One of them had been committed.
            _ = try await barrier.perform(CommandBatch(namespace: Namespace.name, now: 1, commands: [commands[0]])) {
                _, _ in .succeeded([42])
            }
            let participant = counting(namespace, options: .test { $0.readCount = 32 }, barrier: barrier)
            try await running(participant) { _ in
                let replies = try await namespace.awaitReplies(300)
                #expect(Set(replies.map(\.id)) == Set(commands.map(\.id)))
                #expect(replies.first { $0.id == commands[0].id }?.result == [42])
            }
            #expect(participant.counts.recovered == 300)
            #expect(try await namespace.pending() == 0)
        }
    }

    @Test("Commands of a consumer that died are claimed after their idle time")
    func abandoned() async throws {
        try await Namespace.with { namespace in
            let commands = (0..<60).map { Command.test(.action, saga: "saga-\($0)") }
            try await namespace.send(commands)
            try await namespace.takeAndDie(consumer: "stock-2")
            let options = ParticipantOptions.test {
                $0.claimAfter = .milliseconds(300)
                $0.readCount = 8
            }
            let participant = counting(namespace, options: options)
            try await running(participant) { _ in
                let replies = try await namespace.awaitReplies(60)
                #expect(Set(replies.map(\.id)) == Set(commands.map(\.id)))
            }
            #expect(participant.counts.recovered == 60)
            #expect(try await namespace.pending() == 0)
        }
    }

    @Test("Pending commands that were deleted from their stream are reported as lost, and let go of")
    func deletedEntries() async throws {
        try await Namespace.with(partitions: 1) { namespace in
            let log = LogRecorder()
            let own = try await namespace.send([.test(.action, saga: "own"), .test(.action, saga: "kept")])
            try await namespace.takeAndDie(consumer: "stock-1")
            let others = try await namespace.send([.test(.action, saga: "other")])
            try await namespace.takeAndDie(consumer: "stock-2")
            _ = try await namespace.client.send(RedisCommand("XDEL", namespace.stream(0), own[0], others[0]))
            let options = ParticipantOptions.test { $0.claimAfter = .milliseconds(200) }
            let participant = counting(namespace, options: options, logger: log.logger)
            try await running(participant) { participant in
                #expect(try await namespace.awaitReply()?.saga == "kept")
                try await eventually("both losses") { participant.counts.lost == 2 }
                try await eventually("nothing pending") { try await namespace.pending() == 0 }
            }
            #expect(log.messages.filter { $0.contains("commands were lost") }.count == 2)
        }
    }

    @Test(
        "A command that was delivered again and again without an answer is answered retry, and copied to the dead letters"
    )
    func poison() async throws {
        try await Namespace.with(partitions: 1) { namespace in
            let entries = try await namespace.send([.test(.action, saga: "killer"), .test(.action, saga: "harmless")])
            try await namespace.takeAndDie(consumer: "stock-1")
            _ = try await namespace.client.send(
                RedisCommand(
                    "XCLAIM", namespace.stream(0), Namespace.service, "stock-1", "0", entries[0], "RETRYCOUNT", "5"))
            let barrier = MemoryBarrier([String: Int]())
            try await running(counting(namespace, barrier: barrier)) { _ in
                let replies = try await namespace.awaitReplies(2)
                #expect(replies.first { $0.saga == "killer" }?.outcome == .retry)
                #expect(replies.first { $0.saga == "killer" }?.code == "poison")
                #expect(replies.first { $0.saga == "harmless" }?.outcome == .succeeded)
            }
            let letters = try await namespace.dead()
            #expect(letters.count == 1)
            #expect(letters.first?["reason"]?.hasPrefix("poison: ") == true)
            #expect(letters.first?["entry.saga"] == "killer")
            #expect(barrier.withState { Array($0.keys) } == [Command.test(.action, saga: "harmless").key])
            #expect(try await namespace.pending() == 0)
        }
    }

    @Test(
        "Commands that were delivered several times are performed alone, and last, so that a killer takes no others with it"
    )
    func suspects() async throws {
        try await Namespace.with(partitions: 1) { namespace in
            let entries = try await namespace.send((0..<6).map { .test(.action, saga: "saga-\($0)") })
            try await namespace.takeAndDie(consumer: "stock-1")
            for entry in entries[2...3] {
                _ = try await namespace.client.send(
                    RedisCommand(
                        "XCLAIM", namespace.stream(0), Namespace.service, "stock-1", "0", entry, "RETRYCOUNT", "4"))
            }
            let batches = Mutex<[[String]]>([])
            let hooks = ParticipantHooks { commands in batches.withLock { $0.append(commands.map(\.saga)) } }
            try await running(counting(namespace, hooks: hooks)) { _ in _ = try await namespace.awaitReplies(6) }
            #expect(
                batches.withLock { $0 } == [["saga-0", "saga-1", "saga-4", "saga-5"], ["saga-2"], ["saga-3"]])
        }
    }

    @Test("Groups that vanish are made anew from the beginning of their stream")
    func vanishedGroups() async throws {
        try await Namespace.with { namespace in
            let log = LogRecorder()
            try await running(counting(namespace, logger: log.logger)) { participant in
                try await namespace.send([.test(.action, saga: "before")])
                _ = try await namespace.awaitReplies(1)
                for partition in 0..<2 {
                    _ = try await namespace.client.send(RedisCommand("DEL", namespace.stream(partition)))
                }
                // Written before there is a group again.
                try await namespace.send([.test(.action, saga: "after")])
                #expect(try await namespace.awaitReplies(2).map(\.saga).contains("after"))
            }
            #expect(log.messages.contains { $0.contains("consumer group") || $0.contains("interrupted") })
        }
    }

    @Test("A namespace that is wiped is waited for again, also with another number of partitions")
    func wiped() async throws {
        try await Namespace.with { namespace in
            try await running(counting(namespace)) { _ in
                try await namespace.send([.test(.action, saga: "before")])
                _ = try await namespace.awaitReplies(1)
                _ = try await namespace.client.send(RedisCommand("FLUSHALL"))
                let anew = Namespace(namespace.server, partitions: 5)
                try await anew.open()
                let commands = (0..<10).map { Command.test(.action, saga: "after-\($0)") }
                try await anew.send(commands)
                #expect(Set(try await anew.awaitReplies(10).map(\.id)) == Set(commands.map(\.id)))
                await anew.client.close()
            }
        }
    }

    @Test("Redis killed and restarted: nothing is lost, nothing happens twice")
    func restart() async throws {
        try await Namespace.with(appendOnly: .always) { namespace in
            let barrier = MemoryBarrier([String: Int]())
            let commands = (0..<200).map { Command.test(.action, saga: "saga-\($0)") }
            let participant = counting(namespace, options: .test { $0.batch = 16 }, barrier: barrier)
            try await running(participant) { participant in
                try await namespace.send(commands)
                try await eventually("the first answers") { participant.counts.received > 0 }
                namespace.server.kill()
                try await namespace.server.restart()
                try await eventually("all answers") {
                    Set(try await namespace.replies().map(\.message.id)).count == 200
                }
                try await eventually("it has begun anew") { participant.counts.sessions >= 2 }
            }
            #expect(barrier.withState { $0.count == 200 && $0.values.allSatisfy { $0 == 1 } })
            #expect(try await namespace.pending() == 0)
        }
    }

    @Test("A Redis that is not there yet is waited for")
    func lateRedis() async throws {
        try await Namespace.with(appendOnly: .always) { namespace in
            try await namespace.send([.test(.action)])
            namespace.server.kill()
            try await running(counting(namespace)) { _ in
                try await namespace.server.restart()
                #expect(try await namespace.awaitReply()?.outcome == .succeeded)
            }
        }
    }

    @Test("Answers that a full server refuses are given when it has room again")
    func outOfMemory() async throws {
        try await Namespace.with { namespace in
            let barrier = MemoryBarrier([String: Int]())
            let log = LogRecorder()
            try await running(counting(namespace, logger: log.logger, barrier: barrier)) { participant in
                try await namespace.send([.test(.action, saga: "warm-up")])
                _ = try await namespace.awaitReplies(1)
                try await namespace.send((0..<10).map { .test(.action, saga: "saga-\($0)") })
                _ = try await namespace.awaitReplies(11)
                let sessions = participant.counts.sessions
                // Commands that are there already, so that only the answers are refused.
                _ = try await namespace.client.transaction([
                    RedisCommand("CONFIG", "SET", "maxmemory-policy", "noeviction"),
                    addition(of: .test(.action, saga: "refused"), to: namespace),
                    RedisCommand("CONFIG", "SET", "maxmemory", "1"),
                ])
                try await eventually("a new session") { participant.counts.sessions > sessions }
                _ = try await namespace.client.send(RedisCommand("CONFIG", "SET", "maxmemory", "0"))
                #expect(try await namespace.awaitReplies(12).contains { $0.saga == "refused" })
            }
            #expect(barrier.withState { $0.values.allSatisfy { $0 == 1 } })
            #expect(log.messages.contains { $0.contains("interrupted") })
        }
    }

    private func addition(of command: Command, to namespace: Namespace) -> RedisCommand {
        var addition = RedisCommand("XADD", namespace.stream(namespace.keys.partition(of: command.saga)), "*")
        addition.append(command.fields)
        return addition
    }
}
