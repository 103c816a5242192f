import Foundation
import Testing

/// Trainings that end between two checkpoints, by two Ctrl-C or by `kill -9`: their rows end where
/// their state does, and so does the replay of the saved session.
@Suite struct DroppedTrainingTests {
  /// With hardly any rate an epoch is seldom the best, and only the best ones are kept.
  private static let training = """
    data digits limit=64
    load tf_efficientnetv2_b0
    set input-size=64 batch-size=64 epochs=400 warmup-epochs=0 cooldown-epochs=0
    set lr=0.00001 checkpoint-every=0 summary-csv=on
    train name=a
    """

  @Test func anAbandonedTrainingReplaysToItsRows() throws {
    let folder = try TestFolder()
    let session = try Self.trainPastACheckpoint(folder)
    // Both have to come within one batch; between two, the first alone stops the training.
    for attempt in 1...20 {
      kill(session.child, SIGINT)
      session.watch(seconds: 0.01)
      kill(session.child, SIGINT)
      session.watch { session.text.matches(of: /everything is saved in/).count == attempt }
      if session.text.contains("abandoned; back at") { break }
      session.type("resume\r")
      session.watch { Self.unsavedEpochs(folder) >= 2 }
    }
    #expect(session.text.contains("abandoned; back at"))
    try Self.expectSavedRows(session, folder)
  }

  @Test func aKilledTrainingReplaysToItsRows() throws {
    let folder = try TestFolder()
    try Self.trainPastACheckpoint(folder).crash()
    let session = try PromptSession(in: folder.url)
    session.type("recover\r")
    session.expect("its run 'a' is there up to epoch")
    try Self.expectSavedRows(session, folder)
  }

  /// A session whose training has finished two epochs since its last checkpoint.
  private static func trainPastACheckpoint(_ folder: TestFolder) throws -> PromptSession {
    let session = try PromptSession(in: folder.url)
    for line in training.split(separator: "\n") { session.type(line + "\r") }
    let isPast = session.watch { unsavedEpochs(folder) >= 2 }
    #expect(isPast, "\(session.text)")
    return session
  }

  /// The epochs that were finished since the last checkpoint.
  private static func unsavedEpochs(_ folder: TestFolder) -> Int {
    folder.events("a").reversed().prefix { !$0.contains("\"ev\":\"checkpoint\"") }
      .count { $0.contains("\"ev\":\"epoch\"") }
  }

  private static func expectSavedRows(_ session: PromptSession, _ folder: TestFolder) throws {
    session.type("save s.wb\rquit\r")
    #expect(session.finish() == 0, "\(session.text)")
    #expect(session.text.contains("after the checkpoint: moved to metrics.discarded.csv"))
    let rows = try folder.metrics("a")
    let replay = try BuiltProgram.run(["replay", "s.wb", "--out", "out"], in: folder.url)
    #expect(replay.status == 0, "\(replay.errors)")
    let repeated = try SessionBits.metrics(folder.url.appending(path: "out/runs/a"))
    #expect(rows == repeated, "\(session.text)")
    let summary = try folder.text("runs/a/summary.csv").split(separator: "\n")
    #expect(summary.count == rows.count, "\(summary)")
    let discarded = try folder.text("runs/a/metrics.discarded.csv").split(separator: "\n")
    #expect(discarded.count > 1 && discarded[1].hasPrefix("\(rows.count),"))
  }
}
