import Synchronization
import TestSupport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Tries the cases of one target on all cores.
struct Campaign {
    /// A case that takes longer hangs.
    static let patience = Duration.seconds(10)
    private static let block: UInt64 = 500

    let target: any FuzzTarget.Type
    let seed: UInt64
    let cases: Range<UInt64>

    struct Result: Sendable {
        var accepted: UInt64 = 0
        var finding: (number: UInt64, property: String, input: String)?
    }

    func run() async -> Result {
        Watch.begin(target.name, seed: seed)
        let supply = Supply(cases.lowerBound)
        let workers = cases.count == 1 ? 1 : min(Watch.most, max(1, Int(sysconf(CInt(_SC_NPROCESSORS_ONLN)))))
        return await withTaskGroup(of: Result?.self) { group in
            for worker in 0..<workers { group.addTask { work(supply, worker) } }
            group.addTask {
                await watch()
                return nil
            }
            var (total, left) = (Result(), workers)
            for await result in group {
                guard let result else { continue }
                total.accepted += result.accepted
                if let finding = result.finding, finding.number < total.finding?.number ?? .max {
                    total.finding = finding
                }
                left -= 1
                if left == 0 { group.cancelAll() }
            }
            return total
        }
    }

    private func work(_ supply: Supply, _ worker: Int) -> Result {
        var result = Result()
        var target: any FuzzTarget = self.target.init()
        while true {
            let start = supply.take(Self.block)
            guard start < cases.upperBound else { break }
            for number in start..<min(start + Self.block, cases.upperBound) {
                Watch.note(number, worker: worker)
                var random = SeededRandom(seed: seed &* 0x9e37_79b9_7f4a_7c15 ^ number &* 0xd134_2543_de82_ef95)
                do throws(Flaw) {
                    if try target.attempt(&random) { result.accepted += 1 }
                } catch {
                    // The others stop after the blocks that they have begun.
                    supply.end(at: cases.upperBound)
                    result.finding = (number, error.property, error.text)
                    Watch.end(worker: worker)
                    return result
                }
            }
        }
        Watch.end(worker: worker)
        return result
    }

    /// Ends the process where a case takes too long. Returns when it is cancelled.
    private func watch() async {
        var (last, since) = (Watch.current, ContinuousClock.now)
        // Cancelled: all cases are tried.
        while (try? await Task.sleep(for: .milliseconds(200))) != nil {
            let current = Watch.current
            let isStuck = zip(last, current).contains { $0 == $1 && $0 > 0 }
            guard isStuck else {
                (last, since) = (current, .now)
                continue
            }
            guard ContinuousClock.now - since > Self.patience else { continue }
            Watch.report()
            exit(1)
        }
    }
}

/// Hands out the numbers of cases.
private final class Supply: Sendable {
    private let next: Atomic<UInt64>

    init(_ first: UInt64) {
        next = Atomic(first)
    }

    func take(_ count: UInt64) -> UInt64 { next.wrappingAdd(count, ordering: .relaxed).oldValue }

    func end(at number: UInt64) { next.store(number, ordering: .relaxed) }
}
