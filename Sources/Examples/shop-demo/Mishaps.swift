import ShopStage

/// What goes wrong on the way, and when: at a part of all orders ended, a process is killed (SIGKILL); it is started
/// again after a while.
struct Mishaps {
    private struct Mishap {
        var part: Double
        var process: ShopProcess
        var absence: Duration
        var isDone = false
    }

    private var planned: [Mishap]
    private var absent: [(process: ShopProcess, until: ContinuousClock.Instant)] = []

    init(on stage: Stage) {
        planned = [
            // Its orders are taken over by the other instance.
            Mishap(part: 0.15, process: stage.inventory[0], absence: .seconds(5)),
            // The only one of its kind: its commands wait for it.
            Mishap(part: 0.35, process: stage.payments[0], absence: .seconds(1)),
            // Its partitions are taken over when their lease has run out, here by its own successor.
            Mishap(part: 0.6, process: stage.orchestrators[0], absence: .seconds(1)),
        ]
    }

    /// Whether everything happened that was planned.
    var areOver: Bool { planned.allSatisfy(\.isDone) && absent.isEmpty }

    /// How many orders may be placed by now: while one mishap is under way, not so many that the next one would come
    /// when everything has ended.
    func limit(of all: Int) -> Int {
        guard !absent.isEmpty, let next = planned.first(where: { !$0.isDone }) else { return all }
        return Int(next.part * Double(all)) - 1
    }

    func isAway(_ process: ShopProcess) -> Bool { absent.contains { $0.process === process } }

    /// Kills what is to be killed by now, starts what is to come back, and says so.
    mutating func happen(ended: Int, of all: Int, _ progress: inout ProgressLine) throws {
        let now = ContinuousClock.now
        for (process, until) in absent where until <= now {
            try process.start()
            progress.say("started \(process.name) again (process \(process.processID))")
            absent.removeAll { $0.process === process && $0.until == until }
        }
        for index in planned.indices where !planned[index].isDone {
            let mishap = planned[index]
            // One at a time, so that it can be seen what each does.
            guard absent.isEmpty, Double(ended) >= mishap.part * Double(all) else { return }
            let processID = mishap.process.processID
            mishap.process.kill()
            planned[index].isDone = true
            absent.append((mishap.process, now + mishap.absence))
            progress.say(
                "killed \(mishap.process.name) (SIGKILL to process \(processID)), \(ended.grouped) orders ended")
        }
    }
}
