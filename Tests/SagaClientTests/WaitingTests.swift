import LocalRedis
import RedisTransport
import SagaClient
import SagaCore
import SagaTesting
import SagaWire
import Testing

@Suite struct WaitingTests {
    @Test func theEndIsToldToWhoStartedAndToWhoAsksLater() async throws {
        try await withFixture { fixture in
            let client = fixture.client
            try await fixture.scenario.run {
                let limit = Duration.seconds(30)
                #expect(
                    try await client.startAndWait(start("good"), timeout: limit) == .ended(.completed, error: nil))
                let compensated = try await client.startAndWait(start("bad"), timeout: limit)
                guard case .ended(.compensated, let error) = compensated else {
                    Issue.record("\(compensated)")
                    return
                }
                #expect(error?.contains("charge") == true)
                guard case .ended(.stuck, _) = try await client.startAndWait(start("stuck"), timeout: limit) else {
                    Issue.record("it is not stuck")
                    return
                }
                #expect(try await client.wait(for: "good", timeout: limit) == .ended(.completed, error: nil))
                #expect(try await client.wait(for: "bad", timeout: limit) == compensated)
                // The same start again tells the same end.
                #expect(
                    try await client.startAndWait(start("good"), timeout: limit) == .ended(.completed, error: nil))
            }
        }
    }

    @Test func aStartThatCannotBeIsToldWithItsReason() async throws {
        try await withFixture { fixture in
            let client = fixture.client
            try await fixture.scenario.run {
                let outcome = try await client.startAndWait(start("s1", "nothing"), timeout: .seconds(30))
                #expect(outcome == .refused("unknown-definition: 'nothing' is not registered"))
            }
        }
    }

    @Test func aSagaThatNobodyStartedIsAbsentAtOnce() async throws {
        try await withFixture { fixture in
            let client = fixture.client
            #expect(try await client.wait(for: "nobody", timeout: .seconds(600)) == .absent)
            try await fixture.scenario.run {
                try await client.start((0..<10).map { start("s\($0)") })
                #expect(try await client.wait(for: "nobody", timeout: .seconds(600)) == .absent)
            }
        }
    }

    @Test func aStartThatNobodyHasReadYetIsWaitedFor() async throws {
        try await withFixture { fixture in
            let client = fixture.client
            try await client.start(start("s1"))
            #expect(try await client.wait(for: "s1", timeout: .milliseconds(1_500)) == .timedOut)
            async let outcome = client.wait(for: "s1", timeout: .seconds(60))
            try await fixture.scenario.run {
                try await eventually("it ends") { try await client.saga("s1")?.end != nil }
            }
            #expect(try await outcome == .ended(.completed, error: nil))
        }
    }

    @Test func aWaitIsNotLongerThanItsTime() async throws {
        try await withFixture { fixture in
            let client = fixture.client
            try await fixture.scenario.register(waiting)
            try await fixture.scenario.run {
                let outcome = try await client.startAndWait(start("w1", "waiting"), timeout: .milliseconds(100))
                #expect(outcome == .timedOut)
                try await eventually("it is begun") { try await client.saga("w1") != nil }
                #expect(try await client.wait(for: "w1", timeout: .milliseconds(50)) == .timedOut)
                try await client.signal(SignalMessage(saga: "w1", name: "go", payload: [], id: nil))
                #expect(try await client.wait(for: "w1", timeout: .seconds(30)) == .ended(.completed, error: nil))
            }
        }
    }

    @Test func aWaitOutlivesLostConnectionsAndAServerThatIsAwayForAWhile() async throws {
        try await withRedisNamespace(partitions: 2, .init(appendOnly: .always)) { namespace, server in
            let scenario = Scenario(namespace)
            let client = SagaClient(endpoint: server.endpoint, namespace: "test", logger: quietLogger)
            try await scenario.register(waiting)
            try await scenario.run {
                try await client.start(start("w1", "waiting"))
                try await eventually("it is begun") { try await client.saga("w1") != nil }
                async let outcome = client.wait(for: "w1", timeout: .seconds(60))
                try await untilBlocked(server)
                let admin = try await RedisConnection.connect(to: server.endpoint)
                _ = try await admin.send(RedisCommand("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"))
                await admin.close()
                try await untilBlocked(server)
                server.kill()
                try await server.restart()
                try await eventually("the signal is sent") {
                    // The connection is being made anew.
                    (try? await client.signal(SignalMessage(saga: "w1", name: "go", payload: [], id: "1"))) != nil
                }
                #expect(try await outcome == .ended(.completed, error: nil))
            }
            await client.close()
        }
    }

    /// Waits until somebody waits for an outcome.
    private func untilBlocked(_ server: LocalRedisServer) async throws {
        let admin = try await RedisConnection.connect(to: server.endpoint)
        try await eventually("somebody waits for an outcome") {
            let clients = try await admin.send(RedisCommand("CLIENT", "LIST")).value.string ?? ""
            return clients.split(separator: "\n").contains { $0.contains("name=skald-wait ") && $0.contains("flags=b") }
        }
        await admin.close()
    }

    @Test func waitsAndOrdersLeaveNoConnectionBehind() async throws {
        try await withFixture { fixture in
            let client = fixture.client
            try await fixture.scenario.run {
                func connections() async throws -> Int {
                    let list = try await fixture.send(RedisCommand("CLIENT", "LIST")).string ?? ""
                    return list.split(separator: "\n").count
                }
                _ = try await client.startAndWait(start("s0"), timeout: .seconds(30))
                let before = try await connections()
                for index in 1..<20 {
                    _ = try await client.startAndWait(start("s\(index)"), timeout: .seconds(30))
                    _ = try await client.order(ControlMessage(saga: "s\(index)", operation: .cancel))
                }
                try await eventually("they are closed") { try await connections() <= before }
            }
        }
    }

    @Test func anOrderIsAnsweredWithTheReasonOfARefusal() async throws {
        try await withFixture { fixture in
            let client = fixture.client
            try await fixture.scenario.register(waiting)
            try await fixture.scenario.run {
                try await client.start(start("w1", "waiting"))
                try await eventually("it is begun") { try await client.saga("w1") != nil }
                #expect(try await client.order(ControlMessage(saga: "w1", operation: .pause)) == nil)
                let again = try await client.order(ControlMessage(saga: "w1", operation: .pause))
                #expect(again == "the saga is paused already")
                let unknown = try await client.order(ControlMessage(saga: "nobody", operation: .cancel))
                #expect(unknown == "unknown-saga: there is no saga 'nobody'")
            }
            // Nobody is there to answer.
            let failure = await error { () async throws(ClientError) in
                try await client.order(ControlMessage(saga: "w1", operation: .resume), timeout: .milliseconds(100))
            }
            guard case .unanswered = failure else {
                Issue.record("\(String(describing: failure))")
                return
            }
            // What would be buried without an answer is refused at once.
            let malformed = await error { () async throws(ClientError) in
                try await client.order(ControlMessage(saga: "w1", operation: .skip, step: "no step"))
            }
            guard case .refused = malformed else {
                Issue.record("\(String(describing: malformed))")
                return
            }
            try await fixture.scenario.run {
                try await eventually("the order that stands is carried out") {
                    try await client.saga("w1")?.saga.isPaused == false
                }
            }
        }
    }
}
