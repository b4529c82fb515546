import Foundation
import LocalRedis
import RedisTransport
import TestSupport
import Testing

/// `deploy/shop/run.sh`: two orchestrators and the shop's services against one Redis server, each with its own rights.
@Suite struct DeployedShopTests {
    @Test(.timeLimit(.minutes(3)))
    func theShopRunsAsDeployed() async throws {
        let directory = FileManager.default.temporaryDirectory.appending(
            path: "skald-run-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        // What cannot be removed stays in the system's temporary directory, and harms nobody.
        defer { try? FileManager.default.removeItem(at: directory) }
        // Above the ports that other tests' servers take, below those that the system hands out.
        let port = Int.random(in: 32_100..<32_700)
        let log = directory.appending(path: "run.log").path
        var shop = try ChildProcess.spawn(
            "/usr/bin/env",
            ["PORT=\(port)", Repository.path(of: "deploy/shop/run.sh"), directory.path], output: log)
        while try !String(contentsOfFile: log, encoding: .utf8).contains("The shop is open") {
            let isRunning = shop.isRunning
            let text = try String(contentsOfFile: log, encoding: .utf8)
            try #require(isRunning, "\(text)")
            try await Task.sleep(for: .milliseconds(50))
        }
        let starter = Starter(directory: directory)
        #expect(try await starter.order("o-1", customer: "ada") == 0)
        #expect(try await starter.order("o-2", customer: "bob") == 2, "bob has too little money")
        shop.terminate()
        while shop.isRunning { try await Task.sleep(for: .milliseconds(50)) }
        await #expect(throws: RedisError.self, "Redis is stopped, too") {
            try await RedisConnection.connect(to: RedisEndpoint(address: .tcp(host: "127.0.0.1", port: port)))
        }
    }

    /// Places orders with the program, as the user who may do that.
    private struct Starter {
        let directory: URL

        /// - Returns: The exit code: 0 completed, 2 compensated.
        func order(_ order: String, customer: String) async throws -> Int32? {
            let input =
                #"{"order":"\#(order)","customer":"\#(customer)","day":"monday","lines":[{"sku":"cup","quantity":2}]}"#
            var child = try ChildProcess.spawn(
                "/bin/bash",
                [
                    "-c", #"set -a; . "$1"; shift; exec "$@""#, "bash",
                    directory.appending(path: "users/skald-starter.env").path,
                    Repository.path(of: ".build/debug/skald"), "start", "order", "--id", order, "--input", input,
                    "--wait",
                    "--timeout", "60s",
                ], output: directory.appending(path: "start.log").path)
            while child.isRunning { try await Task.sleep(for: .milliseconds(20)) }
            return child.exitCode
        }
    }
}
