import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The case that each worker is trying at this moment, where a signal handler can read it: a trap ends the process, and
/// the number of the case is all that is needed to repeat it.
enum Watch {
    static let most = 64
    /// For each worker the case's number plus one; 0: none. Written by its worker, read by whoever reports.
    ///
    /// Never freed, and made before the first worker: unsafe only in that the compiler cannot know it.
    nonisolated(unsafe) private static let slots = {
        let slots = UnsafeMutablePointer<UInt64>.allocate(capacity: most)
        slots.initialize(repeating: 0, count: most)
        return slots
    }()
    /// What a report begins with: the command line but for the case's number.
    nonisolated(unsafe) private static var command: UnsafeMutablePointer<CChar>?

    /// Cases of this target are tried from now on. No worker may be running.
    static func begin(_ target: String, seed: UInt64) {
        free(command)
        command = strdup("saga-fuzz \(target) --seed \(seed) --case ")
        for slot in 0..<most { slots[slot] = 0 }
    }

    static func note(_ number: UInt64, worker: Int) { slots[worker] = number + 1 }

    static func end(worker: Int) { slots[worker] = 0 }

    /// The cases under way by worker.
    static var current: [UInt64] { (0..<most).map { slots[$0] } }

    /// Names the cases under way, one a line, on standard error. Safe in a signal handler: allocates nothing.
    static func report() {
        say("one of these cases ends the process, or does not end:\n")
        guard let command else { return }
        for slot in 0..<most where slots[slot] > 0 {
            _ = write(STDERR_FILENO, command, strlen(command))
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 21) { digits in
                var (rest, place) = (slots[slot] - 1, 20)
                digits[20] = UInt8(ascii: "\n")
                repeat {
                    place -= 1
                    digits[place] = UInt8(ascii: "0") + UInt8(rest % 10)
                    rest /= 10
                } while rest > 0
                _ = write(STDERR_FILENO, digits.baseAddress?.advanced(by: place), 21 - place)
            }
        }
    }

    private static func say(_ text: StaticString) { _ = write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount) }

    /// Makes traps and crashes report the cases under way before they end the process.
    static func catchCrashes() {
        for number in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGABRT, SIGFPE] {
            signal(number) { number in
                Watch.report()
                signal(number, SIG_DFL)
                raise(number)
            }
        }
    }
}

/// Memory of this process, in MiB.
enum Memory {
    /// The most that was resident so far.
    static var peak: Int {
        var usage = rusage()
        // RUSAGE_SELF, which Glibc declares as another type than its own function takes.
        getrusage(0, &usage)
        return usage.ru_maxrss / 1_024
    }
}
