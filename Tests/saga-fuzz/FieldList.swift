import SagaWire
import TestSupport

/// The fields of an entry, to be spoilt one by one.
struct FieldList {
    var pairs: [(name: [UInt8], value: [UInt8])]

    init(_ fields: Fields) {
        pairs = fields.withViews { views in views.map { (Array($0.name), Array($0.value)) } }
    }

    /// The bytes of all of them, for a report.
    var bytes: [UInt8] { pairs.flatMap { $0.name + [UInt8(ascii: "=")] + $0.value + [UInt8(ascii: "\n")] } }

    /// Whether everything in it is text.
    var isText: Bool {
        pairs.allSatisfy {
            String(validating: $0.name, as: UTF8.self) != nil && String(validating: $0.value, as: UTF8.self) != nil
        }
    }

    /// Drops, doubles, swaps and spoils fields.
    mutating func spoil(_ mutator: Mutator, _ random: inout SeededRandom) {
        for _ in 0..<Int.random(in: 1...3, using: &random) where !pairs.isEmpty {
            let (place, other) = (
                pairs.indices.randomElement(using: &random) ?? 0, pairs.indices.randomElement(using: &random) ?? 0
            )
            switch Int.random(in: 0..<9, using: &random) {
            case 0: pairs.remove(at: place)
            case 1: pairs.insert(pairs[place], at: other)
            case 2: pairs.swapAt(place, other)
            case 3: pairs[place].value = pairs[other].value
            case 4: pairs[place].name = pairs[other].name
            case 5: pairs[place].name = mutator.spoil(pairs[place].name, pairs[other].name, &random)
            case 6: pairs[place].value = random.pick(mutator.tokens)
            default: pairs[place].value = mutator.spoil(pairs[place].value, pairs[other].value, &random)
            }
        }
    }

    /// Calls `body` with views of the fields.
    func withViews<Result>(_ body: ([FieldView]) -> Result) -> Result {
        var bytes: [UInt8] = []
        for pair in pairs { bytes += pair.name + pair.value }
        return bytes.withUnsafeBytes { buffer in
            var start = 0
            func next(_ count: Int) -> UnsafeRawBufferPointer {
                defer { start += count }
                return UnsafeRawBufferPointer(rebasing: buffer[start..<start + count])
            }
            var views: [FieldView] = []
            for pair in pairs {
                let name = next(pair.name.count)
                views.append(FieldView(name: name, value: next(pair.value.count)))
            }
            return body(views)
        }
    }
}
