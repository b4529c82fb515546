import Dispatch

package enum Pause {
    /// A few milliseconds, also when the task is cancelled: a process that was told to end must be waited for all the
    /// same.
    package static func short() async {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(10)) { continuation.resume() }
        }
    }
}
