/// Walks over RESP before hiredis sees it, and stops what must not reach it.
///
/// hiredis 0.14 reserves the memory of an array when it reads its header (`*2147483647` is 16 GiB), waits for any bulk
/// length, rescans an unfinished line with every feed, and takes what follows a bulk for CRLF without a look. So the
/// whole grammar is checked here, strictly, and the bounds with it, from the headers alone: bodies are skipped by
/// length. A byte costs a nanosecond or so, bulk bodies nothing.
///
/// Input may be cut anywhere. After a failure the connection must be closed; there is no way to find the next reply.
struct ReplyScanner {
    /// The longest line of a status or error, and of a header.
    static let maxLineBytes = 64 << 10
    private static let maxHeaderBytes = 24

    private let limits: Limits
    private var phase = Phase.type
    private var kind: UInt8 = 0
    /// The integer or length under way.
    private var magnitude: UInt64 = 0
    private var isNegative = false
    private var digits = 0
    private var lineBytes = 0
    /// What is left of the bulk's body.
    private var bodyBytes = 0
    /// Bytes of the reply under way that came with earlier input.
    private var earlierBytes = 0
    private var elements = 0
    /// Elements that the open arrays still lack, outermost first.
    private var open: [Int] = []

    init(limits: Limits) {
        self.limits = limits
        open.reserveCapacity(Limits.depthOfParser)
    }

    /// Scans from `start`; stops behind the first reply that ends at or after `pause`.
    mutating func scan(_ input: UnsafeRawBufferPointer, from start: Int, pause: Int) -> Progress {
        var progress = Progress(end: start)
        /// Where the reply under way begins, negative if it began in earlier input.
        var replyStart = start - earlierBytes
        var position = start
        do throws(Failure) {
            while position < input.count {
                let byte = input[position]
                switch phase {
                case .type:
                    try begin(byte, size: position - replyStart)
                    position += 1
                case .line:
                    position = try skipLine(input, from: position)
                case .number:
                    try number(byte)
                    position += 1
                case .lineEnd:
                    guard byte == UInt8(ascii: "\n") else { throw .malformed("a line does not end in CRLF") }
                    position += 1
                    if try endLine(size: position - replyStart) {
                        replyStart = position
                        progress.lastReplyEnd = position
                    }
                case .body:
                    let skipped = min(bodyBytes, input.count - position)
                    bodyBytes -= skipped
                    position += skipped
                    if bodyBytes == 0 { phase = .bodyCR }
                case .bodyCR:
                    guard byte == UInt8(ascii: "\r") else { throw .malformed("a bulk does not end in CRLF") }
                    position += 1
                    phase = .bodyLF
                case .bodyLF:
                    guard byte == UInt8(ascii: "\n") else { throw .malformed("a bulk does not end in CRLF") }
                    position += 1
                    if endElement() {
                        replyStart = position
                        progress.lastReplyEnd = position
                    }
                }
                if position >= pause, replyStart == position { break }
            }
        } catch {
            progress.failure = error
        }
        earlierBytes = position - replyStart
        progress.end = position
        return progress
    }

    private mutating func begin(_ type: UInt8, size: Int) throws(Failure) {
        guard size < limits.bytes else { throw .tooLarge("more bytes in one reply than allowed") }
        kind = type
        lineBytes = 0
        switch type {
        case UInt8(ascii: "+"), UInt8(ascii: "-"):
            phase = .line
        case UInt8(ascii: ":"), UInt8(ascii: "$"), UInt8(ascii: "*"):
            phase = .number
            magnitude = 0
            isNegative = false
            digits = 0
        default:
            throw .malformed("a reply does not begin with one of + - : $ *")
        }
    }

    /// Returns the position behind the CR, or behind the input.
    private mutating func skipLine(_ input: UnsafeRawBufferPointer, from start: Int) throws(Failure) -> Int {
        var position = start
        while position < input.count {
            let byte = input[position]
            position += 1
            if byte == UInt8(ascii: "\r") {
                phase = .lineEnd
                break
            }
            if byte == UInt8(ascii: "\n") { throw .malformed("a line feed within a line") }
        }
        lineBytes += position - start
        guard lineBytes <= Self.maxLineBytes else { throw .tooLarge("a status or error longer than 64 KiB") }
        return position
    }

    private mutating func number(_ byte: UInt8) throws(Failure) {
        lineBytes += 1
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            let (shifted, overflow) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, carry) = shifted.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
            guard !overflow, !carry, lineBytes <= Self.maxHeaderBytes else { throw .malformed("a number too long") }
            magnitude = sum
            digits += 1
        case UInt8(ascii: "-") where lineBytes == 1:
            isNegative = true
        case UInt8(ascii: "\r") where digits > 0:
            phase = .lineEnd
        default:
            throw .malformed("a number with something else than digits")
        }
    }

    /// Returns whether the outermost reply is complete.
    private mutating func endLine(size: Int) throws(Failure) -> Bool {
        switch kind {
        case UInt8(ascii: ":"):
            guard magnitude <= UInt64(Int64.max) + (isNegative ? 1 : 0) else { throw .malformed("a number too large") }
            return endElement()
        case UInt8(ascii: "$"):
            guard !isNegative else { return try endNull() }
            let left = limits.bytes - size - 2
            guard left >= 0, magnitude <= UInt64(left) else {
                throw .tooLarge("more bytes in one reply than allowed")
            }
            bodyBytes = Int(magnitude)
            phase = bodyBytes == 0 ? .bodyCR : .body
            return false
        case UInt8(ascii: "*"):
            guard open.count < min(limits.depth, Limits.depthOfParser) else {
                throw .tooLarge("arrays nested deeper than allowed")
            }
            guard !isNegative else { return try endNull() }
            let left = limits.elements - elements
            guard left >= 0, magnitude <= UInt64(left) else {
                throw .tooLarge("more elements in one reply than allowed")
            }
            guard magnitude > 0 else { return endElement() }
            elements += Int(magnitude)
            open.append(Int(magnitude))
            phase = .type
            return false
        default:
            return endElement()
        }
    }

    private mutating func endNull() throws(Failure) -> Bool {
        guard magnitude == 1 else { throw .malformed("a negative length") }
        return endElement()
    }

    /// Closes the arrays that end with this element; returns whether the outermost reply is complete.
    private mutating func endElement() -> Bool {
        phase = .type
        while let last = open.indices.last {
            open[last] -= 1
            if open[last] > 0 { return false }
            open.removeLast()
        }
        elements = 0
        return true
    }
}
