import HeapModule
package import SagaCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The executor of everything in a simulation, and its clock: jobs run one at a time, in the order in which they became
/// ready, and time passes only when none is.
///
/// Unchecked, because nothing here is locked: all of a simulation runs on the thread that drains the queue. Whatever is
/// made ready is made ready by a job or a timer of the simulation itself; ``enqueue(_:)`` traps where it is not, since a
/// job from elsewhere would end the repeatability that all of this is for.
package final class Conductor: TaskExecutor, @unchecked Sendable {
    private struct Timer: Comparable {
        let instant: Milliseconds
        let number: UInt64
        let body: () -> Void

        static func < (one: Timer, other: Timer) -> Bool {
            (one.instant, one.number) < (other.instant, other.number)
        }

        static func == (one: Timer, other: Timer) -> Bool { one.number == other.number }
    }

    private let thread = pthread_self()
    private var ready: [UnownedJob] = []
    private var nextReady = 0
    private var timers = Heap<Timer>()
    private var timerCount: UInt64 = 0
    /// Since the simulation's beginning.
    package private(set) var now: Milliseconds = 0
    /// Jobs that ran so far.
    package private(set) var jobCount = 0

    package func enqueue(_ job: consuming ExecutorJob) {
        precondition(
            pthread_equal(thread, pthread_self()) != 0, "a job of the simulation became ready on another thread")
        ready.append(UnownedJob(job))
    }

    // MARK: Time

    /// Calls `body` when this much time has passed, after everything that is due before.
    func after(_ span: Milliseconds, _ body: @escaping () -> Void) {
        timerCount += 1
        timers.insert(Timer(instant: now + max(0, span), number: timerCount, body: body))
    }

    func sleep(_ span: Milliseconds) async {
        await withUnsafeContinuation { continuation in after(span) { continuation.resume() } }
    }

    /// Runs jobs and timers until the condition holds, which is asked whenever no job is ready.
    ///
    /// - Returns: Whether it does; else nothing is left to run, or the time is over.
    func run(until instant: Milliseconds, or isDone: () -> Bool = { false }) -> Bool {
        while true {
            drain()
            if isDone() { return true }
            guard let next = timers.min, next.instant <= instant else { return false }
            let timer = timers.removeMin()
            now = timer.instant
            timer.body()
        }
    }

    /// Forgets what would still happen: its closures hold those who hold this.
    func discardTimers() { timers = Heap() }

    private func drain() {
        while nextReady < ready.count {
            let job = ready[nextReady]
            nextReady += 1
            jobCount += 1
            job.runSynchronously(on: asUnownedTaskExecutor())
        }
        ready.removeAll(keepingCapacity: true)
        nextReady = 0
    }
}
