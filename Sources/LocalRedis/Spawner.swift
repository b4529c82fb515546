import Dispatch
import Foundation
import Synchronization
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The one thread that starts children.
///
/// The signal at a parent's death comes when the *thread* that made the child ends, and the threads of a concurrency
/// pool come and go. This one stays.
final class Spawner: Sendable {
    static let shared = Spawner()

    private let jobs = Mutex<[@Sendable () -> Void]>([])
    private let jobsAdded = DispatchSemaphore(value: 0)

    private init() {
        let thread = Thread { Spawner.shared.work() }
        thread.name = "spawner"
        thread.start()
    }

    private func work() -> Never {
        while true {
            jobsAdded.wait()
            let job = jobs.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            job?()
        }
    }

    /// Runs `job` on the thread and waits for it: for as long as making a process takes.
    func run<R: Sendable>(
        _ job: @escaping @Sendable () throws(LocalRedisError) -> R
    ) throws(LocalRedisError) -> R {
        let box = Box<R>()
        let isDone = DispatchSemaphore(value: 0)
        jobs.withLock { jobs in
            jobs.append {
                let result: Result<R, LocalRedisError>
                do throws(LocalRedisError) {
                    result = .success(try job())
                } catch {
                    result = .failure(error)
                }
                box.value.withLock { $0 = result }
                isDone.signal()
            }
        }
        jobsAdded.signal()
        isDone.wait()
        guard let result = box.value.withLock({ $0 }) else {
            throw LocalRedisError(message: "the process could not be started")
        }
        return try result.get()
    }

    private final class Box<R: Sendable>: Sendable {
        let value = Mutex<Result<R, LocalRedisError>?>(nil)
    }
}

/// The children that are still to be killed when this process exits without having stopped them.
final class Orphans: Sendable {
    static let shared = Orphans()

    private let processIDs = Mutex<Set<pid_t>>([])

    private init() {
        atexit { Orphans.shared.killAll() }
    }

    func add(_ processID: pid_t) {
        processIDs.withLock { _ = $0.insert(processID) }
    }

    func remove(_ processID: pid_t) {
        processIDs.withLock { _ = $0.remove(processID) }
    }

    private func killAll() {
        for processID in processIDs.withLock({ $0 }) {
            ChildProcess.signal(processID, SIGKILL)
        }
    }
}
