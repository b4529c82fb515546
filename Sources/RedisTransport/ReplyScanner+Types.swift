extension ReplyScanner {
    struct Limits: Sendable {
        var bytes: Int
        var elements: Int
        var depth: Int

        /// hiredis refuses a ninth level.
        static let depthOfParser = 8
    }

    enum Failure: Error {
        case malformed(StaticString)
        case tooLarge(StaticString)
    }

    struct Progress {
        /// Where scanning stopped: behind the input, or behind the first reply that ends at or after `pause`.
        var end: Int
        /// Where the last whole reply of the scanned input ends, if one does.
        var lastReplyEnd: Int?
        var failure: Failure?
    }

    enum Phase {
        /// can transition to line, number
        case type
        /// a status or error; can transition to lineEnd
        case line
        /// an integer or a length; can transition to lineEnd
        case number
        /// the LF of a line; can transition to type, body
        case lineEnd
        /// a bulk's bytes; can transition to bodyCR
        case body
        /// can transition to bodyLF
        case bodyCR
        /// can transition to type
        case bodyLF
    }
}
