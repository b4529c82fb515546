import SagaCore
import SagaWire
import TestSupport
import Testing

/// The trip shows what a definition can have.
@Suite struct TripDefinitionTests {
    private let definitions: [Definition]

    init() throws {
        let file = try DefinitionFile(
            parsing: Repository.bytes(of: "Sources/Examples/trip.yaml"), name: "Sources/Examples/trip.yaml")
        #expect(file.warnings.isEmpty)
        definitions = file.definitions
    }

    @Test func itShowsEachKindOfStep() throws {
        #expect(definitions.map(\.name) == ["trip", "rental", "miles"])
        let trip = try #require(definitions.first)
        #expect(trip.pivot.map { trip.steps[$0].name } == "pay")
        #expect(trip.steps.contains { $0.kind == .signal("approved") })
        #expect(trip.steps.contains { $0.kind == .child(definition: "rental", inputFrom: nil) })
        #expect(
            trip.steps.contains { step in
                if case .until = step.kind { true } else { false }
            })
        #expect(trip.steps.contains { $0.when != nil })
        #expect(trip.steps.contains { $0.forEach != nil && $0.compensation != nil })
        #expect(trip.steps.contains { !$0.codes.noRetry.isEmpty && !$0.codes.stopOn.isEmpty })
    }

    @Test func itsEventStartsASaga() throws {
        let trip = try #require(definitions.first)
        let topic = try #require(trip.pivot.flatMap { trip.steps[$0].emits.succeeded })
        #expect(definitions.contains { $0.trigger == EventTrigger(event: topic) })
    }
}
