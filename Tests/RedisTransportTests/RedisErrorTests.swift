import RedisTransport
import Testing

@Suite struct RedisErrorTests {
    /// The error as it arrives in a reply.
    private static func error(_ text: String) throws -> RedisError {
        try #require(try ReplyParser.parse(Array("-\(text)\r\n".utf8)).replies.first?.value.error)
    }

    @Test(arguments: [
        ("NOSCRIPT No matching script. Please use EVAL.", RedisError.Code.noScript, true),
        ("MOVED 3999 127.0.0.1:6381", .moved(slot: 3999, address: "127.0.0.1:6381"), false),
        ("ASK 16383 [::1]:6381", .ask(slot: 16383, address: "[::1]:6381"), false),
        ("TRYAGAIN Multiple keys request during rehashing of slot", .tryAgain, true),
        ("CLUSTERDOWN Hash slot not served", .clusterDown, true),
        ("CROSSSLOT Keys in request don't hash to the same slot", .crossSlot, false),
        ("LOADING Redis is loading the dataset in memory", .loading, true),
        ("BUSY Redis is busy running a script.", .busy, true),
        ("READONLY You can't write against a read only replica.", .readOnly, true),
        ("OOM command not allowed when used memory > 'maxmemory'.", .outOfMemory, true),
        ("MISCONF Errors writing to the AOF file: No space left on device", .misconf, true),
        ("NOREPLICAS Not enough good replicas to write.", .noReplicas, true),
        ("MASTERDOWN Link with MASTER is down", .masterDown, true),
        ("NOAUTH Authentication required.", .noAuth, false),
        ("WRONGPASS invalid username-password pair or user is disabled.", .wrongPass, false),
        ("NOPERM this user has no permissions to run the 'get' command", .noPermission, false),
        ("WRONGTYPE Operation against a key holding the wrong kind of value", .wrongType, false),
        ("NOGROUP No such key 's' or consumer group 'g'", .noGroup, false),
        ("BUSYGROUP Consumer Group name already exists", .busyGroup, false),
        ("UNBLOCKED the stream key no longer exists", .unblocked, true),
        ("EXECABORT Transaction discarded because of previous errors.", .execAbort, false),
        ("EXECABORT Transaction discarded because of: READONLY You can't write", .readOnly, true),
        ("EXECABORT Transaction discarded because of: something", .execAbort, false),
    ])
    func firstWordsOfUpFrontErrors(text: String, code: RedisError.Code, isTransient: Bool) throws {
        let error = try Self.error(text)
        #expect(error.code == code)
        #expect(error.message == text)
        #expect(error.isTransient == isTransient)
        #expect(error.effect == .notApplied)
    }

    @Test(arguments: [
        ("ERR wrong number of arguments", "ERR"), ("", "ERR"), ("FENCED 12", "FENCED"), ("MOVED", "MOVED"),
        ("MOVED x 127.0.0.1:1", "MOVED"), ("MOVED 16384 127.0.0.1:1", "MOVED"), ("ASK -1 h", "ASK"),
        ("MOVED 1", "MOVED"),
    ])
    func otherErrorsKeepTheirWordAndProveNothing(text: String, word: String) throws {
        let error = try Self.error(text)
        #expect(error.code == .other(word))
        #expect(error.effect == .indeterminate)
        #expect(!error.isTransient)
    }

    @Test(arguments: [
        "ERR The user executing the script can't run this command or subcommand",
        "ERR The user executing the script can't access at least one of the keys mentioned in the command arguments",
    ])
    func aRightThatIsMissingWithinAScript(text: String) throws {
        let error = try Self.error(text + " script: 5a, on @user_script:2.")
        #expect(error.code == .noPermission)
        #expect(error.effect == .indeterminate)
        // A script's own words prove nothing.
        #expect(try Self.error(text).code == .other("ERR"))
    }

    @Test func errorsRaisedWithinAScriptMayHaveLeftWrites() throws {
        let error = try Self.error(
            "WRONGTYPE Operation against a key holding the wrong kind of value script: 5a, on @user_script:1.")
        #expect(error.code == .wrongType)
        #expect(error.effect == .indeterminate)
    }

    @Test func messagesAreBoundedPrintableLines() throws {
        #expect(try Self.error("ERR " + String(repeating: "x", count: 60_000)).message.utf8.count <= 1024)
        #expect(try Self.error("ERR a\u{1B}[31mb\u{7}").message == "ERR a?[31mb?")
        let invalid = try ReplyParser.parse([UInt8(ascii: "-"), 0xFF, 0xFE, 13, 10]).replies.first?.value.error
        #expect(invalid?.message == "\u{FFFD}\u{FFFD}")
    }
}
