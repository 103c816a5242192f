import DSL
import Foundation
import Testing

@testable import Workbench

/// The process: exit codes, streams, the command table.
@Suite struct ProgramTests {
  private func run(_ arguments: [String], _ folder: TestFolder, input: String = "") throws
    -> BuiltProgram.Result
  {
    try BuiltProgram.run(arguments, in: folder.url, input: input)
  }

  @Test func theCommandTableIsSound() {
    let signatures = CommandSet.table.commands.map(\.signature)
    #expect(Vocabulary.problems(in: signatures) == [])
  }

  @Test func exitCodes() throws {
    let folder = try TestFolder()
    #expect(try run(["--nonsense"], folder).status == 2)
    #expect(try run(["-c", "env"], folder).status == 0)
    #expect(try run(["-c", "eval"], folder).status == 3)
    #expect(try run(["-c", "lod x"], folder).status == 4)
    #expect(try run(["-c", "data cifar10 dir=nowhere"], folder).status == 7)
    let small = ReplayTests.preparation.replacing("\n", with: "; ")
    #expect(
      try run(["-c", small + "; train name=e epochs=1; expect top1 >= 101"], folder).status == 5)
    let diverged = try run(["-c", small + "; train name=d lr=1e30 warmup-epochs=0"], folder)
    #expect(diverged.status == 6, "\(diverged.errors)")
    #expect(diverged.errors.contains("lower learning rate"))
    #expect(folder.exists("runs/d/ckpt/last.safetensors"))
    #expect(try run(["-c", "quit; eval"], folder).status == 0)
  }

  @Test func nothingRunsWhenTheCheckFails() throws {
    let folder = try TestFolder()
    try folder.write(
      "version 1\ndata digits limit=16\nplot lr > lr.svg\nset warmup-epoch=5 lr=0.01\nlod x\n",
      to: "bad.wb")
    let result = try run(["replay", "bad.wb"], folder)
    #expect(result.status == 4 && result.output.isEmpty && !folder.exists("lr.svg"))
    #expect(
      result.errors.contains("bad.wb:4:5: error: unknown hyperparameter 'warmup-epoch'"))
    #expect(result.errors.contains("^^^^^^^^^^^^ did you mean 'warmup-epochs'"))
    #expect(result.errors.contains("bad.wb:5:1: error: unknown command 'lod'"))
    let missing = try run(["replay", "none.wb"], folder)
    #expect(missing.status == 4 && missing.errors.contains("none.wb"))
  }

  @Test func scriptsNeedAVersion() throws {
    let folder = try TestFolder()
    try folder.write("data digits\n", to: "old.wb")
    try folder.write("version 99\ndata digits\n", to: "new.wb")
    let old = try run(["replay", "old.wb"], folder)
    #expect(old.status == 4 && old.errors.contains("version 1"))
    #expect(try run(["check", "new.wb"], folder).status == 4)
  }

  @Test func parameters() throws {
    let folder = try TestFolder()
    try folder.write(
      "version 1\nparam n:int = 16 in 1..100 \"images\"\ndata digits limit=${n}\n", to: "p.wb")
    #expect(try run(["replay", "p.wb"], folder).output.contains("16 to train"))
    #expect(try run(["replay", "p.wb", "-p", "n=20"], folder).output.contains("20 to train"))
    let unknown = try run(["replay", "p.wb", "-p", "m=20"], folder)
    #expect(unknown.status == 4 && unknown.output.isEmpty)
    #expect(try run(["replay", "p.wb", "-p", "n=0"], folder).status == 4)
    let list = try run(["replay", "p.wb", "--list-params"], folder)
    #expect(list.status == 0 && list.output.contains("images"))
    let forced = try run(["replay", "p.wb", "-O", "lr=0.3"], folder)
    #expect(forced.status == 0)
    #expect(try run(["replay", "p.wb", "-O", "lrr=0.3"], folder).status == 4)
  }

  @Test func pipedOutputHasNoControlCharacters() throws {
    let folder = try TestFolder()
    let small = ReplayTests.preparation.replacing("\n", with: "; ")
    let result = try run(["-c", small + "; train name=a epochs=1; plot loss; show all"], folder)
    #expect(result.status == 0, "\(result.errors)")
    for text in [result.output, result.errors] {
      #expect(!text.contains("\u{1B}") && !text.contains("\r") && !text.contains("\u{0C}"))
    }
    #expect(result.output.contains("train_loss"))
  }

  @Test func aRunIsEvaluatedByTheMeanOfItsWeights() throws {
    let folder = try TestFolder()
    let small = ReplayTests.preparation.replacing("\n", with: "; ")
    let trained = try run(
      [
        "-c",
        small + "; set opt=adamw lr=0.002 warmup-epochs=0 model-ema=on model-ema-decay=0.9; "
          + "train name=m epochs=1",
      ], folder)
    #expect(trained.status == 0, "\(trained.errors)")
    #expect(trained.errors.contains("without the running mean: loss "))
    let row = try folder.text("runs/m/metrics.csv").split(separator: "\n")[1]
    let loss = row.split(separator: ",")[5]
    let mean = try run(["-c", "eval m --json"], folder)
    #expect(mean.output.contains(loss), "\(mean.output) \(mean.errors)")
    let raw = try run(["-c", "eval m raw --json"], folder)
    #expect(raw.status == 0 && raw.output.contains("loss") && !raw.output.contains(loss))
    #expect(try folder.text("runs/m/events.jsonl").contains("raw_eval_loss"))
    #expect(try run(["-c", small + "; eval raw"], folder).errors.contains("raw needs a run"))
  }

  @Test func inputsAreFoundBesideTheScript() throws {
    let folder = try TestFolder()
    try folder.write("version 1\npredict picture.png\n", to: "deep/p.wb")
    let result = try run(["replay", "deep/p.wb"], folder)
    #expect(result.status == 3 && result.errors.contains("no model is loaded"))
  }

  @Test func theJournalHasALinePerCommand() throws {
    let folder = try TestFolder()
    _ = try run(["-c", "set lr=0.1; env; eval"], folder)
    let journals = try FileManager.default.contentsOfDirectory(
      atPath: folder.url.appending(path: "home/journal").path)
    #expect(journals.count == 1)
    let text = try folder.text("home/journal/\(journals[0])")
    #expect(text.split(separator: "\n").count { $0.hasPrefix("{\"record\":") } == 3)
    #expect(text.hasPrefix("{\"place\":") && text.hasSuffix("{\"closed\":{}}\n"))
    #expect(text.contains("no model is loaded"))
  }
}
