import SagaCore
import Testing

/// Instants as people write them (RFC 3339).
struct InstantTextTests {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("1970-01-01T00:00:00.001Z", 1), ("1969-12-31T23:59:59.999Z", -1),
            ("2026-12-24T18:00:00Z", 1_798_135_200_000), ("2026-12-24t18:00:00z", 1_798_135_200_000),
            ("2026-12-24 18:00:00Z", 1_798_135_200_000), ("2026-12-24T19:00:00+01:00", 1_798_135_200_000),
            ("2026-12-24T12:30:00-05:30", 1_798_135_200_000), ("2026-12-24T18:00:00-00:00", 1_798_135_200_000),
            ("2024-02-29T00:00:00Z", 1_709_164_800_000), ("2000-02-29T23:59:59Z", 951_868_799_000),
            ("0001-01-01T00:00:00Z", -62_135_596_800_000), ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ] as [(String, Milliseconds)])
    func instantsAreRead(text: String, instant: Milliseconds) {
        #expect(InstantText.parse(text) == instant)
    }

    @Test(arguments: [("0.5", 500), ("0.05", 50), ("0.1239", 123), ("0.0009", 0), ("0.999999999999999999999", 999)])
    func whatIsFinerThanAMillisecondIsCutOff(fraction: String, milliseconds: Milliseconds) {
        #expect(InstantText.parse("1970-01-01T00:00:0\(fraction)Z") == milliseconds)
    }

    @Test func aLeapSecondIsTheFirstOfTheNextMinute() {
        #expect(InstantText.parse("2016-12-31T23:59:60Z") == InstantText.parse("2017-01-01T00:00:00Z"))
        #expect(InstantText.parse("2016-12-31T23:59:61Z") == nil)
    }

    @Test(arguments: [
        "", "2026", "2026-12-24", "2026-12-24T18:00:00", "2026-12-24T18:00Z", "2026-12-24T18:00:00+0100",
        "2026-12-24T18:00:00+01", "2026-12-24T18:00:00+24:00", "2026-12-24T18:00:00+01:60", "26-12-24T18:00:00Z",
        "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-04-31T00:00:00Z", "2026-04-00T00:00:00Z",
        "2025-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "0000-01-01T00:00:00Z", "2026-12-24T24:00:00Z",
        "2026-12-24T18:60:00Z", "2026-12-24T18:00:00.Z", "2026-12-24T18:00:00Z ", " 2026-12-24T18:00:00Z",
        "2026-12-24T18:00:00ZZ", "+026-12-24T18:00:00Z", "2026-1-024T18:00:00Z", "2026-12-24T18:00:00,5Z",
        "٢026-12-24T18:00:00Z",
    ])
    func whatIsNoInstantIsRefused(text: String) {
        #expect(InstantText.parse(text) == nil)
    }

    /// By another way than the one under test: day by day.
    @Test func everyDayOfFourHundredYearsFollowsTheOneBefore() {
        var expected = InstantText.parse("1799-12-31T00:00:00Z") ?? 0
        var days = 0
        for year in 1800..<2200 {
            for month in 1...12 {
                for day in 1...31 {
                    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
                    guard let instant = InstantText.parse("\(year)-\(two(month))-\(two(day))T00:00:00Z") else {
                        continue
                    }
                    expected += 86_400_000
                    days += 1
                    guard instant != expected else { continue }
                    Issue.record("\(year)-\(month)-\(day)")
                    expected = instant
                }
            }
        }
        #expect(days == 146_097)
    }
}
