import RedisTransport

/// Runs a starter warm, then for the record.
struct Measurement: Sendable {
    let options: BenchOptions
    let client: RedisRouter

    func run(_ starter: SagaStarter) async throws -> BenchResult {
        var starter = starter
        _ = try await starter.run(sagas: max(options.inFlight, options.sagas / 10))
        let before = try await ServerUsage(of: client)
        let begin = ContinuousClock.now
        let stopwatch = try await starter.run(sagas: options.sagas)
        let elapsed = ContinuousClock.now - begin
        let after = try await ServerUsage(of: client)
        // Streams are trimmed a few times a second; what is left then is what a saga leaves.
        try await Task.sleep(for: .seconds(1))
        let settled = try await ServerUsage(of: client)
        let steps = options.sagas * options.steps
        return BenchResult(
            sagas: options.sagas, steps: steps,
            seconds: Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18,
            p50: stopwatch.milliseconds(atPercentile: 50), p99: stopwatch.milliseconds(atPercentile: 99),
            redisMicrosecondsPerStep: (after.cpuMicroseconds - before.cpuMicroseconds) / Double(steps),
            bytesPerSaga: (settled.memoryBytes - before.memoryBytes) / Double(options.sagas))
    }
}

extension ThrowingTaskGroup where ChildTaskResult == BenchResult?, Failure == any Error {
    /// The first result that a child has; then all are cancelled and awaited.
    mutating func firstResult() async throws -> BenchResult {
        var result: BenchResult?
        while result == nil, let next = try await self.next() { result = next }
        cancelAll()
        // What the others throw when they are cancelled is of no interest.
        while (try? await self.next()) != nil {}
        guard let result else { throw BenchError(description: "the measurement ended without a result") }
        return result
    }
}

/// Removes all keys of a benchmark's namespace.
func removeNamespace(_ namespace: String, _ client: RedisRouter) async throws {
    var cursor = "0"
    repeat {
        let reply = try await client.send(RedisCommand("SCAN", cursor, "MATCH", "{\(namespace)*", "COUNT", "1000"))
        cursor = reply.value[0].string ?? "0"
        let found = reply.value[1]
        guard found.count > 0 else { continue }
        var unlink = RedisCommand("UNLINK")
        for index in 0..<found.count { unlink.append(found[index].string ?? "") }
        _ = try await client.send(unlink)
    } while cursor != "0"
}
