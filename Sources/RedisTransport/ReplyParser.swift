import CHiredis

/// Turns bytes into replies: the scanner guards, hiredis builds.
package struct ReplyParser: ~Copyable {
    /// How much of many small replies hiredis is given at once: it moves the rest of its buffer down with every
    /// kilobyte that it consumes.
    private static let portion = 4096

    private let reader: UnsafeMutablePointer<redisReader>
    private var scanner: ReplyScanner

    /// Nil where memory is out.
    package init?(options: ConnectionOptions) {
        guard let reader = redisReaderCreate() else { return nil }
        self.reader = reader
        scanner = ReplyScanner(
            limits: .init(
                bytes: options.maxReplyBytes,
                elements: options.maxReplyElements,
                depth: options.maxDepth))
    }

    deinit {
        redisReaderFree(reader)
    }

    /// Parses the next piece of input and appends the replies that it completes.
    ///
    /// Returns what is wrong with it, if something is; the replies before that are appended all the same. Nothing may
    /// be parsed after a failure.
    package mutating func parse(_ input: UnsafeRawBufferPointer, into replies: inout [RedisReply]) -> RedisError? {
        var position = 0
        while position < input.count {
            let progress = scanner.scan(input, from: position, pause: position + Self.portion)
            let end = progress.failure == nil ? progress.end : progress.lastReplyEnd ?? position
            if end > position, let error = feed(UnsafeRawBufferPointer(rebasing: input[position..<end]), &replies) {
                return error
            }
            if let failure = progress.failure { return RedisError(failure) }
            position = end
        }
        return nil
    }

    private mutating func feed(_ bytes: UnsafeRawBufferPointer, _ replies: inout [RedisReply]) -> RedisError? {
        guard redisReaderFeed(reader, bytes.baseAddress, bytes.count) == REDIS_OK else { return readerError }
        while true {
            var reply: UnsafeMutableRawPointer?
            guard redisReaderGetReply(reader, &reply) == REDIS_OK else { return readerError }
            guard let reply else { return nil }
            replies.append(RedisReply(owning: reply.assumingMemoryBound(to: redisReply.self)))
        }
    }

    private var readerError: RedisError {
        let text = withUnsafeBytes(of: reader.pointee.errstr) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return RedisError(
            code: .protocolViolation, message: "the reply could not be parsed: \(text)", effect: .indeterminate)
    }
}

extension RedisError {
    fileprivate init(_ failure: ReplyScanner.Failure) {
        switch failure {
        case .malformed(let text):
            self.init(code: .protocolViolation, message: "not RESP: \(text)", effect: .indeterminate)
        case .tooLarge(let text):
            self.init(code: .replyTooLarge, message: "reply refused: \(text)", effect: .indeterminate)
        }
    }
}
