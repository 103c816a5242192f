import Foundation
import Testing

/// `replay --resume`: what is done is not done again, and the bits are those of one go.
@Suite struct ResumeTests {
  private static let long = SmallReplay.script("train name=a epochs=12\nexpect epoch == 12")

  private func whole() throws -> TestFolder {
    let folder = try TestFolder()
    try folder.write(Self.long, to: "a.wb")
    let result = try SmallReplay.replay(folder)
    #expect(result.status == 0, "\(result.errors)")
    return folder
  }

  @Test func aKilledReplayGoesOnToTheSameBits() throws {
    let whole = try whole()
    let folder = try TestFolder()
    try folder.write(Self.long, to: "a.wb")
    let victim = try BuiltProgram.start(["replay", "a.wb"], in: folder.url)
    #expect(victim.wait { folder.steps("a") >= 5 })
    kill(victim.process.processIdentifier, SIGKILL)
    #expect(victim.finish().status == 1000 + SIGKILL)
    let resumed = try SmallReplay.replay(folder, "--resume")
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(resumed.errors.contains("going on with run 'a'"), "\(resumed.errors)")
    #expect(try folder.metrics("a") == whole.metrics("a"))
    #expect(try folder.weights("a") == whole.weights("a"))
    #expect(!folder.exists("runs/a.1"))
  }

  @Test(arguments: [1, 4, 7]) func anInterruptedReplayGoesOnToTheSameBits(step: Int) throws {
    let whole = try whole()
    let folder = try TestFolder()
    try folder.write(Self.long, to: "a.wb")
    let running = try BuiltProgram.start(["replay", "a.wb"], in: folder.url)
    #expect(running.wait { folder.steps("a") >= step })
    kill(running.process.processIdentifier, SIGINT)
    let stopped = running.finish()
    #expect(stopped.status == 130, "\(stopped.errors)")
    #expect(stopped.errors.contains("workbench replay a.wb --resume"), "\(stopped.errors)")
    let resumed = try SmallReplay.replay(folder, "--resume")
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(try folder.metrics("a") == whole.metrics("a"))
    #expect(try folder.weights("a") == whole.weights("a"))
  }

  @Test func slicesOfTimeAddUpToOneGo() throws {
    let lines = SmallReplay.script("train name=a\ntrain name=b epochs=1\neval b")
    let whole = try TestFolder()
    try whole.write(lines, to: "a.wb")
    #expect(try SmallReplay.replay(whole).status == 0)
    let folder = try TestFolder()
    try folder.write(lines, to: "a.wb")
    var result = try SmallReplay.replay(folder, "--time-limit", "0.001")
    #expect(result.status == 124, "\(result.errors)")
    #expect(result.errors.contains("workbench replay a.wb --time-limit 0.001 --resume"))
    var slices = 1
    while result.status == 124, slices < 20 {
      result = try SmallReplay.replay(folder, "--time-limit", "0.001", "--resume")
      slices += 1
    }
    #expect(result.status == 0 && slices > 3, "\(slices) slices; \(result.errors)")
    for run in ["a", "b"] {
      #expect(try folder.metrics(run) == whole.metrics(run))
      #expect(try folder.weights(run) == whole.weights(run))
    }
  }

  /// Work without checkpoints stops at the end of the time too; cut off once, it comes to its end in
  /// the next slice, so that slices come on.
  @Test(arguments: [
    "eval > a.csv", "predict pictures > a.csv", "lrfind 1e-5..1e-3 steps=10 > a.csv",
  ])
  func looksStopAtTheEndOfTheTime(look: String) throws {
    let folder = try TestFolder()
    let fixtures = BuiltProgram.repository.appending(path: "Tests/Fixtures/data")
    let picture = try FileManager.default.subpathsOfDirectory(atPath: fixtures.path).sorted()
      .first { $0.hasSuffix(".png") }
    try FileManager.default.createDirectory(
      at: folder.url.appending(path: "pictures"), withIntermediateDirectories: true)
    for number in 1...3 {
      try FileManager.default.copyItem(
        at: fixtures.appending(path: try #require(picture)),
        to: folder.url.appending(path: "pictures/\(number).png"))
    }
    try folder.write(SmallReplay.script(look), to: "a.wb")
    let cut = try SmallReplay.replay(folder, "--time-limit", "0.001")
    #expect(cut.status == 124 && cut.errors.contains("the time is up"), "\(cut.errors)")
    #expect(cut.errors.contains("go on with: workbench replay a.wb"), "\(cut.errors)")
    #expect(!folder.exists("a.csv"))
    let whole = try SmallReplay.replay(folder, "--time-limit", "0.001", "--resume")
    #expect(whole.status == 0 && folder.exists("a.csv"), "\(whole.errors)")
    #expect(whole.errors.contains("re-run: the time was up"), "\(whole.errors)")
  }

  private static let cells = SmallReplay.script(
    """
    # %% A id="a"
    set lr=0.01
    load tf_efficientnetv2_b0
    train name=a epochs=1
    # %% B id="b"
    load tf_efficientnetv2_b0
    set lr=0.02
    train name=b epochs=1
    # %% More of B
    train name=c epochs=1
    # %% Looks
    plot loss runs=a > a.svg
    plot loss runs=b > b.svg
    eval a
    """)

  @Test func afterAnEditOnlyWhatDependsOnItRunsAgain() throws {
    let folder = try TestFolder()
    try folder.write(Self.cells, to: "a.wb")
    let first = try SmallReplay.replay(folder)
    #expect(first.status == 0, "\(first.errors)")
    let table = first.output.split(separator: "\n").suffix(2)

    let again = try SmallReplay.replay(folder, "--resume")
    #expect(again.status == 0, "\(again.errors)")
    #expect(again.errors.components(separatedBy: "reused").count - 1 == 6, "\(again.errors)")
    #expect(again.output.split(separator: "\n").suffix(2) == table)

    try folder.write(Self.cells.replacing("lr=0.02", with: "lr=0.03"), to: "a.wb")
    let plan = try SmallReplay.replay(folder, "--resume", "--plan")
    #expect(plan.status == 0 && plan.output.contains("lr=0.03 was 0.02"), "\(plan.output)")
    let edited = try SmallReplay.replay(folder, "--resume")
    #expect(edited.status == 0, "\(edited.errors)")
    func remark(_ command: String) -> String {
      let line = edited.errors.split(separator: "\n").first { $0.contains("] \(command)") }
      return line.map(String.init) ?? ""
    }
    #expect(remark("train name=a").contains("reused"))
    #expect(remark("train name=b").contains("re-run: lr=0.03 was 0.02"))
    #expect(remark("train name=c").contains("re-run: lr=0.03 was 0.02"))
    #expect(remark("plot loss runs=a").contains("reused"))
    #expect(remark("plot loss runs=b").contains("re-run: depends on train in cell 2"))
    #expect(remark("eval a").contains("reused"))
    // The same bits as from nothing.
    let fresh = try TestFolder()
    try fresh.write(try folder.text("a.wb"), to: "a.wb")
    #expect(try SmallReplay.replay(fresh).status == 0)
    for run in ["a", "b", "c"] {
      #expect(try folder.metrics(run) == fresh.metrics(run))
      #expect(try folder.weights(run) == fresh.weights(run))
    }
  }

  @Test func whatFollowsAReusedTrainingGetsItsBits() throws {
    let folder = try TestFolder()
    let lines = SmallReplay.script("train name=a epochs=1")
    try folder.write(lines, to: "a.wb")
    #expect(try SmallReplay.replay(folder).status == 0)
    let more = lines + "train name=b epochs=1\n"
    try folder.write(more, to: "a.wb")
    let resumed = try SmallReplay.replay(folder, "--resume")
    #expect(resumed.status == 0 && resumed.errors.contains("run 'a' is finished"))
    let whole = try TestFolder()
    try whole.write(more, to: "a.wb")
    #expect(try SmallReplay.replay(whole).status == 0)
    #expect(try folder.metrics("b") == whole.metrics("b"))
    #expect(try folder.weights("b") == whole.weights("b"))
  }

  @Test func movedLinesAndThreadsChangeNothing() throws {
    let folder = try TestFolder()
    try folder.write(SmallReplay.script("set lr=0.02\ntrain name=a epochs=1"), to: "a.wb")
    #expect(try SmallReplay.replay(folder).status == 0)
    try folder.write(
      "version 1\n# other words\nset lr=0.02 hflip=0\nset input-size=32 batch-size=8\nseed 3\n"
        + "data digits limit=16\nload tf_efficientnetv2_b0\n"
        + "train name=a epochs=1 warmup-epochs=0 cooldown-epochs=0 threads=1\n",
      to: "a.wb")
    let result = try SmallReplay.replay(folder, "--resume")
    #expect(result.status == 0 && result.errors.contains("reused"), "\(result.errors)")
  }

  @Test func aDamagedFileIsMadeAgain() throws {
    let folder = try TestFolder()
    try folder.write(
      SmallReplay.script("train name=a epochs=1\nmetrics a > a.csv"), to: "a.wb")
    #expect(try SmallReplay.replay(folder).status == 0)
    let before = try folder.text("a.csv")
    try folder.write("something else", to: "a.csv")
    let result = try SmallReplay.replay(folder, "--resume")
    #expect(result.errors.contains("re-run: a.csv is not as it was written"), "\(result.errors)")
    #expect(try folder.text("a.csv") == before)
  }

  @Test func aTrainingStoppedByHandAndGoneOnWithIsKnownAgain() throws {
    let folder = try TestFolder()
    let lines = SmallReplay.script("train name=a stop-at=3\nresume a\nresume a epochs=+1")
    try folder.write(lines, to: "a.wb")
    #expect(try SmallReplay.replay(folder).status == 0)
    let before = try folder.metrics("a")
    let result = try SmallReplay.replay(folder, "--resume")
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.errors.components(separatedBy: "reused").count - 1 == 3, "\(result.errors)")
    #expect(try folder.metrics("a") == before)
  }

  @Test func cellsAreChosen() throws {
    let folder = try TestFolder()
    let lines = """
      version 1
      # %% Load id="load"
      \(SmallReplay.preparation)
      # %% Train id="train" tags="slow"
      train name=a epochs=1
      # %% Curves id="plots" tags="quick"
      plot loss > loss.svg
      # %% Last
      metrics > last.csv
      """
    try folder.write(lines, to: "a.wb")
    let early = try SmallReplay.replay(folder, "--from", "plots")
    #expect(early.status == 4 && early.errors.contains("there is no run 'a'"), "\(early.errors)")
    #expect(try SmallReplay.replay(folder, "--from", "nowhere").status == 2)
    #expect(try SmallReplay.replay(folder, "--tags", "none").status == 2)
    #expect(try SmallReplay.replay(folder, "--to", "train").status == 0)
    #expect(folder.exists("runs/a") && !folder.exists("loss.svg"))
    let metrics = try folder.metrics("a")
    #expect(try SmallReplay.replay(folder, "--from", "3", "--to", "Curves").status == 0)
    #expect(folder.exists("loss.svg") && !folder.exists("last.csv"))
    try FileManager.default.removeItem(at: folder.url.appending(path: "loss.svg"))
    let skipped = try SmallReplay.replay(folder, "--skip", "slow,quick")
    #expect(skipped.status == 0, "\(skipped.errors)")
    #expect(folder.exists("last.csv") && !folder.exists("loss.svg"))
    #expect(try SmallReplay.replay(folder, "--tags", "quick").status == 0)
    #expect(folder.exists("loss.svg") && !folder.exists("runs/a.1"))
    #expect(try folder.metrics("a") == metrics)
  }

  @Test func afterAFailureWhatDoesNotDependOnItGoesOn() throws {
    let folder = try TestFolder()
    let lines = SmallReplay.script(
      """
      train name=a epochs=1 lr=1e30
      eval
      load tf_efficientnetv2_b0
      train name=b epochs=1
      metrics b > b.csv
      """)
    try folder.write(lines, to: "a.wb")
    let stopped = try SmallReplay.replay(folder)
    #expect(stopped.status == 6 && !folder.exists("b.csv"), "\(stopped.errors)")
    let kept = try SmallReplay.replay(folder, "--keep-going")
    #expect(kept.status == 6 && folder.exists("b.csv"), "\(kept.errors)")
    #expect(kept.errors.contains("eval: skipped, 'train name=a epochs=1 lr=1e30' failed"))
  }
}
