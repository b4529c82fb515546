#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// SplitMix64: the same seed gives the same run.
///
/// A test prints its seed when it fails; `SKALD_TEST_SEED` repeats it.
package struct SeededRandom: RandomNumberGenerator {
    package let seed: UInt64
    private var state: UInt64

    package init(seed: UInt64) {
        self.seed = seed
        state = seed
    }

    /// The seed that the environment asks for, else a new one.
    package static func pickSeed() -> UInt64 {
        if let text = getenv("SKALD_TEST_SEED"), let seed = UInt64(String(cString: text)) { return seed }
        return .random(in: 0...UInt64(UInt32.max))
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }

    package mutating func pick<Element>(_ choices: [Element]) -> Element {
        choices[Int.random(in: choices.indices, using: &self)]
    }

    package mutating func chance(_ share: Double) -> Bool { Double.random(in: 0..<1, using: &self) < share }

    /// Nil as often as not.
    package mutating func maybe<Value>(_ value: (inout SeededRandom) -> Value) -> Value? {
        chance(0.5) ? value(&self) : nil
    }
}

extension SeededRandom {
    /// The bytes with one to four of them changed, lost, doubled, moved or cut off.
    package mutating func mutated(_ bytes: [UInt8], alphabet: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &self) {
            let place = Int.random(in: 0...bytes.count, using: &self)
            let other = Int.random(in: 0...bytes.count, using: &self)
            let range = min(place, other)..<max(place, other)
            switch Int.random(in: 0..<7, using: &self) {
            case 0: bytes.insert(pick(alphabet), at: place)
            case 1 where place < bytes.count: bytes[place] = pick(alphabet)
            case 2 where place < bytes.count: bytes[place] = UInt8.random(in: 0...255, using: &self)
            case 3 where place < bytes.count: bytes.remove(at: place)
            case 4 where range.count < 40: bytes.insert(contentsOf: bytes[range], at: other)
            case 5 where range.count < 40: bytes.removeSubrange(range)
            case 6 where chance(0.2): bytes.removeSubrange(place...)
            default: break
            }
        }
        return bytes
    }
}
