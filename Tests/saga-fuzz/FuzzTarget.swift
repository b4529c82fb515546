import TestSupport

/// A reader of what comes from outside, and the cases that it is tried with.
///
/// A case is made by the random numbers that it is given and by nothing else, so its number repeats it.
protocol FuzzTarget: SendableMetatype {
    /// What it is called on the command line.
    static var name: String { get }
    /// How many cases are tried unless another number is asked for.
    static var usualCount: UInt64 { get }

    init()

    /// Makes a case and tries it.
    ///
    /// - Returns: Whether the reader accepted it.
    mutating func attempt(_ random: inout SeededRandom) throws(Flaw) -> Bool
}

extension FuzzTarget {
    static var usualCount: UInt64 { 1_000_000 }
}

/// A property that does not hold.
struct Flaw: Error {
    var property: String
    var input: [UInt8]

    init(_ property: String, _ input: [UInt8]) {
        self.property = property
        self.input = input
    }

    /// The input with everything escaped that is not printable.
    var text: String {
        var text = ""
        for byte in input.prefix(4_000) {
            switch byte {
            case UInt8(ascii: "\n"): text += "\\n"
            case UInt8(ascii: "\r"): text += "\\r"
            case 32..<127: text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16)
                text += "\\x" + (digits.count < 2 ? "0" : "") + digits
            }
        }
        return text
    }
}

let fuzzTargets: [any FuzzTarget.Type] = [
    ReplyTarget.self, InboxTarget.self, CommandTarget.self, LogTarget.self, ReplayTarget.self, JSONTarget.self,
    ConditionTarget.self, JSONDefinitionTarget.self, YAMLDefinitionTarget.self, URLTarget.self,
]
