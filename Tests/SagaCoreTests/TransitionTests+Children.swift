import SagaCore

/// What every event means in every state of a child saga's step.
extension TransitionTests {
    private typealias Row = TransitionTable.Row

    /// A step that is a child saga.
    static let children = TransitionTable(
        [
            Row(
                .action, .none,
                """
                tickLate, cancel, pause, signal, rewind, recall: none
                tickEarly, childCompleted, childCompensated, childRefused, childRunning: ignored
                succeeded, succeededEarlier, failed, failedEarlier, retry, retryEarlier, beat, beatEarly: refused
                beatEarlier, resume, orderRetry, skip: refused
                """),
            Row(
                .action, .running,
                """
                cancel, recall: unknown
                pause, signal, rewind: running
                skip: skipped
                childCompleted: succeeded
                childCompensated, childRefused: failed
                tickEarly, tickLate, childRunning: ignored
                succeeded, succeededEarlier, failed, failedEarlier, retry, retryEarlier, beat, beatEarly: refused
                beatEarlier, resume, orderRetry: refused
                """),
            Row(
                .action, .waiting,
                """
                resume: running
                orderRetry, signal, rewind: waiting
                skip: skipped
                tickEarly, tickLate, childCompleted, childCompensated, childRefused, childRunning: ignored
                succeeded, succeededEarlier, failed, failedEarlier, retry, retryEarlier, beat, beatEarly: refused
                beatEarlier, cancel, pause, recall: refused
                """),
            Row(
                .action, .succeeded,
                """
                cancel, pause, signal, rewind, recall: succeeded
                tickEarly, tickLate, childCompleted, childCompensated, childRefused, childRunning: ignored
                succeeded, succeededEarlier, failed, failedEarlier, retry, retryEarlier, beat, beatEarly: refused
                beatEarlier, resume, orderRetry, skip: refused
                """),
            Row(
                .action, .failed,
                """
                pause, rewind: failed
                tickEarly, tickLate, signal, recall, childCompleted, childCompensated, childRefused: ignored
                childRunning: ignored
                succeeded, succeededEarlier, failed, failedEarlier, retry, retryEarlier, beat, beatEarly: refused
                beatEarlier, cancel, resume, orderRetry, skip: refused
                """),
            Row(
                .action, .unknown,
                """
                pause, skip, rewind, childCompensated, childRefused: unknown
                tickEarly, tickLate, signal, recall, childCompleted, childRunning: ignored
                succeeded, succeededEarlier, failed, failedEarlier, retry, retryEarlier, beat, beatEarly: refused
                beatEarlier, cancel, resume, orderRetry: refused
                """),
            Row(
                .action, .stuck,
                """
                pause, signal, rewind: stuck
                orderRetry: running
                skip: skipped
                childCompleted: succeeded
                tickEarly, tickLate, childCompensated, childRefused, childRunning: ignored
                succeeded, succeededEarlier, failed, failedEarlier, retry, retryEarlier, beat, beatEarly: refused
                beatEarlier, cancel, resume, recall: refused
                """),
            Row(
                .action, .skipped,
                """
                cancel, pause, signal, rewind, recall: skipped
                tickEarly, tickLate, childCompleted, childCompensated, childRefused, childRunning: ignored
                succeeded, succeededEarlier, failed, failedEarlier, retry, retryEarlier, beat, beatEarly: refused
                beatEarlier, resume, orderRetry, skip: refused
                """),
            Row(
                .action, .omitted,
                """
                cancel, pause, signal, rewind, recall: omitted
                tickEarly, tickLate, childCompleted, childCompensated, childRefused, childRunning: ignored
                succeeded, succeededEarlier, failed, failedEarlier, retry, retryEarlier, beat, beatEarly: refused
                beatEarlier, resume, orderRetry, skip: refused
                """),
            Row(
                .compensation, .none,
                """
                pause: none
                rewind: pending
                tickEarly, tickLate, signal, recall, childCompleted, childCompensated, childRefused: ignored
                childRunning: ignored
                succeeded, succeededEarlier, failed, failedEarlier, retry, retryEarlier, beat, beatEarly: refused
                beatEarlier, cancel, resume, orderRetry, skip: refused
                """),
            Row(
                .compensation, .pending,
                """
                pause, rewind: pending
                tickEarly, tickLate, signal, recall, childCompleted, childCompensated, childRefused: ignored
                childRunning: ignored
                succeeded, succeededEarlier, failed, failedEarlier, retry, retryEarlier, beat, beatEarly: refused
                beatEarlier, cancel, resume, orderRetry, skip: refused
                """),
            Row(
                .compensation, .running,
                """
                pause: running
                skip: skipped
                rewind: pending
                childCompensated: succeeded
                childRefused: stuck
                tickEarly, tickLate, signal, recall, childCompleted, childRunning: ignored
                succeeded, succeededEarlier, failed, failedEarlier, retry, retryEarlier, beat, beatEarly: refused
                beatEarlier, cancel, resume, orderRetry: refused
                """),
            Row(
                .compensation, .succeeded,
                """
                pause, rewind: succeeded
                tickEarly, tickLate, signal, recall, childCompleted, childCompensated, childRefused: ignored
                childRunning: ignored
                succeeded, succeededEarlier, failed, failedEarlier, retry, retryEarlier, beat, beatEarly: refused
                beatEarlier, cancel, resume, orderRetry, skip: refused
                """),
            Row(
                .compensation, .stuck,
                """
                pause, rewind: stuck
                orderRetry: running
                skip: skipped
                childCompensated: succeeded
                tickEarly, tickLate, signal, recall, childCompleted, childRefused, childRunning: ignored
                succeeded, succeededEarlier, failed, failedEarlier, retry, retryEarlier, beat, beatEarly: refused
                beatEarlier, cancel, resume: refused
                """),
            Row(
                .compensation, .skipped,
                """
                pause, rewind: skipped
                tickEarly, tickLate, signal, recall, childCompleted, childCompensated, childRefused: ignored
                childRunning: ignored
                succeeded, succeededEarlier, failed, failedEarlier, retry, retryEarlier, beat, beatEarly: refused
                beatEarlier, cancel, resume, orderRetry, skip: refused
                """),
        ],
        impossible: [
            Place(.action, .pending), Place(.compensation, .waiting), Place(.compensation, .failed),
            Place(.compensation, .unknown), Place(.compensation, .omitted),
        ])
}
