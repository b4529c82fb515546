import SagaCore
import SagaOrchestrator
import SagaStore
import Testing

@Suite("Placement")
struct PlacementTests {
    private let pace = PlacementPace(lease: 3_000)

    private func member(
        _ instance: String, _ held: Int, leaving: Bool = false, offer: Int? = nil, age: Milliseconds = 0
    ) -> Member {
        Member(
            Heartbeat(
                instance: instance, name: "n", phase: leaving ? .leaving : .present, lease: 3_000, held: held,
                offer: offer), age: age)
    }

    private func free(_ partitions: some Sequence<Int>, of holder: String = "") -> [Int: String] {
        Dictionary(uniqueKeysWithValues: partitions.map { ($0, holder) })
    }

    private func placement(_ instance: String = "b", of count: Int = 16) -> Placement {
        Placement(instance: instance, partitionCount: count, pace: pace)
    }

    /// What is taken at first sight.
    @Test func freePartitionsAreTakenUpToTheShare() {
        let cases: [(members: [Member], held: Set<Int>, free: [Int: String], take: [Int])] = [
            // Alone: everything.
            ([], [], free(0..<16), Array(0..<16)),
            // Others are there to take theirs, and take others.
            ([member("a", 0)], [], free(0..<16), Array(8..<16)),
            ([member("c", 0)], [], free(0..<16), Array(0..<8)),
            ([member("a", 0), member("c", 0)], [], free(0..<16), Array(6..<11)),
            ([member("a", 8)], [0], free(9..<16), Array(9..<16)),
            // At its share.
            ([member("a", 0)], Set(0..<8), free(8..<16), []),
            // Who leaves takes nothing.
            ([member("a", 0, leaving: true)], [], free(0..<16), Array(0..<16)),
            // A dead one's lease ran out, although its heartbeat still counts.
            ([member("a", 8)], Set(0..<8), free(8..<16, of: "a"), Array(8..<16)),
            ([member("a", 5), member("c", 5)], Set(0..<6), free(6..<11, of: "a"), [6, 7]),
        ]
        for (place, one) in cases.enumerated() {
            var placement = placement()
            let decision = placement.decide(.init(members: one.members, held: one.held, free: one.free), now: 0)
            #expect(decision.take == one.take, "case \(place)")
            #expect(decision.giveUp == nil && decision.isRestless)
        }
    }

    @Test func whatNobodyTookInTimeIsAnybodys() {
        var placement = placement()
        let view = Placement.View(members: [member("a", 0)], held: Set(0..<8), free: free(8..<16))
        #expect(placement.decide(view, now: 0).take == [])
        #expect(placement.decide(view, now: pace.grace - 1).take == [])
        #expect(placement.decide(view, now: pace.grace).take == Array(8..<16))
        // The time counts anew for one that was held in between.
        var other = view
        other.free[8] = nil
        _ = placement.decide(other, now: pace.grace)
        #expect(placement.decide(view, now: pace.grace + 1).take == Array(9..<16))
        // Who leaves leaves it to others.
        other.isLeaving = true
        #expect(placement.decide(other, now: pace.grace * 3).take == [])
    }

    @Test func oneAtATimeIsGivenUp() {
        var placement = placement("a")
        let newcomer = member("b", 0)
        var view = Placement.View(members: [newcomer], held: Set(0..<16))
        #expect(placement.decide(view, now: 0).giveUp == 15)
        #expect(placement.move?.partition == 15)
        #expect(placement.decide(view, now: 50).giveUp == nil, "its lane is still at it")
        view.held.remove(15)
        view.free = [15: ""]
        #expect(placement.decide(view, now: 60) == .init(take: [], giveUp: nil, isRestless: true))
        // Taken.
        view.free = [:]
        #expect(placement.decide(view, now: 70).giveUp == nil, "not faster than the interval")
        #expect(placement.decide(view, now: pace.moveInterval).giveUp == 14)
    }

    @Test func nothingIsGivenUpToWhoIsNotAwake() {
        for (members, isGiven) in [
            ([member("b", 0, age: pace.alertness)], true), ([member("b", 0, age: pace.alertness + 1)], false),
            ([member("b", 0, leaving: true)], false), ([member("b", 8)], false), ([], false),
        ] {
            var placement = placement("a")
            let decision = placement.decide(.init(members: members, held: Set(0..<16)), now: 0)
            #expect((decision.giveUp != nil) == isGiven)
        }
    }

    @Test func nothingIsGivenUpWhileOthersAreFree() {
        var placement = placement("a", of: 17)
        #expect(
            placement.decide(.init(members: [member("b", 0)], held: Set(0..<16), free: free([16])), now: 0).giveUp
                == nil)
    }

    @Test func whatNobodyTakesIsNotGivenUpAgainSoon() {
        var placement = placement("a")
        var view = Placement.View(members: [member("b", 0)], held: Set(0..<16))
        #expect(placement.decide(view, now: 0).giveUp == 15)
        view.held.remove(15)
        view.free = [15: ""]
        #expect(placement.decide(view, now: 10).take == [])
        #expect(placement.decide(view, now: 10 + pace.grace).take == [15], "rather than leaving it without owner")
        (view.held, view.free) = (Set(0..<16), [:])
        #expect(placement.decide(view, now: pace.patience - 1).giveUp == nil)
        #expect(placement.decide(view, now: pace.patience).giveUp == nil)
        #expect(placement.decide(view, now: pace.patience * 2 - 1).giveUp == nil)
        #expect(placement.decide(view, now: pace.patience * 2).giveUp == 15)
    }

    @Test func whoLeavesGivesAllUpWithoutPauses() {
        var placement = placement("a")
        var view = Placement.View(members: [member("b", 14)], held: [3, 5], isLeaving: true)
        #expect(placement.decide(view, now: 0).giveUp == 5)
        view.held = [3]
        #expect(placement.decide(view, now: 10).giveUp == 3)
        view.held = []
        #expect(placement.decide(view, now: 20).giveUp == nil)
    }

    @Test func whoIsBalancedRests() {
        for (held, others, isRestless) in [
            (6, [5, 5], false), (5, [6, 5], false), (5, [5, 6], false), (6, [6, 4], true), (5, [5, 5], true),
        ] {
            var placement = placement("b")
            let members = [member("a", others[0]), member("c", others[1])]
            let decision = placement.decide(.init(members: members, held: Set(0..<held)), now: 0)
            #expect(decision.isRestless == isRestless, "\(held) \(others)")
        }
        var placement = placement("b")
        let offered = placement.decide(
            .init(members: [member("a", 8, offer: 3)], held: Set(0..<8)), now: 0)
        #expect(offered.isRestless)
    }

    /// Such as beside orchestrators of a version that sends no heartbeats.
    @Test func whatStaysOutOfBalanceIsNotWatchedForEver() {
        var placement = placement("b")
        let view = Placement.View(members: [member("a", 4)], held: Set(0..<4))
        #expect(placement.decide(view, now: 1_000).isRestless)
        #expect(placement.decide(view, now: 1_000 + pace.unrest).isRestless)
        #expect(!placement.decide(view, now: 1_001 + pace.unrest).isRestless)
        var other = view
        other.members = [member("a", 5, age: 9)]
        #expect(placement.decide(other, now: 1_002 + pace.unrest).isRestless)
    }
}
