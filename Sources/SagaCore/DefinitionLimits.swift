/// The ranges of what a definition can say.
public enum DefinitionLimits {
    public static let steps = 1...100
    /// Up to the largest integer that every JSON reader keeps exact.
    public static let version = 1...9_007_199_254_740_991
    /// Attempts of one phase; 0 is without end.
    public static let attempts = 0...1_000_000
    /// Timeouts, delays and deadlines: 1 ms to 365 days.
    public static let span: ClosedRange<Milliseconds> = 1...31_536_000_000
    public static let factor = 1.0...100.0
    public static let jitter = 0.0...1.0
    /// Time for one attempt where the definition doesn't say.
    public static let defaultTimeout: Milliseconds = 30_000
}
