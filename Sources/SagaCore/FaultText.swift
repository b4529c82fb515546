/// Parts of the sentences in which faults of definitions are told.
package enum FaultText {
    /// Something that a person wrote, fit for one line: in quotes, without control characters, not endless.
    package static func quoted(_ text: some StringProtocol) -> String {
        let limit = 80
        var shown = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(limit) {
            let isControl = scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
            let isLineBreak = scalar.value == 0x2028 || scalar.value == 0x2029
            shown.append(isControl || isLineBreak ? "\u{fffd}" : scalar)
        }
        let isCut = text.unicodeScalars.dropFirst(limit).first != nil
        return "'\(String(shown))\(isCut ? "…" : "")'"
    }

    /// `; did you mean 'x'?` where one of the known words is near, else nothing.
    package static func suggestion(for word: String, among known: some Sequence<String>) -> String {
        nearest(to: word, among: known).map { "; did you mean \(quoted($0))?" } ?? ""
    }

    /// The known word that is fewest edits away: at most two, and less than half of the longer word.
    package static func nearest(to word: String, among known: some Sequence<String>) -> String? {
        let written = Array(word.utf8)
        var best: (word: String, distance: Int)?
        for candidate in known {
            let bytes = Array(candidate.utf8)
            // Looks at lengths first: a hundred step names against a hundred misspelt ones stay cheap.
            guard abs(bytes.count - written.count) <= 2 else { continue }
            let distance = editDistance(written, bytes)
            guard distance <= 2, distance * 2 < max(bytes.count, written.count) else { continue }
            if distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.word
    }

    /// Insertions, deletions, replacements and swaps of neighbours that make one word of the other.
    private static func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var older: [Int] = []
        var previous = Array(0...right.count)
        for i in left.indices {
            var current = [i + 1]
            for j in right.indices {
                let replaced = previous[j] + (left[i] == right[j] ? 0 : 1)
                var cost = min(replaced, previous[j + 1] + 1, current[j] + 1)
                if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] { cost = min(cost, older[j - 1] + 1) }
                current.append(cost)
            }
            (older, previous) = (previous, current)
        }
        return previous[right.count]
    }
}
