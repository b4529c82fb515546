import NIOCore
import NIOEmbedded
import RedisTransport
import Testing

/// What a connection does on its event loop, with a clock and a socket of the test's own.
@Suite struct ChannelTests {
    @Test func whatIsSubmittedInOneTurnIsOneWrite() async throws {
        let channel = NIOAsyncTestingChannel()
        let connection = try await channel.testingEventLoop.executeInContext { try RedisConnection(over: channel) }
        // On the loop, so that its next turn begins behind the last of them.
        let pending = try await channel.testingEventLoop.executeInContext {
            (0..<3).map { connection.submit(RedisCommand("GET", "\($0)")) }
        }
        let written = try await channel.waitForOutboundWrite(as: ByteBuffer.self)
        #expect(String(buffer: written) == (0..<3).map { "*2\r\n$3\r\nGET\r\n$1\r\n\($0)\r\n" }.joined())
        try await channel.writeInbound(ByteBuffer(string: ":0\r\n:1"))
        try await channel.writeInbound(ByteBuffer(string: "\r\n:2\r\n"))
        for (index, reply) in pending.enumerated() {
            #expect(try await reply.get().value.integer == Int64(index))
        }
        await connection.close()
    }

    @Test func theTimeoutIsKeptToTheTick() async throws {
        let channel = NIOAsyncTestingChannel()
        let connection = try await channel.testingEventLoop.executeInContext {
            try RedisConnection(over: channel, options: ConnectionOptions(replyTimeout: .seconds(7)))
        }
        let pending = connection.submit(RedisCommand("GET", "a"))
        _ = try await channel.waitForOutboundWrite(as: ByteBuffer.self)
        await channel.testingEventLoop.advanceTime(by: .milliseconds(6_999))
        #expect(!connection.isClosed)
        await channel.testingEventLoop.advanceTime(by: .milliseconds(1))
        let error = await failure { () async throws(RedisError) in try await pending.get() }
        #expect(error?.code == .timeout)
    }
}
