/// Spans of time as people write them: `250ms`, `30s`, `15m`, `48h`, `7d`.
public enum DurationText {
    private static let units: [(suffix: String, span: Milliseconds)] = [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]

    /// The span that `text` names; nil where it is no whole number followed by a unit, or too large to count.
    public static func parse(_ text: some StringProtocol) -> Milliseconds? {
        let bytes = Array(text.utf8)
        let digits = bytes.prefix { (0x30...0x39).contains($0) }
        let suffix = String(decoding: bytes[digits.count...], as: UTF8.self)
        guard (1...18).contains(digits.count), digits.count == 1 || digits[0] != 0x30,
            let unit = units.first(where: { $0.suffix == suffix })
        else { return nil }
        let amount = digits.reduce(0) { $0 * 10 + Milliseconds($1 - 0x30) }
        let (span, overflow) = amount.multipliedReportingOverflow(by: unit.span)
        return overflow ? nil : span
    }

    /// The span in the largest unit that it is a whole number of: `90s`, but `2m`.
    public static func format(_ span: Milliseconds) -> String {
        guard let unit = units.last(where: { span != 0 && span % $0.span == 0 }) else { return "\(span)ms" }
        return "\(span / unit.span)\(unit.suffix)"
    }
}
