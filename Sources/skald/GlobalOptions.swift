import ArgumentParser
import Foundation
import Logging
import RedisTransport
import SagaClient
import SagaCore
import SagaWire

/// What every command takes.
struct GlobalOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The Redis server.",
            discussion: """
                Default: SKALD_REDIS_URL, else redis://127.0.0.1:6379. Also unix:///path, \
                redis-sentinel://host:port,…/master (the sentinels' own password: SKALD_SENTINEL_PASSWORD) and \
                redis-cluster://host:port,…; rediss in place of redis is with TLS. A password here can be seen in the \
                list of processes: leave it out, and set SKALD_REDIS_PASSWORD or SKALD_REDIS_PASSWORD_FILE.
                """))
    var redis: String?

    @OptionGroup(title: "TLS, for rediss://") var tls: TLSOptions

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

    var endpoint: RedisEndpoint {
        get throws {
            do {
                return try RedisEndpoint(url: redis, environment: tls.added(to: ProcessInfo.processInfo.environment))
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

    /// Says once that others can read the password that stands on the command line.
    func validate() throws {
        // A URL that cannot be read is refused when it is used.
        guard let redis, let endpoint = try? RedisEndpoint(url: redis), endpoint.password != nil else { return }
        Self.warning
    }

    /// Written when it is first asked for: options are validated more than once.
    private static let warning: Void = {
        let advice = "leave it out, and set SKALD_REDIS_PASSWORD or SKALD_REDIS_PASSWORD_FILE"
        let warning = "skald: warning: the password in --redis can be seen in the list of processes: \(advice)\n"
        FileHandle.standardError.write(Data(warning.utf8))
    }()

    /// Logs to standard error. Commands that end soon say only what is wrong with their own words.
    func logger(default level: Logger.Level = .critical) -> Logger {
        var logger = Logger(label: "skald") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = logLevel ?? level
        return logger
    }

    /// Runs a command's work with a client; an error becomes one line on standard error and an exit code.
    func withClient(_ body: (SagaClient) async throws -> Void) async throws {
        let keys: PayloadKeys?
        do {
            keys = try PayloadKeys.read(from: ProcessInfo.processInfo.environment)
        } catch {
            throw fail(error.description)
        }
        let client = SagaClient(
            endpoint: try endpoint, namespace: try checkedNamespace, payloadKeys: keys, logger: logger())
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

/// The files that TLS needs. Options win over the environment.
struct TLSOptions: ParsableArguments {
    @Option(help: "PEM file of the authorities that sign servers. Default: SKALD_TLS_CA, else the system's.")
    var tlsCA: String?

    @Option(help: "PEM file of the client certificate, where the server wants one. Default: SKALD_TLS_CERT.")
    var tlsCert: String?

    @Option(help: "PEM file of its key. Default: SKALD_TLS_KEY.")
    var tlsKey: String?

    @Option(help: "The name in the server's certificate. Default: SKALD_TLS_SERVER_NAME, else the URL's host.")
    var tlsServerName: String?

    func added(to environment: [String: String]) -> [String: String] {
        let given = [
            "SKALD_TLS_CA": tlsCA, "SKALD_TLS_CERT": tlsCert, "SKALD_TLS_KEY": tlsKey,
            "SKALD_TLS_SERVER_NAME": tlsServerName,
        ]
        return environment.merging(given.compactMapValues { $0 }) { $1 }
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
