import ArgumentParser
import Foundation
import SagaCore
import SagaSimulation

/// How the world around a simulated saga behaves, where nothing goes wrong.
struct WorldOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The input: JSON, @FILE, or - for standard input.", valueName: "json"))
    var input = "{}"
    @Option(
        name: .customLong("result"),
        help: ArgumentHelp(
            "What a step returns, or the payload of the signal that it waits for.", valueName: "step=json"))
    var results: [String] = []
    @Option(help: ArgumentHelp("From a command to its reply.", valueName: "duration")) var latency = "10ms"
    @Option(help: ArgumentHelp("Time for the whole saga, instead of the definition's.", valueName: "duration"))
    var deadline: String?

    func script() throws -> SimulationScript {
        var script = SimulationScript(
            input: try payload(input, "--input"),
            startedAt: Milliseconds(Date.now.timeIntervalSince1970 * 1_000),
            deadline: try deadline.map { try milliseconds($0, "--deadline") },
            latency: try milliseconds(latency, "--latency"))
        for text in results {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw ValidationError("--result takes STEP=JSON, not '\(text)'") }
            script.results[String(parts[0])] = try payload(String(parts[1]), "--result")
        }
        return script
    }
}

/// What goes wrong, and what people do.
struct DisturbanceOptions: ParsableArguments {
    @Option(
        name: .customLong("fail"),
        help: ArgumentHelp(
            "The step's action is refused; with N, it answers 'retry' N times; with a code, by that.",
            valueName: "step[:n][=code]"))
    var failures: [String] = []
    @Option(
        name: .customLong("timeout"),
        help: ArgumentHelp(
            "The step's action is never answered; with N, not the first N times.", valueName: "step[:n]"))
    var timeouts: [String] = []
    @Option(
        name: .customLong("fail-compensation"),
        help: ArgumentHelp(
            "The step's compensation is refused; with N, it answers 'retry' N times.",
            valueName: "step[:n][=code]"))
    var compensationFailures: [String] = []
    @Option(
        name: .customLong("timeout-compensation"),
        help: ArgumentHelp(
            "The step's compensation is never answered; with N, not the first N times.", valueName: "step[:n]"))
    var compensationTimeouts: [String] = []
    @Option(
        name: .customLong("signal"),
        help: ArgumentHelp(
            "A signal, at once or at a time: a duration since the start, or after:STEP.",
            valueName: "name[@time][=json]"))
    var signals: [String] = []
    @Option(name: .customLong("cancel"), help: ArgumentHelp("Cancel the saga at a time.", valueName: "time"))
    var cancels: [String] = []
    @Option(name: .customLong("pause"), help: ArgumentHelp("Pause the saga at a time.", valueName: "time"))
    var pauses: [String] = []
    @Option(name: .customLong("resume"), help: ArgumentHelp("Resume the saga at a time.", valueName: "time"))
    var resumptions: [String] = []
    @Option(
        name: .customLong("retry"),
        help: ArgumentHelp("Give stuck or waiting steps, or one, a fresh set of attempts.", valueName: "[step@]time"))
    var retries: [String] = []
    @Option(
        name: .customLong("skip"), help: ArgumentHelp("Declare a step done by hand.", valueName: "step@time"))
    var skips: [String] = []

    func add(to script: inout SimulationScript) throws {
        // In a row: what is not answered, what is answered 'retry', and what is refused in the end.
        for (texts, option, phase) in [
            (timeouts, "--timeout", Phase.action), (compensationTimeouts, "--timeout-compensation", .compensation),
        ] {
            for text in texts {
                let (place, times) = try placeAndTimes(text, option, phase)
                script.faults[place, default: []].append(.silence(times: times))
            }
        }
        for (texts, option, phase) in [
            (failures, "--fail", Phase.action), (compensationFailures, "--fail-compensation", .compensation),
        ] {
            var refusals: [(Fault.Place, Fault)] = []
            for text in texts {
                let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                let code = parts.count == 2 ? parts[1] : nil
                let (place, times) = try placeAndTimes(parts[0], option, phase)
                if let times {
                    script.faults[place, default: []].append(.trouble(times: times, code: code))
                } else {
                    refusals.append((place, .refusal(code: code ?? "simulated")))
                }
            }
            for (place, refusal) in refusals { script.faults[place, default: []].append(refusal) }
        }
        try addInterventions(to: &script)
    }

    private func addInterventions(to script: inout SimulationScript) throws {
        for text in signals { script.interventions.append(try signal(text)) }
        for (texts, option, operation) in [
            (cancels, "--cancel", Order.Operation.cancel), (pauses, "--pause", .pause),
            (resumptions, "--resume", .resume),
        ] {
            for text in texts {
                script.interventions.append(Intervention(try moment(text, option), .order(Order(operation))))
            }
        }
        for (texts, option, operation) in [(retries, "--retry", Order.Operation.retry), (skips, "--skip", .skip)] {
            for text in texts {
                let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                guard parts.count == 2 || operation == .retry else {
                    throw ValidationError("\(option) takes STEP@TIME, not '\(text)'")
                }
                let order = Order(operation, step: parts.count == 2 ? parts[0] : nil)
                script.interventions.append(Intervention(try moment(parts[parts.count - 1], option), .order(order)))
            }
        }
    }

    /// Reads `STEP`, `STEP#ITEM` and `STEP:N`.
    private func placeAndTimes(_ text: String, _ option: String, _ phase: Phase) throws -> (Fault.Place, Int?) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let branch = parts[0].split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        var place = Fault.Place(branch[0], phase)
        if branch.count == 2 {
            guard let item = Int(branch[1]), item >= 0 else {
                throw ValidationError("\(option) takes STEP or STEP#ITEM with ITEM from 0, not '\(text)'")
            }
            place.item = item
        }
        guard parts.count == 2 else { return (place, nil) }
        guard let times = Int(parts[1]), DefinitionLimits.attempts.contains(times), times > 0 else {
            throw ValidationError("\(option) takes STEP or STEP:N with N from 1, not '\(text)'")
        }
        return (place, times)
    }

    private func moment(_ text: String, _ option: String) throws -> Intervention.Moment {
        if text.hasPrefix("after:") { return .whenSucceeded(step: String(text.dropFirst("after:".count))) }
        guard let span = DurationText.parse(text) else {
            throw ValidationError(
                "\(option) takes a time since the start such as 250ms, 30s or 48h, or after:STEP, not '\(text)'")
        }
        return .at(span)
    }

    private func signal(_ text: String) throws -> Intervention {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let content = parts.count == 2 ? try payload(parts[1], "--signal") : Array("{}".utf8)
        let head = parts[0].split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let moment = head.count == 2 ? try moment(head[1], "--signal") : .at(0)
        return Intervention(moment, .signal(SagaCore.Signal(head[0], payload: content)))
    }
}
