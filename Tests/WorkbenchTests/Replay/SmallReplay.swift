import Foundation

/// Scripts whose trainings take a second: two steps an epoch.
enum SmallReplay {
  static let preparation = """
    seed 3
    data digits limit=16
    load tf_efficientnetv2_b0
    set input-size=32 batch-size=8 epochs=2 warmup-epochs=0 cooldown-epochs=0 hflip=0 log-interval=1
    """

  /// A session file of some lines behind the preparation.
  static func script(_ lines: String) -> String { "version 1\n\(preparation)\n\(lines)\n" }

  /// Replays a script in a folder.
  static func replay(_ folder: TestFolder, _ options: String..., script: String = "a.wb") throws
    -> BuiltProgram.Result
  {
    try BuiltProgram.run(["replay", script] + options, in: folder.url)
  }
}

extension TestFolder {
  /// The steps that a run has put on record so far.
  func steps(_ run: String) -> Int {
    events(run).count { $0.contains("\"ev\":\"step\"") }
  }
}
