import SagaCore
import TestSupport
import Testing

@testable import SagaSimulation

@Suite("A definition's drawing")
struct GraphTests {
    @Test func itShowsWhatRunsSideBySideAndHowItIsUndone() throws {
        #expect(
            DefinitionGraph(try trip()).text == [
                "trip@3",
                "",
                "  ● quote     prices: quote",
                "  │",
                "┌ ● flight    air: book                    undone by unbook  uses quote",
                "└ ● hotel     rooms: book                  undone by unbook",
                "  │",
                "  ● approval  waits for signal 'approved'",
                "",
                "Undone in this order: flight, hotel side by side",
                "Nothing undoes: quote",
            ])
    }

    @Test func itMarksThePivotAndSaysInWhichOrderIsUndone() throws {
        let text = DefinitionGraph(try order(deadline: .seconds(900))).text
        #expect(text[0] == "order@1, deadline 15m")
        #expect(text.contains("  ◆ charge   payments: charge      pivot: from here on only forward"))
        #expect(text.last == "Undone in this order: reserve; then create")
        let parallel = try Definition("p", version: 1, order: .parallel) {
            StepDraft("a", service: "s", action: "do").compensated(by: "undo")
            StepDraft("b", service: "s", action: "do").compensated(by: "undo")
        }
        #expect(DefinitionGraph(parallel).text.last == "Undone all at once: a, b")
    }

    @Test func aStepThatWaitsForOthersThanTheLevelAboveSaysSo() throws {
        let definition = try Definition("d", version: 1) {
            StepDraft("a", service: "s", action: "do").withoutCompensation().after()
            StepDraft("b", service: "s", action: "do").withoutCompensation().after()
            StepDraft("c", service: "s", action: "do").withoutCompensation().after("b")
        }
        #expect(DefinitionGraph(definition).text.contains("  ● c  s: do  after b"))
    }

    @Test func theMermaidChartHasItsStepsLinksAndPivot() throws {
        #expect(
            DefinitionGraph(try order()).mermaid == [
                "---", "title: \"order@1\"", "---", "flowchart TD",
                #"    s0["create<br/><small>orders: create-order</small><br/><small>undone by cancel-order</small>"]"#,
                #"    s1["reserve<br/><small>inventory: reserve</small><br/><small>undone by release</small>"]"#,
                #"    s2{{"charge<br/><small>payments: charge</small><br/><small>pivot</small>"}}"#,
                #"    s3["ship<br/><small>shipping: ship</small>"]"#,
                "    s0 --> s1", "    s1 --> s2", "    s2 --> s3",
                "    classDef pivot stroke-width:4px", "    class s2 pivot",
            ])
    }

    /// Whatever is in a label, its line ends where it ends.
    @Test func nothingInALabelBecomesSyntax() {
        let escaped = DefinitionGraph.escaped("a\"]\n--> `b` <script> #end; [x] {y} |z| é")
        #expect(
            escaped
                == "a#34;#93;#10;--#62; #96;b#96; #60;script#62; #35;end#59; #91;x#93; #123;y#125; #124;z#124; #233;")
    }

    /// Every step stands on one line, below all that it waits for. A failure names its seed.
    @Test func everyStepComesBelowThoseThatItWaitsFor() throws {
        let seed = SeededRandom.pickSeed()
        var random = RandomDefinitions(seed: seed)
        for _ in 0..<50 {
            let graph = DefinitionGraph(try Definition(validating: random.draft()))
            var level: [Int: Int] = [:]
            for (place, steps) in graph.levels.enumerated() { for step in steps { level[step] = place } }
            #expect(level.count == graph.definition.steps.count, "seed \(seed)")
            for (index, step) in graph.definition.steps.enumerated() {
                #expect(step.after.allSatisfy { level[$0] ?? .max < level[index] ?? 0 }, "seed \(seed)")
            }
        }
    }
}
