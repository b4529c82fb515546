import LocalRedis
import RedisTransport
import SagaCore
import SagaParticipant
import SagaWire
import ServiceLifecycle
import Synchronization
import SagaTesting
import Testing

@Suite("A participant's end")
struct ShutdownTests {
    @Test("A graceful shutdown answers what is in hand, takes nothing more, and leaves nothing pending")
    func graceful() async throws {
        try await Namespace.with(partitions: 1) { namespace in
            // The answer of the first batch is held up until the shutdown has begun.
            let (begun, announce) = AsyncStream.makeStream(of: Void.self)
            let (go, release) = AsyncStream.makeStream(of: Void.self)
            let hooks = ParticipantHooks { _ in
                announce.yield()
                for await _ in go { break }
            }
            let participant = counting(namespace, hooks: hooks)
            try await namespace.send((0..<50).map { .test(.action, saga: "first-\($0)") })
            try await running(participant) { _ in
                for await _ in begun { break }
                try await namespace.send((0..<50).map { .test(.action, saga: "second-\($0)") })
                // Released only after `running` has asked for the shutdown.
                release.finish()
            }
            let replies = try await namespace.replies()
            #expect(replies.count == participant.counts.received)
            #expect(replies.count >= 50)
            #expect(try await namespace.pending() == 0)
        }
    }

    @Test("A cancellation is like a crash: the next process answers what was committed")
    func cancellation() async throws {
        try await Namespace.with(partitions: 1) { namespace in
            let barrier = MemoryBarrier([String: Int]())
            let (committed, announce) = AsyncStream.makeStream(of: Void.self)
            let hooks = ParticipantHooks { _ in
                announce.yield()
                try await Task.sleep(for: .seconds(3_600))
            }
            try await namespace.send((0..<10).map { .test(.action, saga: "saga-\($0)") })
            let first = counting(namespace, barrier: barrier, hooks: hooks)
            let process = Task { try await first.run() }
            for await _ in committed { break }
            process.cancel()
            await #expect(throws: CancellationError.self) { try await process.value }
            #expect(try await namespace.replies().isEmpty)
            #expect(try await namespace.pending() == 10)
            try await running(counting(namespace, barrier: barrier)) { _ in
                let answer = try await namespace.awaitReplies(10)
                #expect(answer.count == 10)
            }
            #expect(barrier.withState { $0.count == 10 && $0.values.allSatisfy { $0 == 1 } })
        }
    }

    @Test("A shutdown while it waits for the namespace, or for Redis, returns", arguments: [true, false])
    func whileWaiting(redisIsUp: Bool) async throws {
        try await Namespace.with { namespace in
            _ = try await namespace.client.send(RedisCommand("FLUSHALL"))
            if !redisIsUp { namespace.server.kill() }
            let log = LogRecorder()
            let begin = ContinuousClock.now
            try await running(counting(namespace, logger: log.logger)) { _ in
                try await eventually("a sign of waiting") { !log.messages.isEmpty }
            }
            #expect(begin.duration(to: .now) < .seconds(20))
        }
    }
}
