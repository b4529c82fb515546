/// The order of dependency of a definition's steps.
struct StepOrder {
    let after: [[Int]]
    let uses: [[Int]]
    /// For each step, the steps that come after it directly.
    let dependents: [[Int]]
    /// Each cycle as a way through it, one step coming after the other, from its first step in the file.
    let cycles: [[Int]]
    /// For each step, whether each other one is before it, directly or not.
    private let predecessors: [[Bool]]

    init(after: [[Int]], uses: [[Int]]) {
        self.after = after
        self.uses = uses
        var dependents = [[Int]](repeating: [], count: after.count)
        for index in after.indices {
            for earlier in after[index] { dependents[earlier].append(index) }
        }
        self.dependents = dependents
        var walk = Walk(after: after, dependents: dependents)
        walk.run()
        cycles = walk.cycles
        predecessors = walk.predecessors
    }

    /// Whether `earlier` comes before `later`, directly or not.
    func isBefore(_ earlier: Int, _ later: Int) -> Bool { predecessors[later][earlier] }

    /// Visits each step after those that it comes after (Kahn's algorithm). Where that gets stuck there is a cycle:
    /// it is noted and its steps are visited as they are, so that further cycles are found as well.
    private struct Walk {
        let after: [[Int]]
        let dependents: [[Int]]
        var open: [Int]
        var isVisited: [Bool]
        var predecessors: [[Bool]]
        var cycles: [[Int]] = []

        init(after: [[Int]], dependents: [[Int]]) {
            self.after = after
            self.dependents = dependents
            open = after.map(\.count)
            isVisited = after.map { _ in false }
            predecessors = after.map { _ in after.map { _ in false } }
        }

        mutating func run() {
            var ready = after.indices.filter { open[$0] == 0 }
            while true {
                while let step = ready.popLast() { ready += visit(step) }
                guard let stuck = isVisited.firstIndex(of: false) else { return }
                let cycle = cycle(before: stuck)
                cycles.append(cycle)
                for step in cycle { ready += visit(step) }
            }
        }

        /// Marks a step and returns those that wait for nothing more.
        private mutating func visit(_ step: Int) -> [Int] {
            guard !isVisited[step] else { return [] }
            isVisited[step] = true
            for earlier in after[step] {
                predecessors[step][earlier] = true
                for further in after.indices where predecessors[earlier][further] { predecessors[step][further] = true }
            }
            for dependent in dependents[step] { open[dependent] -= 1 }
            return dependents[step].filter { open[$0] == 0 && !isVisited[$0] }
        }

        /// Goes back from a step that waits, always to one that waits too, until the way meets itself.
        private func cycle(before start: Int) -> [Int] {
            var way = [start]
            while true {
                // A step that waits has an unvisited one before it, else it would be ready.
                guard let earlier = after[way[way.count - 1]].first(where: { !isVisited[$0] }) else { return way }
                if let meeting = way.firstIndex(of: earlier) {
                    let cycle = Array(way[meeting...].reversed())
                    let first = cycle.indices.min { cycle[$0] < cycle[$1] } ?? 0
                    return Array(cycle[first...] + cycle[..<first])
                }
                way.append(earlier)
            }
        }
    }
}
