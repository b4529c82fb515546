import SagaCore

/// The bounds of what goes into a reply; the coordinator cuts or refuses what is larger.
enum ReplyLimits {
    /// Leaves room in a message of 256 KiB for the fields that are echoed.
    static let resultBytes = 253_952
    static let errorBytes = 4_096
    static let codeBytes = 64
}

extension HandlerOutcome {
    /// A success, unless the result is too large for a reply. That is a refusal: a retry would make the same result.
    package init(result: [UInt8]?) {
        if let result, result.count > ReplyLimits.resultBytes {
            self = .failed(
                code: "result-too-large",
                error: "the result has \(result.count) bytes; the limit is \(ReplyLimits.resultBytes)")
        } else {
            self = .succeeded(result)
        }
    }

    /// What a thrown error means.
    package init(thrown error: any Error) {
        switch error {
        case let refusal as Refusal:
            self = .failed(
                code: refusal.code.cut(to: ReplyLimits.codeBytes),
                error: refusal.message.cut(to: ReplyLimits.errorBytes))
        case let later as RetryLater:
            self = .retry(
                error: later.message.cut(to: ReplyLimits.errorBytes), after: max(0, Milliseconds(later.after)))
        default:
            self = .retry(error: "\(error)".cut(to: ReplyLimits.errorBytes))
        }
    }
}

extension String {
    /// At most `limit` bytes of the text, and no half character.
    package func cut(to limit: Int) -> String {
        guard utf8.count > limit else { return self }
        var end = utf8.index(startIndex, offsetBy: limit)
        while end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
        return String(self[..<end])
    }
}

extension Milliseconds {
    /// A span in whole milliseconds; longer ones than are representable are clamped.
    package init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
        self = overflow ? (seconds < 0 ? .min : .max) : product.adding(attoseconds / 1_000_000_000_000_000)
    }
}
