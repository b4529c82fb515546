import RedisTransport
import SagaClient
import SagaCore
import SagaRedis
import SagaStore
import SagaTesting
import SagaWire
import Testing

/// What doctor says of a namespace.
@Suite struct NamespaceReadingTests {
    private static let now: Milliseconds = 1_000_000_000
    private typealias Queue = NamespaceReading.Queue

    private func complaints(_ change: (inout NamespaceReading) -> Void) -> [String: Finding.Severity] {
        var reading = NamespaceReading(
            status: NamespaceStatus(
                partitions: [.init(index: 0, owner: "a", leaseLeft: 3_000), .init(index: 1, owner: "b", leaseLeft: 1)],
                services: [.init(name: "pay", consumers: [.init(name: "c", pending: 0, idle: 5)])]),
            now: Self.now)
        change(&reading)
        return Dictionary(
            reading.findings.filter { $0.severity > .info }.map { ($0.check, $0.severity) },
            uniquingKeysWith: { max($0, $1) })
    }

    @Test func aNamespaceInGoodOrder() {
        #expect(complaints { _ in } == [:])
    }

    @Test func partitionsWithoutOwnerAreADangerWhereSomethingWaits() {
        #expect(complaints { $0.status.partitions[1].owner = nil } == ["ownership": .warning])
        for change in [\NamespaceStatus.Partition.open, \.lag] {
            let found = complaints { reading in
                reading.status.partitions[1].owner = nil
                reading.status.partitions[1][keyPath: change] = 1
            }
            #expect(found == ["ownership": .danger])
        }
        // What waits in a partition that is owned does not stand still.
        let other = complaints { reading in
            reading.status.partitions[1].owner = nil
            reading.status.partitions[0].open = 1
        }
        #expect(other == ["ownership": .warning])
    }

    @Test func orchestratorsThatAreGoneOrHaveOneName() {
        typealias Member = NamespaceStatus.Member
        #expect(
            complaints { $0.status.members = [Member(name: "a", instance: "1"), Member(name: "b", instance: "2")] }
                == [:])
        let gone = Member(name: "a", instance: "3", age: 3_001)
        #expect(complaints { $0.status.members = [gone] } == ["orchestrator-gone": .warning])
        // One that was started again is not two.
        #expect(
            complaints { $0.status.members = [gone, Member(name: "a", instance: "1")] } == [
                "orchestrator-gone": .warning
            ])
        let twins = [Member(name: "a", instance: "1"), Member(name: "a", instance: "2")]
        #expect(complaints { $0.status.members = twins } == ["orchestrator-names": .warning])
    }

    @Test func whatOrchestratorsOwnAndAreToOwn() {
        func record(_ instance: String, _ text: String) -> MemberRecord? {
            MemberRecord(instance: instance, value: text)
        }
        let records = [
            record("1", "9000 3000 present 7 - ann"), record("2", "9500 3000 leaving 7 3 bob b"),
            record("3", "6000 3000 present 7 - cid"), record("4", "9999 3000 joining 0 - ann"),
        ].compactMap(\.self)
        for text in ["", "x", "1 2 odd 3 - n", "1 2 present 3 -", "1 x present 3 - n"] {
            #expect(record("5", text) == nil)
        }
        let partitions = (0..<5).map { index in
            NamespaceStatus.Partition(index: index, owner: index == 4 ? nil : "n", instance: index < 2 ? "1" : "2")
        }
        let members = NamespaceStatus.members(records, of: partitions, now: 10_000)
        #expect(
            members == [
                .init(name: "ann", instance: "1", age: 1_000, held: 2, share: 3),
                .init(name: "ann", instance: "4", age: 1, held: 0, share: 2),
                .init(name: "bob b", instance: "2", age: 500, isLeaving: true, held: 2, share: 0),
                .init(name: "cid", instance: "3", age: 4_000, held: 0, share: 0),
            ])
        #expect(members.map(\.isGone) == [false, false, false, true])
    }

    @Test func lagStuckSagasDeadLettersAndAClockThatFellBack() {
        #expect(complaints { $0.status.partitions[0].lag = 255 } == [:])
        #expect(complaints { $0.status.partitions[0].lag = 256 } == ["inbox": .warning])
        #expect(complaints { $0.stuck = 1 } == ["stuck": .warning])
        #expect(complaints { $0.status.partitions[0].dead = 1 } == ["dead-letters": .warning])
        // Whoever may write dead letters chooses what stands in them.
        for at in [Milliseconds.min, -1, 0, .max] {
            let found = complaints { reading in
                reading.status.partitions[0].dead = 1
                reading.newestDead = (at, "x: y")
            }
            #expect(found == ["dead-letters": .warning])
        }
        #expect(complaints { $0.clocks = [Self.now - 5, Self.now + 1_000] } == [:])
        #expect(complaints { $0.clocks = [Self.now + 1_001, 0] } == ["clock-fell-back": .warning])
    }

    @Test func commandsThatNobodyReadsOrFinishes() {
        let now = Self.now
        let cases: [(Queue, [String: Finding.Severity])] = [
            (Queue(service: "pay", partition: 0, undelivered: now - 59_999, pending: now - 299_999), [:]),
            (Queue(service: "pay", partition: 0, undelivered: now - 60_000), ["undelivered": .warning]),
            (Queue(service: "pay", partition: 0, pending: now - 300_000), ["pending": .warning]),
            (Queue(service: "pay", partition: 0, consumers: 0, undelivered: now), ["no-consumers": .warning]),
            (
                Queue(service: "pay", partition: 0, hasGroup: false, consumers: 0, undelivered: now - 60_000),
                ["no-consumers": .warning, "undelivered": .warning]
            ),
            // No command, no need of a consumer.
            (Queue(service: "pay", partition: 0, hasGroup: false, consumers: 0), [:]),
        ]
        for (queue, expected) in cases { #expect(complaints { $0.queues = [queue] } == expected, "\(queue)") }
    }

    @Test func aConsumerThatHoldsCommandsAndIsGone() {
        for (pending, idle, expected): (Int, Milliseconds, [String: Finding.Severity]) in [
            (1, 300_000, ["orphaned": .warning]), (0, 300_000, [:]), (1, 299_999, [:]),
        ] {
            let consumer = NamespaceStatus.Consumer(name: "gone", pending: pending, idle: idle)
            #expect(complaints { $0.status.services[0].consumers.append(consumer) } == expected)
        }
    }

    // MARK: On a real server

    private func examine(_ client: SagaClient) async throws -> [String: Finding] {
        let findings = try await client.examine { 0 }
        return Dictionary(findings.map { ($0.check, $0) }, uniquingKeysWith: { one, _ in one })
    }

    @Test func whatStandsInANamespaceIsFound() async throws {
        try await withFixture { fixture in
            let idle = try await examine(fixture.client)
            #expect(idle["ownership"]?.severity == .warning)
            #expect(idle["oldest-saga"]?.what == "no saga is open")
            #expect(idle["dead-letters"]?.severity == .ok)
            #expect(idle["clock"]?.severity == .warning, "this machine's clock stands at 0")

            try await fixture.client.start(start("o-1"))
            let keys = fixture.namespace.keys
            for command in [
                RedisCommand("XADD", keys.command(1, service: "charge-service"), "1-1", "a", "b"),
                RedisCommand("XADD", keys.command(0, service: "reserve-service"), "1-1", "a", "b"),
                RedisCommand(
                    "XGROUP", "CREATE", keys.command(0, service: "reserve-service"), "reserve-service", "0"),
                RedisCommand(
                    "XREADGROUP", "GROUP", "reserve-service", "c", "STREAMS",
                    keys.command(0, service: "reserve-service"), ">"),
                RedisCommand("ZADD", keys.index(0, .status(.stuck)), "1", "s-1"),
                RedisCommand("ZADD", keys.open(0), "9", "young", "9", "old"),
                RedisCommand("ZADD", keys.index(0, .definition("order")), "1", "ended", "2", "old", "3", "young"),
                RedisCommand("XADD", keys.dead(0), "*", "reason", "older: first", "at", "1"),
                RedisCommand("XADD", keys.dead(1), "*", "reason", "newer: second", "at", "2"),
                RedisCommand("HSET", keys.state(1), "clock", "9999999999999"),
            ] { _ = try await fixture.send(command) }
            let found = try await examine(fixture.client)
            #expect(found["ownership"]?.severity == .danger)
            #expect(found["no-consumers"]?.what.contains("'charge-service'") == true)
            #expect(found["undelivered"]?.what.contains("'charge-service'") == true)
            #expect(found["pending"]?.what.contains("'reserve-service'") == true)
            #expect(found["stuck"]?.what == "1 saga is stuck")
            #expect(found["oldest-saga"]?.what.hasPrefix("2 open sagas; the oldest is 'old', since ") == true)
            #expect(found["dead-letters"]?.what.hasPrefix("2 dead letters, the newest ") == true)
            #expect(found["dead-letters"]?.what.hasSuffix(" ago: newer: second") == true)
            #expect(found["clock-fell-back"]?.severity == .warning)
        }
    }

    @Test func examiningChangesNothing() async throws {
        try await withFixture { fixture in
            let before = try await fixture.keys
            _ = try await examine(fixture.client)
            #expect(try await fixture.keys == before)
            for partition in 0..<2 {
                #expect(
                    try await fixture.send(RedisCommand("XLEN", fixture.namespace.keys.intake(partition))).integer == 0)
            }
        }
    }
}
