import TestSupport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What to try, and how often.
struct Arguments {
    static let usage = """
        usage: saga-fuzz [TARGET…] [--seed SEED] [--count N | --case N]
          targets: \(fuzzTargets.map { $0.name }.joined(separator: " "))
        """

    private(set) var targets: [any FuzzTarget.Type] = []
    private(set) var seed = SeededRandom.pickSeed()
    private(set) var count: UInt64?
    private(set) var single: UInt64?

    init(_ arguments: ArraySlice<String>) {
        var rest = arguments
        while let word = rest.popFirst() {
            guard word.hasPrefix("--") else {
                guard let target = fuzzTargets.first(where: { $0.name == word }) else {
                    fail("there is no target \(word)\n\(Self.usage)", code: 64)
                }
                targets.append(target)
                continue
            }
            guard let text = rest.popFirst(), let value = UInt64(text), value < UInt64(Int64.max) else {
                fail("\(word) needs a number\n\(Self.usage)", code: 64)
            }
            switch word {
            case "--seed": seed = value
            case "--count": count = max(1, value)
            case "--case": single = value
            default: fail("there is no option \(word)\n\(Self.usage)", code: 64)
            }
        }
        if targets.isEmpty { targets = fuzzTargets }
        if single != nil, targets.count != 1 { fail("--case needs one target\n\(Self.usage)", code: 64) }
    }

    func cases(of target: any FuzzTarget.Type) -> Range<UInt64> {
        if let single { return single..<single + 1 }
        return 0..<(count ?? target.usualCount)
    }
}

/// Says why on standard error, and exits.
func fail(_ reason: String, code: CInt) -> Never {
    let line = Array("\(reason)\n".utf8)
    _ = write(STDERR_FILENO, line, line.count)
    exit(code)
}
