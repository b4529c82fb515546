import Foundation
import LocalRedis
import RedisTransport
import SagaClient
import SagaCore
import SagaRedis
import SagaTesting
import SagaWire
import Testing

@Suite struct ReadingTests {
    @Test func aViewHasTheStepsAndTheWholeTimeline() async throws {
        try await withFixture { fixture in
            let client = fixture.client
            try await fixture.scenario.run {
                _ = try await client.startAndWait(start("bad", input: "[1, 2]"), timeout: .seconds(30))
                let view = try #require(try await client.saga("bad"))
                #expect(view.end == .compensated)
                let story = view.timeline.map { entry in
                    [entry.type, entry.step, entry.phase?.rawValue, entry.what].compactMap(\.self)
                        .joined(separator: " ")
                }
                #expect(
                    story == [
                        "started order@1", "sent reserve action", "reply reserve action succeeded",
                        "sent charge action", "reply charge action failed", "sent reserve compensation",
                        "reply reserve compensation succeeded", "compensated",
                    ])
                var writer = JSONWriter()
                view.write(to: &writer)
                let object = try JSONSerialization.jsonObject(with: Data(writer.bytes))
                let saga = try #require(object as? [String: Any])
                #expect(saga["input"] as? [Int] == [1, 2])
                #expect(saga["status"] as? String == "compensated")
                #expect(saga["finishedAt"] is Int)
                let steps = try #require(saga["steps"] as? [[String: Any]])
                #expect(steps.map { $0["status"] as? String } == ["succeeded", "failed"])
                #expect(steps.map { $0["result"] as? Int } == [7, nil])
                let compensations = steps.compactMap { $0["compensation"] as? [String: Any] }
                #expect(compensations.map { $0["status"] as? String } == ["succeeded", "none"])
                #expect(compensations.map { $0["attempts"] as? Int } == [1, 0])
            }
            #expect(try await client.saga("nobody") == nil)
        }
    }

    @Test func aLogThatCannotBeReadIsAnErrorOfItsSagaAndNotOfTheList() async throws {
        try await withFixture { fixture in
            let client = fixture.client
            try await fixture.scenario.run {
                for saga in ["s1", "s2"] { _ = try await client.startAndWait(start(saga), timeout: .seconds(30)) }
                let partition = fixture.scenario.partition(of: "s1")
                let key = fixture.namespace.keys.log(partition, saga: "s1")
                _ = try await fixture.send(RedisCommand("LSET", key, "0", "nonsense"))
                let failure = await error { () async throws(ClientError) in try await client.saga("s1") }
                guard case .unreadable = failure else {
                    Issue.record("it was read")
                    return
                }
                #expect(try await client.list().sagas.map(\.id) == ["s2"])
                #expect(try await client.list(limit: 1).sagas.map(\.id) == ["s2"])
            }
        }
    }

    @Test func deadLettersOfAllPartitionsAreReadInPagesNewestFirst() async throws {
        try await withFixture(partitions: 3) { fixture in
            let client = fixture.client
            try await fixture.scenario.run {
                for round in 0..<20 {
                    for partition in 0..<3 {
                        var fields = Fields()
                        fields.append("type", "start")
                        fields.append("saga", "s\(round)")
                        fields.append("twice", "one")
                        fields.append("twice", "two")
                        // Most of them in one partition, so that its pages are used up first.
                        for _ in 0..<(partition == 1 ? 3 : 1) {
                            try await fixture.namespace.append(fields, to: .intake, of: partition)
                        }
                    }
                }
                try await eventually("they are buried") { try await fixture.scenario.deadReasons().count == 100 }
                let all = try await client.deadLetters(limit: 1_000)
                #expect(all.count == 100 && Set(all.map(\.id)).count == 100)
                #expect(all.map(\.at) == all.map(\.at).sorted(by: >))
                for limit in [0, 1, 16, 17, 99] {
                    #expect(try await client.deadLetters(limit: limit) == Array(all.prefix(limit)))
                }
                let letter = all[7]
                #expect(letter.reason.hasPrefix("malformed: "))
                #expect(letter.fields.map(\.name) == ["type", "saga", "twice", "twice"])
                #expect(try await client.deadLetter(letter.id) == letter)
                #expect(try await client.deadLetter("0:1-1") == nil)
                for id in ["", "0", "9:1-1", "x:1-1", "0:*", "0:1-x"] {
                    let failure = await error { () async throws(ClientError) in try await client.deadLetter(id) }
                    guard case .refused = failure else {
                        Issue.record("'\(id)' passes for an id")
                        continue
                    }
                }
                var writer = JSONWriter()
                letter.write(to: &writer)
                let object = try JSONSerialization.jsonObject(with: Data(writer.bytes)) as? [String: Any]
                let fields = try #require(object?["fields"] as? [String: Any])
                #expect(fields["type"] as? String == "start")
                #expect(fields["twice"] as? [String] == ["one", "two"])
            }
        }
    }

    @Test func theStatusTellsOwnersLagsAndServices() async throws {
        try await withFixture { fixture in
            let client = fixture.client
            let partition = fixture.scenario.partition(of: "s0")
            // Nobody reads yet.
            for _ in 0..<100 { try await fixture.scenario.start("s0") }
            let idle = try await client.status()
            #expect(idle.partitions.map(\.index) == [0, 1])
            #expect(idle.partitions.allSatisfy { $0.owner == nil && $0.leaseLeft == 0 && $0.open == 0 })
            #expect(idle.partitions[partition].lag == 100)
            for _ in 0..<300 { try await fixture.scenario.start("s0") }
            #expect(try await client.status().partitions[partition].lag == 400)
            #expect(idle.services.map(\.name) == ["charge-service", "reserve-service"])
            #expect(idle.services.allSatisfy { $0.queued == 0 && $0.consumers.isEmpty })

            try await fixture.scenario.run {
                #expect(try await client.wait(for: "s0", timeout: .seconds(30)) == .ended(.completed, error: nil))
                try await eventually("all is read") {
                    try await client.status().partitions.allSatisfy { $0.lag == 0 && $0.owner == "o0" }
                }
                // On a busy machine a lease can run out for a moment before it is renewed.
                try await eventually("both leases run") {
                    try await client.status().partitions.allSatisfy { $0.leaseLeft > 0 }
                }
                let busy = try await client.status()
                #expect(busy.partitions.allSatisfy { $0.epoch > 0 && $0.era > 0 && (0...5_000).contains($0.leaseLeft) })
                #expect(busy.partitions.map(\.ended).reduce(0, +) == 1)
                #expect(busy.services.allSatisfy { $0.consumers.count == 1 && $0.consumers[0].pending == 0 })
                #expect(busy.usedMemory > 0 && busy.redisVersion.hasPrefix("7."))
                var writer = JSONWriter()
                busy.write(to: &writer)
                let object = try JSONSerialization.jsonObject(with: Data(writer.bytes)) as? [String: Any]
                #expect(Set(try #require(object).keys) == ["partitions", "members", "services", "redis"])
            }
        }
    }

    @Test func aLongInboxOfLargeMessagesDoesNotStopTheStatus() async throws {
        try await withFixture(partitions: 1) { fixture in
            let input = #"""# + String(repeating: "x", count: 250_000) + #"""#
            let client = fixture.client
            for round in 0..<4 { try await client.start((0..<75).map { start("s-\(round)-\($0)", input: input) }) }
            #expect(try await client.status().partitions[0].lag == 300)
        }
    }
}
