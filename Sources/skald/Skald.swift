import ArgumentParser

/// The one program: orchestrator, development server and control.
@main
struct Skald: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "skald",
        abstract: "Sagas over Redis: run the coordinator, start sagas, look at them, steer them.",
        discussion: """
            Exit codes: 0 done; 1 refused or failed, with the reason on standard error; 64 wrong usage; 69 Redis out of \
            reach. 'wait' and 'start --wait': 0 completed, 2 compensated, 3 stuck, 4 timed out, 1 no such saga. 'simulate': \
            the same, 4 for a saga that nothing would end.
            """,
        subcommands: [
            Dev.self, RunOrchestrator.self, Apply.self, Validate.self, Graph.self, Simulate.self, Drill.self,
            Definitions.self, Start.self, Show.self, List.self, Wait.self, Signal.self, Cancel.self, Pause.self,
            Resume.self, Retry.self, Skip.self, Plan.self, Failing.self, Dead.self,
            Status.self, Doctor.self, AccessControl.self, KeyCommands.self, Bench.self,
        ])

    /// Options of all commands may stand before the command, too.
    @OptionGroup var global: GlobalOptions
}
