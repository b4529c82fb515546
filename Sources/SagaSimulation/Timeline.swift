public import SagaCore

/// One thing that happened in a simulation.
public struct TimelineLine: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case started
        /// A command was sent.
        case sent
        /// The step waits for time to pass, or for a signal.
        case waiting
        case succeeded
        /// Refused, or a signal that did not come in time.
        case failed
        /// An attempt came to nothing; the next one has its time.
        case retrying
        /// An action that is not tried again, and may have had an effect.
        case unknown
        case stuck
        case skipped
        /// A topic was told.
        case emitted
        case signal
        case order
        /// An order or a signal that was refused.
        case refused
        /// An order or a signal that changed nothing.
        case ignored
        case turnedBack
        case reopened
        /// The saga's status changed for good, or to `stuck`.
        case ended
        /// What the simulation has to say about itself.
        case note
    }

    /// Simulated time since the saga's start.
    public var at: Milliseconds
    public var kind: Kind
    /// Nil: the saga as a whole.
    public var step: String?
    /// Of a `forEach` step: place in its list, from 0.
    public var item: Int?
    public var phase: Phase?
    public var attempt: Int?
    /// What happened, without the step's name.
    public var text: String

    public init(
        at: Milliseconds, _ kind: Kind, step: String? = nil, item: Int? = nil, phase: Phase? = nil,
        attempt: Int? = nil, _ text: String
    ) {
        self.at = at
        self.kind = kind
        self.step = step
        self.item = item
        self.phase = phase
        self.attempt = attempt
        self.text = text
    }

    /// `reserve`, or `reserve#3` for an item of it; nil for the saga as a whole.
    public var branch: String? { step.map { branchName($0, item) } }
}

/// How a step, or one item of it, is called where people read it.
func branchName(_ step: String, _ item: Int?) -> String { item.map { "\(step)#\($0)" } ?? step }

/// A timeline as text, one line for each thing that happened.
public enum Timeline {
    /// Lines such as `+0.010s  charge  action attempt 1 → payments (charge)`, in columns.
    ///
    /// A long run of attempts of one step is shortened in its middle.
    public static func text(_ lines: [TimelineLine]) -> [String] {
        let lines = folded(lines)
        let times = lines.map { offset($0.at) }
        let names = lines.map { $0.branch ?? "saga" }
        let timeWidth = times.map(\.count).max() ?? 0
        let nameWidth = names.map(\.count).max() ?? 0
        return lines.indices.map { index in
            "\(pad(times[index], left: timeWidth))  \(pad(names[index], right: nameWidth))  \(lines[index].text)"
        }
    }

    /// An instant since the start: `+0.010s`, `+2m03.500s`.
    package static func offset(_ span: Milliseconds) -> String { "+" + duration(span) }

    /// A span to the millisecond: `0.010s`, `2m03.500s`, `1d02h00m00.000s`.
    public static func duration(_ span: Milliseconds) -> String {
        let (seconds, rest) = (span / 1_000, span % 1_000)
        let fraction = "." + pad(String(rest), zeros: 3) + "s"
        guard seconds >= 60 else { return "\(seconds)\(fraction)" }
        var parts = [(seconds / 86_400, "d"), (seconds / 3_600 % 24, "h"), (seconds / 60 % 60, "m")]
        parts.removeSubrange(..<(parts.firstIndex { $0.0 != 0 } ?? 0))
        let head = parts.enumerated().map { index, part in
            pad(String(part.0), zeros: index == 0 ? 1 : 2) + part.1
        }
        return head.joined() + pad(String(seconds % 60), zeros: 2) + fraction
    }

    /// An instant as RFC 3339 has it, in UTC: `2026-01-31T12:00:00.000Z`.
    package static func instant(_ instant: Milliseconds) -> String {
        let day: Milliseconds = 86_400_000
        let rest = (instant % day + day) % day
        // Howard Hinnant's civil-from-days: years that begin in March put the leap day at their end.
        let days = (instant - rest) / day + 719_468
        let era = (days >= 0 ? days : days - 146_096) / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let date = [
            pad(String(yearOfEra + era * 400 + (month >= 10 ? 1 : 0)), zeros: 4),
            pad(String(month < 10 ? month + 3 : month - 9), zeros: 2),
            pad(String(dayOfYear - (153 * month + 2) / 5 + 1), zeros: 2),
        ]
        let time = [rest / 3_600_000, rest / 60_000 % 60, rest / 1_000 % 60].map { pad(String($0), zeros: 2) }
        return date.joined(separator: "-") + "T" + time.joined(separator: ":") + "."
            + pad(String(rest % 1_000), zeros: 3) + "Z"
    }

    private static let kept = (head: 6, tail: 2)

    private static func folded(_ lines: [TimelineLine]) -> [TimelineLine] {
        var result: [TimelineLine] = []
        var start = 0
        while start < lines.count {
            var end = start + 1
            while end < lines.count, isRepetition(lines[end], of: lines[start]) { end += 1 }
            let run = lines[start..<end]
            if isAttempt(lines[start]), run.count > kept.head + kept.tail + 2 {
                let hidden = run.dropFirst(kept.head).dropLast(kept.tail)
                let first = hidden.first?.attempt ?? 0
                let last = hidden.last?.attempt ?? 0
                result += run.prefix(kept.head)
                result.append(
                    TimelineLine(
                        at: hidden.first?.at ?? 0, .note, step: lines[start].step, item: lines[start].item,
                        "… attempts \(first) to \(last) …"))
                result += run.suffix(kept.tail)
            } else {
                result += run
            }
            start = end
        }
        return result
    }

    private static func isAttempt(_ line: TimelineLine) -> Bool { line.kind == .sent || line.kind == .retrying }

    private static func isRepetition(_ line: TimelineLine, of first: TimelineLine) -> Bool {
        isAttempt(line) && line.branch == first.branch && line.phase == first.phase
    }

    private static func pad(_ text: String, left width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    private static func pad(_ text: String, right width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private static func pad(_ text: String, zeros width: Int) -> String {
        String(repeating: "0", count: max(0, width - text.count)) + text
    }
}
