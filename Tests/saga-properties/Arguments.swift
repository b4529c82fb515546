import SagaProperties

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Which seeds to run, and how.
struct Arguments {
    static let usage = """
        usage: saga-properties [--from SEED] [--count N] | --seed SEED
          --flaw NAME  switches a rule of the participants off, to see it found: \
        \(Flaw.allCases.map(\.rawValue).joined(separator: ", "))
        """

    private(set) var seeds: Range<UInt64>
    private(set) var flaw: Flaw?

    init(_ arguments: ArraySlice<String>) {
        var (from, count): (UInt64, UInt64) = (0, 120_000)
        var rest = arguments
        while let option = rest.popFirst() {
            let argument = rest.popFirst()
            if option == "--flaw", let flaw = argument.flatMap(Flaw.init) {
                self.flaw = flaw
                continue
            }
            guard let text = argument, let value = UInt64(text), value < UInt64(Int64.max) else {
                fail("\(option) with \(argument ?? "nothing") means nothing\n\(Self.usage)", code: 64)
            }
            switch option {
            case "--from": from = value
            case "--count": count = max(1, value)
            case "--seed": (from, count) = (value, 1)
            default: fail("there is no option \(option)\n\(Self.usage)", code: 64)
            }
        }
        seeds = from..<from + count
    }
}

/// Says why on standard error, and exits.
func fail(_ reason: String, code: CInt) -> Never {
    let line = Array("\(reason)\n".utf8)
    _ = write(STDERR_FILENO, line, line.count)
    exit(code)
}

extension Duration {
    /// Seconds, to a tenth.
    var formatted: String {
        let tenths = components.seconds * 10 + components.attoseconds / 100_000_000_000_000_000
        return "\(tenths / 10).\(tenths % 10)"
    }
}
