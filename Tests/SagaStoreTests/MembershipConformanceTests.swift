import SagaCore
import SagaStore
import SagaTesting
import Testing

@Suite("Membership, on both stores")
struct MembershipConformanceTests {
    private func heartbeat(
        _ instance: String, _ phase: Heartbeat.Phase = .present, name: String = "ann", lease: Milliseconds = 60_000
    ) -> Heartbeat {
        Heartbeat(instance: instance, name: name, phase: phase, lease: lease, held: 3, offer: 7)
    }

    @Test(arguments: StoreKind.allCases)
    func membersHearOfEachOther(on kind: StoreKind) async throws {
        try await withNamespace(on: kind) { namespace in
            let store = namespace.store
            #expect(try await store.beat(heartbeat("i1", .joining)).map(\.heartbeat) == [heartbeat("i1", .joining)])
            let members = try await store.beat(heartbeat("i2", .leaving, name: "b ob"))
            #expect(
                members.map(\.heartbeat) == [heartbeat("i1", .joining), heartbeat("i2", .leaving, name: "b ob")])
            #expect(members.map(\.isStaying) == [true, false])
            #expect(members.allSatisfy { (0..<20_000).contains($0.age) })
            var quiet = heartbeat("i1")
            quiet.offer = nil
            #expect(try await store.beat(quiet).first?.heartbeat == quiet)
            #expect(try await store.beat(heartbeat("i2", .gone)).map(\.instance) == ["i1"])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func oneThatIsSilentForALeaseDoesNotCount(on kind: StoreKind) async throws {
        try await withNamespace(on: kind) { namespace in
            let store = namespace.store
            _ = try await store.beat(heartbeat("i1", lease: 30))
            try await eventually("it is missed") { try await store.beat(heartbeat("i2")).map(\.instance) == ["i2"] }
            // It is back with its next heartbeat.
            #expect(try await store.beat(heartbeat("i1")).map(\.instance) == ["i1", "i2"])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aNameThatJoinsAnewReplacesItsFormerInstance(on kind: StoreKind) async throws {
        try await withNamespace(on: kind) { namespace in
            let store = namespace.store
            _ = try await store.beat(heartbeat("i1", .joining))
            _ = try await store.beat(heartbeat("i2", .joining, name: "bob"))
            #expect(try await store.beat(heartbeat("i3", .joining)).map(\.instance) == ["i2", "i3"])
            // It ran all the while.
            #expect(try await store.beat(heartbeat("i1")).map(\.instance) == ["i1", "i2", "i3"])
            #expect(try await store.beat(heartbeat("i3")).map(\.instance) == ["i1", "i2", "i3"])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aPartitionIsLookedAtWithoutBeingTaken(on kind: StoreKind) async throws {
        try await withNamespace(on: kind) { namespace in
            let session = namespace.store.session()
            #expect(try await session.look(at: 0) == .free)
            let claim = Claim(owner: "o1", name: "ann", instance: "i1", lease: 60)
            _ = try await session.mustTake(as: claim)
            guard case .held(let holder) = try await session.take(0, as: claim, stale: nil) else { throw NotTaken() }
            #expect(holder.name == "ann" && holder.instance == "i1" && holder.lease == 60)
            try await eventually("its lease runs out") { try await session.look(at: 0) == .expired(holder) }
            #expect(try await session.renew(0, as: claim) == .renewed(mayBeRewound: false))
            guard case .held(let later) = try await session.look(at: 0) else { throw NotTaken() }
            #expect(later.mark != holder.mark)
            try await session.release(0, as: claim)
            #expect(try await session.look(at: 0) == .free)
            #expect(try await session.look(at: 1) == .free)
            await session.close()
        }
    }

    @Test func sharesDifferByOneAndWhoHasMoreKeepsIt() {
        func members(_ held: [String: Int], leaving: Set<String> = []) -> [Member] {
            held.map { instance, held in
                Member(
                    Heartbeat(
                        instance: instance, name: "n", phase: leaving.contains(instance) ? .leaving : .present,
                        lease: 1, held: held), age: 0)
            }
        }
        #expect([Member]().shares(of: 16) == [:])
        #expect(members(["a": 16, "b": 0]).shares(of: 16) == ["a": 8, "b": 8])
        #expect(members(["a": 0, "b": 0, "c": 16]).shares(of: 16) == ["a": 5, "b": 5, "c": 6])
        #expect(members(["a": 5, "b": 6, "c": 5]).shares(of: 16) == ["a": 5, "b": 6, "c": 5])
        #expect(members(["a": 5, "b": 5, "c": 6], leaving: ["c"]).shares(of: 16) == ["a": 8, "b": 8])
        #expect(members(["a": 1, "b": 1, "c": 0]).shares(of: 2) == ["a": 1, "b": 1, "c": 0])
    }
}
