import SagaCore
import SagaOrchestrator
import Testing

/// What an operator reads and what `readyz` says, from what befalls those who work on the store.
@Suite struct HealthTests {
    private let health = Health()

    @Test func aTroubleIsToldOnceWhoeverMeetsItAndHoweverOften() {
        var health = health
        var told: [Milliseconds] = []
        func fail(_ part: Health.Part, _ now: Milliseconds) {
            if health.failed(part, "no", now: now) { told.append(now) }
        }
        health.succeeded(.opening, now: 0)
        fail(.lane(1), 10)
        fail(.leases, 11)
        fail(.lane(1), 12)
        fail(.lane(2), 13)
        // One is served again in between: that is no end yet, nor a new begin.
        health.succeeded(.leases, now: 20)
        var ends = [health.end(after: 5, now: 30)]
        fail(.leases, 31)
        for part in [Health.Part.leases, .lane(1), .lane(2)] { health.succeeded(part, now: 40) }
        // Again, soon after.
        fail(.lane(1), 42)
        health.succeeded(.lane(1), now: 43)
        for now in [47, 48, 60] as [Milliseconds] { ends.append(health.end(after: 5, now: now)) }
        #expect(ends == [nil, nil, 32, nil], "not while one fails, nor before it is quiet, nor twice")
        fail(.lane(1), 61)
        #expect(told == [10, 61])
    }

    @Test func aStoreThatRefusesOneForLongIsNotWellThoughItServesOthers() {
        var health = health
        #expect(!health.isWell(within: 100, now: 0))
        health.succeeded(.leases, now: 0)
        #expect(health.isWell(within: 100, now: 99))
        #expect(!health.isWell(within: 100, now: 100), "nothing was heard of it")
        _ = health.failed(.lane(0), "full", now: 100)
        health.succeeded(.leases, now: 150)
        #expect(health.isWell(within: 100, now: 199))
        health.succeeded(.leases, now: 200)
        _ = health.failed(.lane(0), "still full", now: 200)
        #expect(!health.isWell(within: 100, now: 200))
        #expect(health.lastError == "still full")
        health.succeeded(.lane(0), now: 210)
        #expect(health.isWell(within: 100, now: 210) && health.lastError == nil)
    }

    /// A lane whose partitions went elsewhere asks for nothing; that is no answer of the store.
    @Test func whoAsksForNothingIsNotServedNorRefused() {
        var health = health
        health.succeeded(.leases, now: 0)
        _ = health.failed(.lane(0), "no", now: 10)
        health.rests(.lane(0))
        #expect(health.lastContact == 0 && health.lastError == nil)
        #expect(health.isWell(within: 100, now: 99) && !health.isWell(within: 100, now: 100))
    }
}
