/// Where the search for abandoned commands stands: rounds over all partitions, in pages, so that a consumer that left
/// thousands behind does not keep new commands waiting.
struct ClaimRound {
    /// XAUTOCLAIM's cursor where a round begins and where it has ended.
    static let end = "0-0"

    private var cursors: [String?]
    private var nextRound: ContinuousClock.Instant
    private let interval: Duration

    init(partitions: Int, claimAfter: Duration) {
        cursors = Array(repeating: nil, count: partitions)
        interval = min(max(claimAfter / 4, .milliseconds(100)), .seconds(10))
        nextRound = .now
    }

    var isUnderWay: Bool { cursors.contains { $0 != nil } }

    var isDue: Bool { isUnderWay || ContinuousClock.now >= nextRound }

    /// The partitions to ask, by their places; all of them where a new round begins.
    mutating func begin() -> [Int] {
        if !isUnderWay {
            cursors = cursors.map { _ in Self.end }
            // Instances of one service need not look at the same moment.
            nextRound = .now + interval * Double.random(in: 0.8...1.2)
        }
        return cursors.indices.filter { cursors[$0] != nil }
    }

    func cursor(of partition: Int) -> String { cursors[partition] ?? Self.end }

    mutating func advance(_ partition: Int, to cursor: String) {
        cursors[partition] = cursor == Self.end ? nil : cursor
    }
}
