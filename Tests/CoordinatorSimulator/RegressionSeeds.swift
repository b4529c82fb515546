/// Seeds that have found something; they are run always. A change of what a seed draws makes another run of it: then the
/// sentence stays true of the past only, and the test that the finding left behind is what keeps it found.
package enum RegressionSeeds {
    package static let all: [(seed: UInt64, finding: String)] = [
        (7, "A trim overtook the last commit before a partition was at rest, and left what that had applied."),
        (
            188,
            "Items of a lost list were left standing behind a signal that had come before a rewind, and then did not."
        ),
        (10_276, "The same behind a signal that timed out."),
        (
            518,
            "Keeper and lane both took a partition anew: one claim was renewed, the other one worked with, then neither."
        ),
    ]
}
