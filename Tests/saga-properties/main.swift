import SagaProperties

// Runs random sagas through the machine: saga-properties [--from SEED] [--count N] | --seed SEED
// Visits every state of small sagas: saga-properties explore
if CommandLine.arguments.dropFirst().first == "explore" {
    try await Exploring(CommandLine.arguments.dropFirst(2)).run()
} else {
    try await hunt(CommandLine.arguments.dropFirst())
}
