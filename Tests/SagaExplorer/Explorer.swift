/// Visits every situation that a model can come to, nearest first, and looks for one that breaks a rule.
///
/// The situations that wait are bytes, those that were visited are hashes of 128 bits with the way to them, so memory
/// is bounded by `limit`. A level's situations are worked on by all cores.
package struct Explorer: Sendable {
    package struct Finding: Sendable {
        package let reason: String
        /// What happened, from the start on.
        package let trace: [String]
        package let steps: Int
    }

    package struct Outcome: Sendable {
        package var states = 0
        package var transitions = 0
        /// The longest way to a situation that is not nearer by another.
        package var depth = 0
        /// Whether the limit ended it.
        package var isCut = false
        package var finding: Finding?
        package var time = Duration.zero
    }

    let family: Family
    private let limit: Int
    private let workers: Int

    /// - Parameter limit: The most situations to visit.
    package init(_ model: ExploredModel, limit: Int = 4_000_000, workers: Int = 2) {
        family = Family(model)
        self.limit = limit
        self.workers = workers
    }

    /// Ends with the first violation, which is one that a shortest way leads to.
    package func run() async -> Outcome {
        let start = ContinuousClock.now
        var outcome = Outcome()
        var atlas = Atlas()
        let beginning = Situation(family).imprint(in: family)
        atlas.add(StateHash(beginning), from: nil, by: Move(.start))
        var level = [Waiting(bytes: beginning, number: 0)]
        while !level.isEmpty, outcome.finding == nil, !outcome.isCut {
            outcome.depth += 1
            level = await visit(level, &atlas, &outcome)
        }
        outcome.states = atlas.count
        outcome.time = ContinuousClock.now - start
        return outcome
    }

    /// Looks at all situations of a level, and returns those of the next.
    private func visit(_ level: [Waiting], _ atlas: inout Atlas, _ outcome: inout Outcome) async -> [Waiting] {
        var next: [Waiting] = []
        // In parts, as not all that a level leads to is new: it is known only when it is put together.
        for start in stride(from: 0, to: level.count, by: Self.part) {
            let part = level[start..<min(start + Self.part, level.count)]
            for work in await expand(part, atlas) {
                outcome.transitions += work.transitions
                for successor in work.successors {
                    guard atlas.add(successor.hash, from: successor.origin, by: successor.move) else { continue }
                    next.append(Waiting(bytes: successor.bytes, number: atlas.count - 1))
                }
                guard let violation = work.violation, outcome.finding == nil else { continue }
                let moves = atlas.way(to: violation.origin) + (violation.move.map { [$0] } ?? [])
                outcome.finding = Finding(
                    reason: violation.reason, trace: Narrator(family).tell(moves), steps: moves.count)
            }
            outcome.isCut = atlas.count >= limit
            if outcome.finding != nil || outcome.isCut { break }
        }
        return next
    }

    private static let part = 16_384

    private func expand(_ part: ArraySlice<Waiting>, _ atlas: Atlas) async -> [Work] {
        let size = (part.count + workers - 1) / workers
        let bounds = stride(from: part.startIndex, to: part.endIndex, by: size)
        return await withTaskGroup(of: (Int, Work).self) { group in
            for start in bounds {
                let share = part[start..<min(start + size, part.endIndex)]
                group.addTask { (start, Work(share, family, atlas)) }
            }
            // In their order, so that every run finds the same.
            var works: [(Int, Work)] = []
            for await work in group { works.append(work) }
            return works.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }
}

/// A situation that is to be looked at.
struct Waiting: Sendable {
    let bytes: [UInt8]
    let number: Int
}

/// The situations that were visited, and how each was come to.
struct Atlas: Sendable {
    private var numbers: Set<StateHash> = []
    private var origins: [UInt32] = []
    private var moves: [Move] = []

    var count: Int { moves.count }

    func contains(_ hash: StateHash) -> Bool { numbers.contains(hash) }

    /// Returns whether it is new.
    @discardableResult
    mutating func add(_ hash: StateHash, from origin: Int?, by move: Move) -> Bool {
        guard numbers.insert(hash).inserted else { return false }
        origins.append(UInt32(origin ?? 0))
        moves.append(move)
        return true
    }

    /// The moves from the beginning.
    func way(to number: Int) -> [Move] {
        var (way, number) = ([Move](), number)
        while number != 0 {
            way.append(moves[number])
            number = Int(origins[number])
        }
        return way.reversed()
    }
}
