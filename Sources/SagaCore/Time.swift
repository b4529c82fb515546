/// An instant (Unix time) or a span of time, in whole milliseconds.
///
/// All instants that the machine sees come from the Redis server's clock, so two orchestrators agree on deadlines.
/// Sums saturate: a definition's limits keep every span below a hundred years, and an instant that a peer made up can
/// move an alarm but never trap.
public typealias Milliseconds = Int64

extension Milliseconds {
    /// The sum, clamped to the representable range.
    @inlinable
    package func adding(_ span: Milliseconds) -> Milliseconds {
        let (sum, overflow) = addingReportingOverflow(span)
        return overflow ? (span > 0 ? .max : .min) : sum
    }
}
