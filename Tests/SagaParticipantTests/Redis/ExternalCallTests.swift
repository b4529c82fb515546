import RedisTransport
import SagaCore
import SagaParticipant
import SagaWire
import Synchronization
import SagaTesting
import Testing

@Suite("Calls outside of the transaction")
struct ExternalCallTests {
    /// A third party that counts the calls by key, and answers when it is told to.
    final class ThirdParty: Sendable {
        private struct State {
            var calls: [String: Int] = [:]
            var running = 0
            var mostRunning = 0
            var isOpen: Bool
            var waiting: [CheckedContinuation<Void, Never>] = []
        }

        private let state: Mutex<State>

        init(open: Bool = true) {
            state = Mutex(State(isOpen: open))
        }

        var calls: [String: Int] { state.withLock { $0.calls } }
        var mostRunning: Int { state.withLock { $0.mostRunning } }

        func call(_ key: String) async {
            await withCheckedContinuation { continuation in
                let isOpen = state.withLock { state in
                    state.calls[key, default: 0] += 1
                    state.running += 1
                    state.mostRunning = max(state.mostRunning, state.running)
                    if !state.isOpen { state.waiting.append(continuation) }
                    return state.isOpen
                }
                if isOpen { continuation.resume() }
            }
            state.withLock { $0.running -= 1 }
        }

        func open() {
            let waiting = state.withLock { state in
                state.isOpen = true
                defer { state.waiting = [] }
                return state.waiting
            }
            for continuation in waiting { continuation.resume() }
        }
    }

    @Test("A call is made once, recorded and answered; its repetition is answered from the record")
    func call() async throws {
        try await Namespace.with { namespace in
            let party = ThirdParty()
            try await running(calling(namespace, party)) { _ in
                try await namespace.send([.test(.action, operation: "charge")])
                #expect(try await namespace.awaitReply()?.result == [7])
                try await namespace.send([.test(.action, operation: "charge", attempt: 2)])
                #expect(try await namespace.awaitReplies(2).allSatisfy { $0.result == [7] })
            }
            #expect(party.calls == [Command.test(.action).key: 1])
            #expect(try await namespace.pending() == 0)
        }
    }

    @Test("Calls run side by side up to the bound, while local commands go on")
    func sideBySide() async throws {
        try await Namespace.with { namespace in
            let party = ThirdParty(open: false)
            let options = ParticipantOptions.test { $0.concurrency = 4 }
            try await running(calling(namespace, party, options: options)) { _ in
                try await namespace.send((0..<3).map { .test(.action, saga: "call-\($0)", operation: "charge") })
                try await eventually("three calls") { party.calls.count == 3 }
                try await namespace.send([.test(.action, saga: "local")])
                #expect(try await namespace.awaitReply()?.saga == "local")
                try await namespace.send((3..<10).map { .test(.action, saga: "call-\($0)", operation: "charge") })
                try await eventually("four calls") { party.calls.count == 4 }
                party.open()
                #expect(try await namespace.awaitReplies(11).count == 11)
            }
            #expect(party.mostRunning == 4)
            #expect(party.calls.values.allSatisfy { $0 == 1 })
        }
    }

    @Test("A command whose call is under way is not begun again: not by a second attempt, not by a new session")
    func underWay() async throws {
        try await Namespace.with(partitions: 1) { namespace in
            let party = ThirdParty(open: false)
            try await running(calling(namespace, party)) { participant in
                try await namespace.send([.test(.action, operation: "charge")])
                try await eventually("the call") { !party.calls.isEmpty }
                try await namespace.send([.test(.action, operation: "charge", attempt: 2)])
                let sessions = participant.counts.sessions
                _ = try await namespace.client.send(RedisCommand("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"))
                try await eventually("a new session") { participant.counts.sessions > sessions }
                party.open()
                let replies = try await namespace.awaitReplies(2)
                #expect(Set(replies.map(\.id.attempt)) == [1, 2])
                #expect(replies.allSatisfy { $0.outcome == .succeeded })
            }
            #expect(party.calls == [Command.test(.action).key: 1])
            #expect(try await namespace.pending() == 0)
        }
    }

    @Test("A call that a crash interrupted is made again, under the same key")
    func interrupted() async throws {
        try await Namespace.with { namespace in
            let barrier = MemoryBarrier([String: Int]())
            let command = Command.test(.action, operation: "charge")
            _ = try await barrier.perform(CommandBatch(namespace: Namespace.name, now: 1, commands: [command])) {
                _, _ in .intended(until: .max)
            }
            try await namespace.send([command])
            let party = ThirdParty()
            try await running(calling(namespace, party, barrier: barrier)) { _ in
                let answer = try await namespace.awaitReply()
                #expect(answer?.outcome == .succeeded)
            }
            #expect(party.calls == [command.key: 1])
        }
    }

    @Test("The compensation of a call that may still arrive waits")
    func compensationWaits() async throws {
        try await Namespace.with { namespace in
            let party = ThirdParty(open: false)
            try await running(calling(namespace, party)) { _ in
                try await namespace.send([.test(.action, operation: "charge")])
                try await eventually("the call") { !party.calls.isEmpty }
                try await namespace.send([.test(.compensation, operation: "release")])
                let early = try await namespace.awaitReply()
                #expect(early?.outcome == .retry)
                #expect(early?.code == "in-doubt")
                #expect(early?.retryAfter ?? 0 > 1_000)
                party.open()
                _ = try await namespace.awaitReplies(2)
                try await namespace.send([.test(.compensation, operation: "release", attempt: 2)])
                let last = try await namespace.awaitReplies(3).first {
                    $0.id.phase == .compensation && $0.id.attempt == 2
                }
                #expect(last?.outcome == .succeeded)
            }
        }
    }

    @Test("A call that takes too long is cancelled and retried; a refusal is final")
    func outcomes() async throws {
        try await Namespace.with { namespace in
            let participant = counting(namespace) { service in
                service.external("slow", within: .milliseconds(50)) { _ in
                    try await Task.sleep(for: .seconds(3_600))
                    return nil
                }
                service.onExternal("refuse", within: .seconds(10)) { (_: [String: Int], _) in
                    throw Refusal("declined", "no money")
                }
            }
            try await running(participant) { _ in
                try await namespace.send([
                    .test(.action, saga: "slow", operation: "slow"), .test(.action, saga: "no", operation: "refuse"),
                ])
                let replies = try await namespace.awaitReplies(2)
                #expect(replies.first { $0.saga == "slow" }?.outcome == .retry)
                #expect(replies.first { $0.saga == "slow" }?.code == "interrupted")
                #expect(replies.first { $0.saga == "no" }?.code == "declined")
            }
        }
    }

    @Test("A call's answer that Redis refuses is given later, without a second call")
    func refusedAnswer() async throws {
        try await Namespace.with(partitions: 1) { namespace in
            let party = ThirdParty(open: false)
            try await running(calling(namespace, party)) { participant in
                try await namespace.send([.test(.action, operation: "charge")])
                try await eventually("the call") { !party.calls.isEmpty }
                let sessions = participant.counts.sessions
                _ = try await namespace.client.send(RedisCommand("CONFIG", "SET", "maxmemory", "1"))
                party.open()
                try await eventually("a new session") { participant.counts.sessions > sessions }
                _ = try await namespace.client.send(RedisCommand("CONFIG", "SET", "maxmemory", "0"))
                let answer = try await namespace.awaitReply()
                #expect(answer?.result == [7])
            }
            #expect(party.calls == [Command.test(.action).key: 1])
            #expect(try await namespace.pending() == 0)
        }
    }

    @Test("A graceful shutdown waits for calls that are under way")
    func shutdown() async throws {
        try await Namespace.with { namespace in
            let party = ThirdParty(open: false)
            try await withThrowingTaskGroup(of: Void.self) { group in
                try await running(calling(namespace, party)) { _ in
                    try await namespace.send([.test(.action, operation: "charge")])
                    try await eventually("the call") { !party.calls.isEmpty }
                    // Answered while the shutdown is under way, most likely; the outcome is the same if not.
                    group.addTask { party.open() }
                }
            }
            #expect(try await namespace.replies().count == 1)
            #expect(try await namespace.pending() == 0)
        }
    }

    private func calling(
        _ namespace: Namespace, _ party: ThirdParty, options: ParticipantOptions = .test(),
        barrier: MemoryBarrier<[String: Int]> = MemoryBarrier([:])
    ) -> Participant<MemoryBarrier<[String: Int]>> {
        counting(namespace, options: options, barrier: barrier) { service in
            service.external("charge", within: .seconds(30)) { context in
                await party.call(context.key)
                return [7]
            }
        }
    }
}
