import ArgumentParser
import SagaCore
import SagaSimulation
import SagaWire

/// Tries what can go wrong with a definition.
struct Drill: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Disturb each step of a definition in each way, and show how the sagas end.",
        discussion: """
            Actions are refused or never answered, compensations fail for a while or for good, sagas are cancelled, \
            deadlines pass. Warns of effects that stand afterwards. Exits 1 if a run breaks a rule of sagas.
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var source: DefinitionArgument
    @OptionGroup var world: WorldOptions

    func run() throws {
        let script = try world.script()
        var violations = 0
        for (place, definition) in try source.definitions().enumerated() {
            let drill = try drill(definition, script)
            let results = drill.run()
            violations += results.reduce(0) { $0 + $1.violations.count }
            if global.json {
                for result in results { printJSON { result.write(of: definition, to: &$0) } }
            } else {
                print((place > 0 ? "\n" : "") + definition.id)
                print(table(results))
                for line in leftAsMeant(results) { print(line) }
                for name in drill.omittedSteps {
                    print("'\(Terminal.clean(name))' was left out: its condition is not met (see --input, --result)")
                }
            }
            for result in results {
                for violation in result.violations {
                    _ = fail("\(definition.id), \(result.step), \(result.disturbance): \(violation)")
                }
            }
        }
        if violations > 0 { throw ExitCode.failure }
    }

    private func drill(_ definition: Definition, _ script: SimulationScript) throws -> SagaSimulation.Drill {
        do {
            return try SagaSimulation.Drill(definition, script: script)
        } catch {
            throw ValidationError(error.description)
        }
    }

    private func table(_ results: [SagaSimulation.Drill.Result]) -> String {
        let rows = results.map { result in
            [
                result.step, result.disturbance, result.run.end.name,
                result.run.compensated.isEmpty ? "-" : result.run.compensated.joined(separator: ", "),
                Timeline.duration(result.run.duration), (result.violations + result.warnings).joined(separator: "; "),
            ]
        }
        return Terminal.table(["STEP", "WHAT IS DONE TO IT", "END", "COMPENSATED", "TOOK", "WARNING"], rows)
            .split(separator: "\n").map { line in
                line.reversed().drop { $0 == " " }.reversed().map(String.init).joined()
            }.joined(separator: "\n")
    }

    /// What stands as the definition says, once a step rather than in every row.
    private func leftAsMeant(_ results: [SagaSimulation.Drill.Result]) -> [String] {
        var counts: [(name: String, count: Int)] = []
        for name in results.flatMap(\.leftAsMeant) {
            if let place = counts.firstIndex(where: { $0.name == name }) {
                counts[place].count += 1
            } else {
                counts.append((name, 1))
            }
        }
        return counts.map { name, count in
            "'\(Terminal.clean(name))' stands, or may, in \(count) of the runs that were undone, as 'compensation: null' says"
        }
    }
}

extension SagaSimulation.Drill.Result {
    fileprivate func write(of definition: Definition, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.field("definition", definition.name)
        writer.field("version", definition.version)
        writer.field("step", step)
        writer.field("way", way.rawValue)
        writer.field("disturbance", disturbance)
        writer.field("end", run.end.name)
        writer.beginArray("compensated")
        for name in run.compensated { writer.value(name) }
        writer.endArray()
        writer.field("took", run.duration)
        writer.beginArray("warnings")
        for warning in warnings { writer.value(warning) }
        writer.endArray()
        writer.beginArray("leftAsMeant")
        for name in leftAsMeant { writer.value(name) }
        writer.endArray()
        writer.beginArray("violations")
        for violation in violations { writer.value(violation) }
        writer.endArray()
        writer.endObject()
    }
}
