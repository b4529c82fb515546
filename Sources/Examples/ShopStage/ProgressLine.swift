import Foundation
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What a program of the shop prints while it runs: on a terminal one line that is written over, else a line now and then.
package struct ProgressLine {
    private let isTerminal = isatty(1) != 0
    private let began = ContinuousClock.now
    private var lastShown: ContinuousClock.Instant?
    private var lastText = ""

    package init() {}

    /// Shows how far it is, but not too often.
    package mutating func show(_ text: String) {
        let now = ContinuousClock.now
        let pause: Duration = isTerminal ? .milliseconds(100) : .seconds(1)
        if let lastShown, now - lastShown < pause { return }
        guard text != lastText else { return }
        lastShown = now
        lastText = text
        write(isTerminal ? "\r\u{1b}[K\(stamp)\(text)" : "\(stamp)\(text)\n")
    }

    /// Says something that stays.
    package mutating func say(_ text: String) {
        write((isTerminal ? "\r\u{1b}[K" : "") + "\(stamp)\(text)\n")
    }

    /// Says something without the time before it.
    package mutating func print(_ text: String) {
        write((isTerminal ? "\r\u{1b}[K" : "") + text + "\n")
    }

    private var stamp: String {
        let seconds = (ContinuousClock.now - began) / .seconds(1)
        return String(format: "%6.1f s  ", seconds)
    }

    private func write(_ text: String) {
        // Whoever has closed the output does not want to be told.
        try? FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
    }
}
