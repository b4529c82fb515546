import CoordinatorSimulator
import SagaCore

/// Which seeds to run, and how.
struct Arguments {
    enum Mode { case hunt, trace, sabotage, survey }

    struct Fault: Error {
        var reason: String
    }

    static let usage = """
        usage: coordinator-simulator [--from SEED] [--seeds N] | --seed SEED
          --without RULE  switches a rule off, to see it found: \(Safeguards.named.map(\.name).joined(separator: ", "))
          --survey        goes on after a finding, and says of each seed that broke a rule which
          --sabotage      switches off one after the other of those that a simulation has to miss
        """

    private(set) var from: UInt64 = 0
    private(set) var count: UInt64 = 10_000
    private(set) var mode = Mode.hunt
    private(set) var safeguards = Safeguards.all
    /// What has to be said along with a seed to repeat it.
    private(set) var repetition = ""

    init(_ arguments: ArraySlice<String>) throws(Fault) {
        var rest = arguments
        while let option = rest.popFirst() {
            if option == "--sabotage" {
                mode = .sabotage
                continue
            }
            if option == "--survey" {
                mode = .survey
                continue
            }
            guard let argument = rest.popFirst() else { throw Fault(reason: "\(option) needs a value") }
            if option == "--without" {
                guard let rule = Safeguards.named.first(where: { $0.name == argument })?.rule else {
                    throw Fault(reason: "there is no rule \(argument)")
                }
                safeguards.subtract(rule)
                repetition += " --without \(argument)"
                continue
            }
            guard let value = UInt64(argument), value < UInt64(Int64.max) else {
                throw Fault(reason: "\(option) needs a number, not \(argument)")
            }
            switch option {
            case "--from": from = value
            case "--seeds": count = max(1, value)
            case "--seed": (from, count, mode) = (value, 1, .trace)
            default: throw Fault(reason: "there is no option \(option)")
            }
        }
    }

    var seeds: Range<UInt64> { from..<from + count }

    /// Whether the run is one that keeps old findings found.
    var isComplete: Bool { safeguards == .all }
}
