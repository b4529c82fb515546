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
    /// How long the log of an ended saga stays where the definition doesn't say: 7 days.
    public static let defaultRetention: Milliseconds = 604_800_000
    /// Most items of a `forEach` step.
    public static let items = 1_000
    /// Commands of a `forEach` step that are under way at once.
    public static let parallel = 1...100
    public static let defaultParallel = 10
    /// Error codes that one list of a step names.
    public static let codes = 32
    /// How deep conditions may be nested, and how many tests one may have.
    public static let (conditionDepth, conditionTests) = (8, 64)
    /// What one condition may take written as JSON, and how long one path may be, in bytes.
    public static let (conditionBytes, pathBytes) = (16_384, 1_024)
    /// Moments that a timer can wait for: 1970 to 9999.
    public static let moment: ClosedRange<Milliseconds> = 0...253_402_300_799_999
    /// Largest result that the items of a `forEach` step may have together: as much as one message may carry.
    public static let resultBytes = 262_144
}
