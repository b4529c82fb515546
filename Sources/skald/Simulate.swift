import ArgumentParser
import SagaCore
import SagaSimulation
import SagaWire

/// Runs one saga of a definition without Redis and without services.
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run one saga of a definition with simulated services and time, and print its timeline.",
        discussion: """
            Every service succeeds, but for what the options say. Exits 0 completed, 2 compensated, 3 stuck, 4 where \
            nothing would end the saga (it waits for a signal, is paused, or tries a step without end).
            """)

    @OptionGroup var global: GlobalOptions
    @OptionGroup var source: DefinitionArgument
    @OptionGroup var world: WorldOptions
    @OptionGroup var disturbances: DisturbanceOptions

    func run() throws {
        let definition = try source.onlyDefinition()
        var script = try world.script()
        try disturbances.add(to: &script)
        let run = try simulation(definition, script).run()
        if global.json {
            for line in run.timeline { printJSON { line.write(to: &$0) } }
        } else {
            for line in Timeline.text(run.timeline) { print(Terminal.clean(line)) }
        }
        switch run.end {
        case .completed: return
        case .compensated: throw ExitCode.compensated
        case .stuck: throw ExitCode.stuck
        case .waiting, .paused, .endless, .unfinished: throw ExitCode.timedOut
        }
    }

    private func simulation(_ definition: Definition, _ script: SimulationScript) throws -> Simulation {
        do {
            return try Simulation(definition, script: script)
        } catch {
            throw ValidationError(error.description)
        }
    }
}

extension TimelineLine {
    /// `{"at":0,"type":"sent","step":"charge","phase":"action","attempt":1,"text":"…"}`, `at` in milliseconds.
    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.field("at", at)
        writer.field("type", kind.rawValue)
        writer.field("step", step)
        writer.field("item", item.map(Int64.init))
        writer.field("phase", phase?.rawValue)
        writer.field("attempt", attempt.map(Int64.init))
        writer.field("text", text)
        writer.endObject()
    }
}
