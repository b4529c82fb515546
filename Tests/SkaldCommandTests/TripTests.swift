import Foundation
import TestSupport
import Testing

@Suite("The trip of the examples, disturbed in each way")
struct TripTests {
    private struct Row: Decodable {
        var definition: String
        var step: String
        var way: String
        var end: String
        var compensated: [String]
        var took: Int
        var violations: [String]
    }

    private func drill() async throws -> [Row] {
        let file = Repository.path(of: "Sources/Examples/trip.yaml")
        let input = Repository.path(of: "Sources/Examples/trip.json")
        let result = try await Program().run("drill", file, "--input", "@" + input, "--json")
        #expect(result.code == 0, "\(result.errors)")
        return try result.output.split(separator: "\n").map { line in
            try JSONDecoder().decode(Row.self, from: Data(line.utf8))
        }
    }

    @Test func noRuleIsBrokenAndNothingThatWasBookedStays() async throws {
        let rows = try await drill()
        #expect(Set(rows.map(\.definition)) == ["trip", "rental", "miles"])
        #expect(rows.allSatisfy { $0.violations == [] })
        let trip = rows.filter { $0.definition == "trip" }
        // The input leaves no step out.
        let steps = ["flights", "hotel", "car", "approval", "pay", "check-in-opens", "check-in"]
        #expect(Set(trip.map(\.step)) == Set(steps))
        for way in ["refused", "unanswered", "cancelled", "deadline"] {
            for step in steps[..<3] {
                let row = try #require(trip.first { $0.step == step && $0.way == way })
                #expect(row.end == "compensated", "\(step), \(way)")
                // What is booked side by side is undone all together; a hotel or car that was refused left nothing.
                let expected = Set(steps[..<3]).subtracting(way == "refused" && step != "flights" ? [step] : [])
                #expect(Set(row.compensated) == expected, "\(step), \(way)")
            }
        }
    }

    @Test func aMissingPassportWaitsForAPersonUntilTheDeadlineTurnsTheTripBack() async throws {
        let rows = try await drill()
        let row = try #require(rows.first { $0.step == "flights" && $0.way == "stopped" })
        #expect(row.end == "compensated")
        #expect(Set(row.compensated) == ["hotel", "car"])
        #expect(row.took >= 3 * 86_400_000)
    }

    @Test func afterThePaymentTheTripOnlyGoesForward() async throws {
        let rows = try await drill()
        let late = rows.filter { ["check-in-opens", "check-in"].contains($0.step) }
        #expect(!late.isEmpty)
        #expect(late.allSatisfy { $0.compensated == [] && $0.end != "compensated" })
        let refused = try #require(rows.first { $0.step == "check-in" && $0.way == "refused" })
        #expect(refused.end == "stuck")
    }
}
