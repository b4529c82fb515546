import LocalRedis
import RedisTransport
import SagaClient
import SagaCore
import SagaRedis
import SagaStore
import SagaTesting
import SagaWire
import Testing

@Suite struct ListingTests {
    /// Pages through a whole list; what lies between two pages is done in between.
    private func walk(
        _ client: SagaClient, _ filter: SagaFilter = SagaFilter(), by limit: Int, between: () async throws -> Void = {}
    ) async throws -> [SagaSummary] {
        var (sagas, cursor, pages) = ([SagaSummary](), SagaCursor?.none, 0)
        repeat {
            let page = try await client.list(filter, after: cursor, limit: limit)
            #expect(page.sagas.count == limit || page.next == nil)
            sagas += page.sagas
            // As text, as people carry it from one call to the next.
            cursor = try page.next.map { try #require(SagaCursor($0.description)) }
            pages += 1
            try #require(pages < 2_000, "it never ends")
            try await between()
        } while cursor != nil
        return sagas
    }

    /// What a list must be: all sagas, one by one.
    private func expected(_ sagas: [String], _ client: SagaClient, _ filter: SagaFilter) async throws -> [SagaSummary] {
        var found: [Saga] = []
        for id in sagas {
            guard let saga = try await client.saga(id)?.saga else { continue }
            let matches =
                (filter.status.map { $0 == saga.status } ?? true)
                && (filter.definition.map { $0 == saga.definition.name } ?? true)
                && filter.labels.allSatisfy { saga.started.labels[$0.key] == $0.value }
                && (filter.since.map { saga.startedAt >= $0 } ?? true)
                && (filter.until.map { saga.startedAt < $0 } ?? true)
            if matches { found.append(saga) }
        }
        return found.sorted { ($0.startedAt, $0.id) > ($1.startedAt, $1.id) }.map { saga in
            SagaSummary(
                id: saga.id, definition: saga.definition.name, version: saga.definition.version, status: saga.status,
                startedAt: saga.startedAt, finishedAt: saga.finishedAt)
        }
    }

    /// 200 sagas of two definitions, of every status, in three partitions.
    private func populate(_ fixture: Fixture) async throws -> [String] {
        let client = fixture.client
        try await fixture.scenario.register(waiting)
        var sagas: [String] = []
        for round in 0..<4 {
            var messages: [StartMessage] = []
            for number in 0..<50 {
                let kind = ["good", "bad", "stuck", "wait", "later"][number % 5]
                var message = start("\(kind)-\(round)-\(number)", number % 5 == 3 ? "waiting" : "order")
                if kind == "later" { message.at = 16_000_000_000_000 }
                message.labels = ["round": "\(round)", "tier": number % 3 == 0 ? "gold {1}" : ""]
                messages.append(message)
            }
            try await client.start(messages)
            sagas += messages.map(\.saga)
            try await eventually("a round is done") {
                for saga in messages.map(\.saga) {
                    guard let status = try await client.saga(saga)?.saga.status else { return false }
                    switch saga.prefix(3) {
                    case "goo" where status != .completed, "bad" where status != .compensated: return false
                    case "stu" where status != .stuck: return false
                    default: continue
                    }
                }
                return true
            }
        }
        return sagas
    }

    @Test func eachFilterAndAllOfThemTogetherFindWhatMatchesNewestFirst() async throws {
        try await withFixture(partitions: 3) { fixture in
            try await fixture.scenario.run {
                let client = fixture.client
                let sagas = try await populate(fixture)
                let all = try await expected(sagas, client, SagaFilter())
                #expect(all.count == sagas.count)
                let (early, late) = (all[150].startedAt, all[40].startedAt)
                var filters = [
                    SagaFilter(), SagaFilter(definition: "order"), SagaFilter(definition: "waiting"),
                    SagaFilter(definition: "unknown"), SagaFilter(labels: ["round": "2"]),
                    SagaFilter(labels: ["round": "1", "tier": "gold {1}"]), SagaFilter(labels: ["tier": ""]),
                    SagaFilter(labels: ["tier": "gold"]), SagaFilter(since: early), SagaFilter(until: late),
                    SagaFilter(since: early, until: late), SagaFilter(since: late, until: early),
                    SagaFilter(status: .running, definition: "order"),
                    SagaFilter(status: .stuck, definition: "order", labels: ["round": "3", "tier": ""], since: early),
                    SagaFilter(status: .running, labels: ["tier": "gold {1}"], until: late),
                ]
                for status in Saga.Status.allCases {
                    filters.append(SagaFilter(status: status))
                    filters.append(SagaFilter(status: status, definition: "waiting", since: early))
                    filters.append(SagaFilter(status: status, labels: ["round": "0"]))
                }
                for filter in filters {
                    let matching = try await expected(sagas, client, filter)
                    for limit in [7, 1_000] {
                        #expect(try await walk(client, filter, by: limit) == matching, "\(filter) by \(limit)")
                    }
                }
                #expect(try await client.list(limit: 0) == SagaPage(sagas: [], next: nil))
                // It would be another label's index.
                let odd = SagaFilter(labels: ["tier=": ""])
                let failure = await error { () async throws(ClientError) in try await client.list(odd) }
                #expect(failure == .refused("'tier=' is no label's name"))
                let page = try await client.list(limit: all.count)
                #expect(page.sagas == all && page.next == nil, "a page that holds all is the last one")
                let order = KeySpace(namespace: "test", partitions: 3).index(0, .definition("order"))
                #expect(try await fixture.keys.contains(order))
            }
        }
    }

    /// Writes sagas that an orchestrator would have written, all at chosen instants.
    private func write(_ sagas: [(id: String, startedAt: Milliseconds)], _ fixture: Fixture) async throws {
        let keys = fixture.namespace.keys
        for (id, startedAt) in sagas {
            let partition = keys.partition(of: id)
            let started = Started(definition: "order", version: 1, era: 1)
            var push = RedisCommand("RPUSH", keys.log(partition, saga: id))
            push.append(LogCodec.encode(LogEntry(index: 0, at: startedAt, fact: .started(started))))
            _ = try await fixture.send(push)
            let index = keys.index(partition, .definition("order"))
            _ = try await fixture.send(RedisCommand("ZADD", index, "\(startedAt)", id))
        }
    }

    @Test(arguments: [1, 10, 64, 700])
    func sagasOfOneMillisecondAreAPageLikeAnyOther(_ limit: Int) async throws {
        try await withFixture(partitions: 3) { fixture in
            let sagas = (0..<600).map {
                (id: "s\($0)", startedAt: Milliseconds($0 < 500 ? 1_000 : 900 + Int64($0 % 3)))
            }
            try await write(sagas, fixture)
            let ordered = sagas.sorted { ($0.startedAt, $0.id) > ($1.startedAt, $1.id) }.map(\.id)
            let client = fixture.client
            let found = try await walk(client, by: limit)
            #expect(found.map(\.id) == ordered)
            // Neither open nor in the index of a status: it can only have completed.
            #expect(found.allSatisfy { $0.status == .completed && $0.finishedAt == $0.startedAt })
            let peers = try await walk(client, SagaFilter(since: 1_000, until: 1_001), by: limit)
            #expect(peers.map(\.id) == ordered.filter { id in sagas.contains { $0.id == id && $0.startedAt == 1_000 } })
        }
    }

    /// Whatever starts, ends or is removed between two pages: what was there all the while is shown once.
    @Test(arguments: [SagaFilter(), SagaFilter(definition: "order"), SagaFilter(labels: ["a": "b"])])
    func pagesAreStableWhileSagasComeAndGo(_ filter: SagaFilter) async throws {
        try await withFixture(partitions: 2) { fixture in
            let keys = fixture.namespace.keys
            let sagas = (0..<400).map { (id: "s\($0)", startedAt: Milliseconds(1_000 + Int64($0 / 150))) }
            try await write(sagas, fixture)
            func index(_ id: String) -> (String, String) {
                let partition = keys.partition(of: id)
                return (
                    keys.index(partition, .definition("order")), keys.index(partition, .label(name: "a", value: "b"))
                )
            }
            for saga in sagas {
                _ = try await fixture.send(RedisCommand("ZADD", index(saga.id).1, "\(saga.startedAt)", saga.id))
            }
            var gone: Set<String> = []
            var number = 0
            let found = try await walk(fixture.client, filter, by: 20) {
                number += 1
                // One that came before in its millisecond, one that comes later, and a new one.
                for id in ["s\(number * 7 % 400)", "s\(399 - number)"] where gone.insert(id).inserted {
                    let (definition, label) = index(id)
                    for key in [definition, label] { _ = try await fixture.send(RedisCommand("ZREM", key, id)) }
                    _ = try await fixture.send(RedisCommand("DEL", keys.log(keys.partition(of: id), saga: id)))
                }
                let id = "t\(number)"
                try await write([(id, 1_001)], fixture)
                _ = try await fixture.send(RedisCommand("ZADD", index(id).1, "1001", id))
            }
            let ids = found.map(\.id)
            #expect(Set(ids).count == ids.count, "none twice")
            let ordered = found.map { ($0.startedAt, $0.id) }
            #expect(zip(ordered, ordered.dropFirst()).allSatisfy { $0 > $1 })
            #expect(Set(sagas.map(\.id)).subtracting(gone).isSubset(of: ids), "none is missed")
        }
    }

    @Test func aSagaThatIsRemovedIsListedNoMoreAndLookedUpAsATombstone() async throws {
        try await withFixture { fixture in
            let client = fixture.client
            try await fixture.scenario.run {
                for saga in ["good", "bad"] { _ = try await client.startAndWait(start(saga), timeout: .seconds(30)) }
            }
            try await fixture.namespace.hastenRemovals()
            try await fixture.scenario.run {
                try await eventually("they are removed") { try await fixture.scenario.endedCount() == 0 }
                for (saga, status) in [("good", Saga.Status.completed), ("bad", .compensated)] {
                    guard case .removed(let tombstone) = try await client.lookUp(saga) else {
                        Issue.record("no tombstone of \(saga)")
                        continue
                    }
                    #expect(tombstone.status == status && tombstone.definition == "order")
                    #expect(try await client.saga(saga) == nil)
                    // A tombstone that an index still names is no saga.
                    let partition = fixture.scenario.partition(of: saga)
                    let index = fixture.namespace.keys.index(partition, .definition("order"))
                    _ = try await fixture.send(RedisCommand("ZADD", index, "5", saga))
                }
                #expect(try await client.list() == SagaPage(sagas: [], next: nil))
                if case .absent = try await client.lookUp("nobody") {} else { Issue.record("somebody is there") }
            }
        }
    }

    @Test func aCursorIsReadBackAndNothingElseIsOne() async throws {
        try await withFixture { fixture in
            try await write([("a-b/c@d", 5), ("x", 6)], fixture)
            let next = try #require(try await fixture.client.list(limit: 1).next)
            #expect(SagaCursor("\(next)") == next)
            let rest = try await fixture.client.list(after: next)
            #expect(rest.sagas.map(\.id) == ["a-b/c@d"] && rest.next == nil)
            for text in ["", "-", "5", "5-", "-5-a", "x-a", "5-a b", "5-{a}", "99999999999999999999-a"] {
                #expect(SagaCursor(text) == nil, "'\(text)'")
            }
        }
    }
}
