import Foundation
import Testing

/// `--smoke`, `--plan` and `--verify`.
@Suite struct RehearsalTests {
  private func names(_ folder: TestFolder) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: folder.url.path)
      .filter { !$0.hasPrefix(".std") && !$0.hasPrefix("home") }.sorted()
  }

  @Test func smokeFindsABrokenLastLineAndKeepsNothing() throws {
    let folder = try TestFolder()
    let lines = """
      train name=a epochs=500 stop-at=700
      resume a
      expect top1 >= 99
      eval a weights=best
      plot top1,loss > deep/er/top1.svg
      save-weights a.safetensors
      load tf_efficientnetv2_b0 weights=a.safetensors
      checkpoint load a@300
      """
    try folder.write(SmallReplay.script(lines), to: "a.wb")
    let good = try SmallReplay.replay(folder, "--smoke")
    #expect(good.status == 0, "\(good.errors)")
    try folder.write(SmallReplay.script(lines + "\npredict none.jpg"), to: "a.wb")
    let bad = try SmallReplay.replay(folder, "--smoke")
    #expect(bad.status != 0 && bad.errors.contains("none.jpg"), "\(bad.errors)")
    #expect(try names(folder) == ["a.wb"])
  }

  @Test func smokeMeasuresOnceAndSaysWhatItLeavesOut() throws {
    let folder = try TestFolder()
    try folder.write(
      SmallReplay.script(
        """
        bench rounds=100000 > bench.csv
        profile rounds=10000 > profile.svg
        data verify
        """), to: "a.wb")
    let result = try SmallReplay.replay(folder, "--smoke")
    #expect(result.status == 0, "\(result.errors)")
    #expect(
      result.output.contains("1 not tried: data verify; nothing was kept"), "\(result.output)")
    try folder.write(SmallReplay.script("profile rounds=10 > profile.odd"), to: "a.wb")
    let broken = try SmallReplay.replay(folder, "--smoke")
    #expect(broken.status != 0, "\(broken.output)")
  }

  @Test func smokeLeavesTheRunsOfTheFolderAsTheyAre() throws {
    let folder = try TestFolder()
    try folder.write(SmallReplay.script("train name=a epochs=1"), to: "a.wb")
    #expect(try SmallReplay.replay(folder).status == 0)
    let before = try names(folder)
    let files = ["params.json", "events.jsonl", "metrics.csv", "log.txt"]
    let contents = try files.map { try folder.text("runs/a/\($0)") }
    try folder.write(
      SmallReplay.script("resume a epochs=+2\ntrain name=a\neval a\nplot loss > loss.svg"),
      to: "b.wb")
    let result = try SmallReplay.replay(folder, "--smoke", script: "b.wb")
    #expect(result.status == 0, "\(result.errors)")
    #expect(try names(folder) == (before + ["b.wb"]).sorted())
    #expect(try files.map { try folder.text("runs/a/\($0)") } == contents)
  }

  @Test func planRunsNothing() throws {
    let folder = try TestFolder()
    try folder.write(
      SmallReplay.script("train name=a epochs=1\nplot loss > loss.svg"), to: "a.wb")
    let plan = try SmallReplay.replay(folder, "--plan")
    #expect(plan.status == 0 && plan.output.contains("train name=a"), "\(plan.errors)")
    #expect(plan.output.contains("time from a short bench"))
    #expect(!plan.errors.contains("at least"), "\(plan.errors)")
    #expect(try names(folder) == ["a.wb"])
    #expect(try SmallReplay.replay(folder).status == 0)
    let known = try SmallReplay.replay(folder, "--plan")
    #expect(!known.output.contains("short bench"), "\(known.output)")
    #expect(known.output.contains("run 'a' is finished"), "\(known.output)")
  }

  @Test func verifyComparesWithTheRunFromBefore() throws {
    let folder = try TestFolder()
    try folder.write(SmallReplay.script("train name=a epochs=2"), to: "a.wb")
    let none = try SmallReplay.replay(folder, "--verify")
    #expect(none.status == 4 && none.errors.contains("no run 'a'"), "\(none.errors)")
    #expect(try SmallReplay.replay(folder).status == 0)
    let same = try SmallReplay.replay(folder, "--verify", "-O", "threads=1")
    #expect(same.status == 0 && same.errors.contains("byte for byte"), "\(same.errors)")
    let text = try folder.text("runs/a/metrics.csv")
    let loss = text.split(separator: "\n")[2].split(separator: ",")[4]
    let other = (Double(loss) ?? 0) * (1 + 1e-6)
    try folder.write(text.replacing(loss, with: "\(other)"), to: "runs/a/metrics.csv")
    try folder.write(try folder.text("runs/a/metrics.csv"), to: "before/a/metrics.csv")
    let differs = try SmallReplay.replay(folder, "--verify")
    #expect(
      differs.status == 5 && differs.errors.contains("epoch 2: train_loss is \(loss), was"),
      "\(differs.errors)")
    #expect(
      try SmallReplay.replay(folder, "--verify=tol:1e-4", "--against", "before").status == 0)
    #expect(try SmallReplay.replay(folder, "--verify=exact", "--against", "before").status == 5)
    #expect(try SmallReplay.replay(folder, "--verify=nearly").status == 2)
    #expect(try folder.text("runs/a/params.json").contains("overrides") == false)
    #expect(try folder.text("runs/a.2/params.json").contains("\"overrides\""))
  }
}
