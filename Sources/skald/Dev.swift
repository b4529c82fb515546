import ArgumentParser
import Foundation
import LocalRedis
import Logging
import SagaOrchestrator
import SagaRedis

/// Redis and an orchestrator in one command.
struct Dev: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a redis-server of its own, with an append-only file, and an orchestrator, in one command.")

    @OptionGroup var global: GlobalOptions
    @OptionGroup var settings: OrchestratorSettings

    @Option(help: ArgumentHelp("Directory of the server's files; made where it is missing.", valueName: "dir"))
    var data = "data"

    @Option(help: "Port of the redis-server. Default: a free one.")
    var port: Int?

    @Option(help: ArgumentHelp("Serve /healthz, /readyz and /metrics there.", valueName: "host:port"))
    var http = "127.0.0.1:8410"

    func run() async throws {
        let logger = global.logger(default: .info)
        guard global.redis == nil else {
            throw ValidationError("dev starts a redis-server of its own: --port says where; leave out --redis")
        }
        // Whatever can be wrong with the options is said before there is a server to be stopped.
        let address = try httpAddress(http)
        let namespace = try global.checkedNamespace
        let (orchestratorOptions, secret) = (try settings.options(), try settings.secret())
        do {
            try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
        } catch {
            throw fail("the data directory '\(data)' cannot be made: \(error.localizedDescription)")
        }
        let directory = URL(fileURLWithPath: data).standardizedFileURL.path
        var options = LocalRedisServer.Options()
        options.directory = directory
        // Without replicas, what is synced to disk before it is answered is confirmed.
        options.appendOnly = orchestratorOptions.requiresConfirmation ? .always : .everysec
        options.port = port
        let redis: LocalRedisServer
        do {
            redis = try await LocalRedisServer.start(options)
        } catch {
            throw fail("\(error)")
        }
        print("Redis        \(redis.url)   (data in \(directory))")
        print("Health       http://\(address)/readyz")
        print("Try          export SKALD_REDIS_URL=\(redis.url); skald status")
        print("Stop         Ctrl-C")
        // Not through a buffer: whoever reads a pipe waits for these lines.
        fflush(nil)
        var storeOptions = RedisSagaStore.Options()
        storeOptions.allowsEviction = settings.allowEviction
        let store = RedisSagaStore(
            endpoint: redis.endpoint, namespace: namespace, options: storeOptions, logger: logger)
        do {
            try await serve(store, orchestratorOptions, secret, address, logger: logger)
        } catch {
            await redis.stop()
            throw error
        }
        await redis.stop()
    }
}
