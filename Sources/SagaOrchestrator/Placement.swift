package import SagaCore
package import SagaStore

/// Which partitions an orchestrator takes and which it gives up, so that all members hold as many.
///
/// A plain value that is asked several times a second, and knows the world as the caller last saw it. Every member decides
/// for itself, on a view of its own that may be stale; what two of them decide differently costs a move, and is settled by
/// the store, where a partition is taken by one.
package struct Placement: Sendable {
    /// What the caller sees.
    package struct View: Sendable, Equatable {
        /// Who runs, by their last heartbeats; whether the caller is among them doesn't matter.
        package var members: [Member]
        /// Partitions that are held here.
        package var held: Set<Int>
        /// Partitions that nobody holds, and whose holder is dead; with that holder's instance, else an empty text.
        package var free: [Int: String]
        /// Whether the caller hands all of its partitions over.
        package var isLeaving: Bool

        package init(
            members: [Member] = [], held: Set<Int> = [], free: [Int: String] = [:], isLeaving: Bool = false
        ) {
            self.members = members
            self.held = held
            self.free = free
            self.isLeaving = isLeaving
        }
    }

    package struct Decision: Sendable, Equatable {
        /// Partitions to be taken, if they are still free.
        package var take: [Int] = []
        /// A partition to be given up.
        package var giveUp: Int?
        /// Whether something is about to move, so that a short look around has to follow.
        package var isRestless = false

        package init(take: [Int] = [], giveUp: Int? = nil, isRestless: Bool = false) {
            self.take = take
            self.giveUp = giveUp
            self.isRestless = isRestless
        }
    }

    /// A partition on its way to somebody else: one at a time.
    package struct Move: Sendable, Equatable {
        package var partition: Int
        package var since: Milliseconds
    }

    let instance: String
    let partitionCount: Int
    let pace: PlacementPace
    package private(set) var move: Move?
    private var freeSince: [Int: Milliseconds] = [:]
    private var nextMove = Milliseconds.min
    private var lastView = View()
    private var lastChange = Milliseconds.min

    package init(instance: String, partitionCount: Int, pace: PlacementPace) {
        self.instance = instance
        self.partitionCount = partitionCount
        self.pace = pace
    }

    /// - Parameter now: A clock that never jumps.
    package mutating func decide(_ view: View, now: Milliseconds) -> Decision {
        freeSince = view.free.mapValues { _ in now }.merging(freeSince) { now, since in
            min(now, since)
        }.filter { view.free[$0.key] != nil }
        noteMove(view, now: now)
        let members = self.members(view)
        let shares = members.shares(of: partitionCount)
        var decision = Decision()
        if !view.isLeaving {
            let due = due(of: view, members, shares)
            decision.take = due + overdue(now: now).filter { !due.contains($0) }
        }
        if move == nil, now >= nextMove, let partition = excess(of: view, members, shares) {
            decision.giveUp = partition
            move = Move(partition: partition, since: now)
        }
        decision.isRestless = isRestless(view, members, shares, now: now)
        return decision
    }

    /// Everybody who can hold partitions, the caller with what it holds now. A member whose lease on a partition has run
    /// out is dead, although its heartbeat may still count for a moment.
    private func members(_ view: View) -> [Member] {
        let dead = Set(view.free.values)
        let own = Heartbeat(
            instance: instance, name: "", phase: view.isLeaving ? .leaving : .present, lease: 0, held: view.held.count)
        return view.members.filter { $0.instance != instance && !dead.contains($0.instance) } + [Member(own, age: 0)]
    }

    // MARK: Taking

    /// What falls to the caller of the free partitions: as many as it lacks, and others than the other members take.
    private func due(of view: View, _ members: [Member], _ shares: [String: Int]) -> [Int] {
        var free = view.free.keys.filter { $0 != move?.partition }.sorted()[...]
        for member in members.filter(\.isStaying).sorted(by: { $0.instance < $1.instance }) {
            let part = free.prefix(max(0, (shares[member.instance] ?? 0) - member.held))
            if member.instance == instance { return Array(part) }
            free = free.dropFirst(part.count)
        }
        return []
    }

    /// Nothing stays without an owner: what nobody took in time is anybody's.
    private func overdue(now: Milliseconds) -> [Int] {
        freeSince.filter { now - $0.value >= pace.grace }.keys.sorted()
    }

    // MARK: Giving up

    private mutating func noteMove(_ view: View, now: Milliseconds) {
        guard let move else { return }
        let isUnderWay = view.held.contains(move.partition) || view.free[move.partition] != nil
        guard isUnderWay else {
            nextMove = view.isLeaving ? now : max(now, move.since + pace.moveInterval)
            self.move = nil
            return
        }
        guard now - move.since >= pace.patience else { return }
        // Nobody wants it.
        nextMove = now + pace.patience
        self.move = nil
    }

    /// A partition that the caller holds beyond its share, where somebody who lacks one is awake to take it at once.
    private func excess(of view: View, _ members: [Member], _ shares: [String: Int]) -> Int? {
        guard view.held.count > (shares[instance] ?? 0), view.isLeaving || view.free.isEmpty else { return nil }
        let isAwaited = members.contains { member in
            member.instance != instance && member.age <= pace.alertness && member.held < shares[member.instance] ?? 0
        }
        return isAwaited ? view.held.max() : nil
    }

    // MARK: Rest

    private mutating func isRestless(
        _ view: View, _ members: [Member], _ shares: [String: Int], now: Milliseconds
    ) -> Bool {
        if view.isSettledAs(lastView) {
            // What stays out of balance for long, such as beside an orchestrator that sends no heartbeats, isn't watched.
            if lastChange != .min, now - lastChange > pace.unrest { return view.isLeaving || move != nil }
        } else {
            (lastView, lastChange) = (view, now)
        }
        return view.isLeaving || move != nil || !view.free.isEmpty
            || members.contains { $0.heartbeat.offer != nil || $0.held != shares[$0.instance] ?? 0 }
    }
}

extension Placement.View {
    /// Whether nothing has moved, whatever the heartbeats' ages are.
    fileprivate func isSettledAs(_ other: Self) -> Bool {
        held == other.held && free == other.free && isLeaving == other.isLeaving
            && members.map(\.heartbeat) == other.members.map(\.heartbeat)
    }
}

/// The times of a ``Placement``, and of those who carry it out.
package struct PlacementPace: Sendable, Hashable {
    /// Time between two rounds over all partitions, and between two heartbeats: a crashed owner's partition is found
    /// free soon after its lease has run out.
    package var round: Milliseconds
    /// The same while something is about to move.
    package var glance: Milliseconds
    /// Age of a heartbeat up to which its sender is taken to look around at each glance.
    package var alertness: Milliseconds
    /// How long a free partition waits for whom it falls to.
    package var grace: Milliseconds
    /// How long a partition that is given up is waited for.
    package var patience: Milliseconds
    /// Least time from one partition that is given up to the next.
    package var moveInterval: Milliseconds
    /// How long glances go on where nothing changes any more.
    package var unrest: Milliseconds
    /// Longest time that a leaving orchestrator gives partitions up one by one.
    package var farewell: Milliseconds

    package init(lease: Milliseconds) {
        round = max(20, lease / 5)
        glance = min(50, max(10, lease / 60))
        alertness = max(150, glance * 6)
        grace = lease * 3 / 10
        patience = lease
        moveInterval = glance * 2
        unrest = lease * 2
        farewell = lease * 2
    }
}
