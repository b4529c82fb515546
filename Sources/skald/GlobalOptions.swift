import ArgumentParser
import Foundation
import Logging
import RedisTransport
import SagaClient
import SagaCore

/// What every command takes.
struct GlobalOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The Redis server.",
            discussion: """
                Default: SKALD_REDIS_URL, else redis://127.0.0.1:6379. Also unix:///path, \
                redis-sentinel://host:port,…/master (the sentinels' own password: SKALD_SENTINEL_PASSWORD) and \
                redis-cluster://host:port,….
                """))
    var redis: String?

    @Option(help: ArgumentHelp("The namespace.", discussion: "Default: SKALD_NAMESPACE, else skald."))
    var namespace: String?

    @Flag(help: "Machine-readable output: one JSON value, or one JSON object a line.")
    var json = false

    @Option(
        help: ArgumentHelp("trace, debug, info, notice, warning or error.", valueName: "level"),
        transform: { text in
            guard let level = Logger.Level(rawValue: text) else { throw ValidationError("'\(text)' is no log level") }
            return level
        })
    var logLevel: Logger.Level?

    var redisURL: String {
        redis ?? ProcessInfo.processInfo.environment["SKALD_REDIS_URL"] ?? "redis://127.0.0.1:6379"
    }

    var endpoint: RedisEndpoint {
        get throws {
            do {
                var endpoint = try RedisEndpoint(url: redisURL)
                if case .sentinel = endpoint.address, endpoint.sentinelPassword == nil {
                    endpoint.sentinelPassword = ProcessInfo.processInfo.environment["SKALD_SENTINEL_PASSWORD"]
                }
                return endpoint
            } catch {
                throw ValidationError("\(error)")
            }
        }
    }

    var checkedNamespace: String {
        get throws {
            let name = namespace ?? ProcessInfo.processInfo.environment["SKALD_NAMESPACE"] ?? "skald"
            guard Names.isNamespace(name) else {
                throw ValidationError("'\(name)' is no namespace: use 1 to 32 of a-z, 0-9 and -")
            }
            return name
        }
    }

    /// Logs to standard error. Commands that end soon say only what is wrong with their own words.
    func logger(default level: Logger.Level = .critical) -> Logger {
        var logger = Logger(label: "skald") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = logLevel ?? level
        return logger
    }

    /// Runs a command's work with a client; an error becomes one line on standard error and an exit code.
    func withClient(_ body: (SagaClient) async throws -> Void) async throws {
        let client = SagaClient(endpoint: try endpoint, namespace: try checkedNamespace, logger: logger())
        do {
            try await body(client)
        } catch let error as ClientError {
            await client.close()
            if case .unreachable = error { throw fail(error.description, .unavailable) }
            throw fail(error.description)
        } catch {
            await client.close()
            throw error
        }
        await client.close()
    }
}

extension ExitCode {
    /// Redis out of reach (EX_UNAVAILABLE).
    static let unavailable = ExitCode(69)
    static let compensated = ExitCode(2)
    static let stuck = ExitCode(3)
    static let timedOut = ExitCode(4)
}

/// Says on standard error why the command fails.
func fail(_ reason: String, _ code: ExitCode = .failure) -> ExitCode {
    FileHandle.standardError.write(Data("skald: \(Terminal.clean(reason))\n".utf8))
    return code
}
