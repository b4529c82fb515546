import ArgumentParser
import SagaClient
import SagaCore

/// Dead letters.
struct Dead: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look at messages that could not be processed.", subcommands: [DeadList.self, DeadShow.self])
}

struct DeadList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List them, newest first.")

    @OptionGroup var global: GlobalOptions
    @Option(help: "How many at most.") var limit = 50

    func run() async throws {
        guard limit > 0 else { throw ValidationError("--limit takes a number from 1") }
        try await global.withClient { client in
            let letters = try await client.deadLetters(limit: limit)
            if global.json {
                for letter in letters { printJSON { letter.write(to: &$0) } }
            } else if letters.isEmpty {
                print("no dead letters")
            } else {
                let rows = letters.map { [$0.id, Terminal.time($0.at), $0.saga ?? "-", $0.reason] }
                print(Terminal.table(["ID", "AT", "SAGA", "REASON"], rows))
            }
        }
    }
}

struct DeadShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show one with its fields.")

    @OptionGroup var global: GlobalOptions
    @Argument(help: "The letter's id, from 'dead list'.") var id: String

    func run() async throws {
        try await global.withClient { client in
            guard let letter = try await client.deadLetter(id) else { throw fail("there is no dead letter '\(id)'") }
            if global.json { return printJSON { letter.write(to: &$0) } }
            print(Terminal.clean("reason    \(letter.reason)"))
            print(Terminal.clean("source    \(letter.source) \(letter.entry), message \(letter.message)"))
            print("at        \(Terminal.time(letter.at))")
            for field in letter.fields {
                print(Terminal.clean("  \(field.name) = \(String(decoding: field.value, as: UTF8.self))"))
            }
        }
    }
}

/// How the namespace fares.
struct Status: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show partitions, owners, lags, orchestrators, services, consumers and memory.")

    @OptionGroup var global: GlobalOptions

    func run() async throws {
        try await global.withClient { client in
            let status = try await client.status()
            if global.json { return printJSON { status.write(to: &$0) } }
            let partitions = status.partitions.map { partition in
                [
                    String(partition.index), partition.owner ?? "-",
                    partition.owner == nil ? "-" : Terminal.span(partition.leaseLeft), String(partition.epoch),
                    String(partition.era), String(partition.open), String(partition.ended), String(partition.lag),
                    String(partition.dead),
                ]
            }
            print(
                Terminal.table(
                    ["PARTITION", "OWNER", "LEASE", "EPOCH", "ERA", "OPEN", "ENDED", "LAG", "DEAD"], partitions))
            let members = status.members.map { member in
                [
                    member.name, member.instance, Terminal.span(member.age), "\(member.held) of \(member.share)",
                    member.isGone ? "gone" : member.isLeaving ? "leaving" : "present",
                ]
            }
            if !members.isEmpty {
                print("\n" + Terminal.table(["ORCHESTRATOR", "INSTANCE", "HEARD", "HOLDS", "STATE"], members))
            }
            let services = status.services.map { service in
                [
                    service.name, String(service.queued), String(service.pending),
                    service.consumers.map { "\($0.name) (idle \(Terminal.span($0.idle)))" }
                        .joined(separator: " "),
                ]
            }
            if !services.isEmpty {
                print("\n" + Terminal.table(["SERVICE", "QUEUED", "PENDING", "CONSUMERS"], services))
            }
            print("\nRedis \(status.redisVersion): \(status.usedMemory / 1_048_576) MiB used")
            if let overload = status.overload {
                print(Terminal.clean("overloaded: \(overload): no sagas are begun, those that are go on"))
            }
        }
    }
}
