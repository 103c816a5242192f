import Foundation
import Model
import Testing

@testable import Workbench

extension TestFolder {
  /// The digest of the network's tensors in a checkpoint, whatever else it holds.
  func weights(checkpoint: URL, classes: Int = 10) throws -> String {
    let variant = try Variant.named("tf_efficientnetv2_b0")
    let network = Network(try Blueprint(variant, classCount: classes), seed: 0)
    try Checkpoint(contentsOf: checkpoint).restore(into: network)
    let copy = url.appending(path: "weights-\(UUID().uuidString).safetensors")
    try WeightWriter.write(network, to: copy)
    return try sha256(of: copy)
  }
}

/// Whole sessions through the built program.
@Suite struct ReplayTests {
  /// A training of a few seconds: 64 images, 8 steps an epoch.
  static let preparation = """
    seed 3
    data digits limit=64
    load tf_efficientnetv2_b0
    set input-size=32 batch-size=8 epochs=3 warmup-epochs=1 cooldown-epochs=0 hflip=0
    """
  static let header = "version 1\n"

  @Test func aScriptAPipeAndDashCAreTheSame() throws {
    let folder = try TestFolder()
    let lines = Self.preparation + "\ntrain name=NAME epochs=1\n"
    try folder.write(Self.header + lines.replacing("NAME", with: "file"), to: "a.wb")
    let file = try BuiltProgram.run(["replay", "a.wb"], in: folder.url)
    let pipe = try BuiltProgram.run(
      [], in: folder.url, input: lines.replacing("NAME", with: "pipe"))
    let dash = try BuiltProgram.run(
      ["-c", lines.replacing("NAME", with: "dash").replacing("\n", with: "; ")], in: folder.url)
    #expect(file.status == 0 && pipe.status == 0 && dash.status == 0, "\(file.errors)")
    #expect(try folder.metrics("file") == folder.metrics("pipe"))
    #expect(try folder.metrics("file") == folder.metrics("dash"))
    #expect(try folder.weights("file") == folder.weights("dash"))
  }

  @Test func aSavedSessionReplaysToTheSameBitsWithAnyThreads() throws {
    let folder = try TestFolder()
    let session = """
      \(Self.preparation)
      show all
      set lr=0.5
      set lr=0.02
      eval
      train name=a
      plot loss > loss.svg
      models
      save a.wb
      """
    let first = try BuiltProgram.run([], in: folder.url, input: session)
    #expect(first.status == 0, "\(first.errors)")
    let script = try folder.text("a.wb")
    #expect(script.contains("lr=0.02") && !script.contains("lr=0.5") && !script.contains("eval"))
    #expect(script.contains("plot loss > loss.svg"))
    for threads in [1, 2, 4] {
      let again = try BuiltProgram.run(
        ["replay", "a.wb", "-O", "threads=\(threads)", "--out", "out\(threads)"], in: folder.url)
      #expect(again.status == 0, "\(again.errors)")
      let copy = try folder.text("out\(threads)/runs/a/metrics.csv")
      try folder.write(copy, to: "runs/copy\(threads)/metrics.csv")
      #expect(try folder.metrics("copy\(threads)") == folder.metrics("a"))
      let checkpoint = folder.url.appending(path: "out\(threads)/runs/a/ckpt/last.safetensors")
      #expect(try folder.weights(checkpoint: checkpoint) == folder.weights("a"))
      #expect(folder.exists("out\(threads)/loss.svg"))
    }
  }

  @Test func killedTrainingGoesOnAsIfNothingHadHappened() throws {
    let whole = try TestFolder()
    let script = Self.header + Self.preparation + "\ntrain name=a\n"
    try whole.write(script, to: "a.wb")
    #expect(try BuiltProgram.run(["replay", "a.wb"], in: whole.url).status == 0)

    let folder = try TestFolder()
    try folder.write(script, to: "a.wb")
    let victim = try BuiltProgram.start(["replay", "a.wb"], in: folder.url)
    let begun = victim.wait {
      ((try? folder.text("runs/a/metrics.csv")) ?? "").split(separator: "\n").count >= 2
    }
    #expect(begun, "the first epoch never ended")
    kill(victim.process.processIdentifier, SIGKILL)
    #expect(victim.finish().status == 1000 + SIGKILL)

    let resumed = try BuiltProgram.run(["-c", "resume"], in: folder.url)
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(try folder.metrics("a") == whole.metrics("a"))
    #expect(try folder.weights("a") == whole.weights("a"))
  }

  @Test(arguments: [SIGINT, SIGTERM]) func signalsSaveTheTraining(signal: Int32) throws {
    let whole = try TestFolder()
    let script = Self.header + Self.preparation + "\ntrain name=a\n"
    try whole.write(script, to: "a.wb")
    #expect(try BuiltProgram.run(["replay", "a.wb"], in: whole.url).status == 0)

    let folder = try TestFolder()
    try folder.write(script, to: "a.wb")
    let running = try BuiltProgram.start(["replay", "a.wb"], in: folder.url)
    #expect(
      running.wait { ((try? folder.text("runs/a/metrics.csv")) ?? "").contains("\n1,") })
    kill(running.process.processIdentifier, signal)
    let stopped = running.finish()
    #expect(stopped.status == 128 + signal, "\(stopped.errors)")
    #expect(stopped.errors.contains("resume"))
    #expect(try BuiltProgram.run(["-c", "resume a"], in: folder.url).status == 0)
    #expect(try folder.metrics("a") == whole.metrics("a"))
    #expect(try folder.weights("a") == whole.weights("a"))
  }

  @Test func aTrainingStoppedByHandIsSavedWithItsStep() throws {
    let folder = try TestFolder()
    let session = """
      \(Self.preparation)
      train name=a stop-at=11
      resume
      save a.wb
      """
    #expect(try BuiltProgram.run([], in: folder.url, input: session).status == 0)
    let script = try folder.text("a.wb")
    #expect(script.contains("train name=a stop-at=11") && script.contains("resume a"))
    let again = try BuiltProgram.run(["replay", "a.wb", "--out", "out"], in: folder.url)
    #expect(again.status == 0, "\(again.errors)")
    let checkpoint = folder.url.appending(path: "out/runs/a/ckpt/last.safetensors")
    #expect(try folder.weights(checkpoint: checkpoint) == folder.weights("a"))
  }

  @Test func aRunOfTheSameNameIsKept() throws {
    let folder = try TestFolder()
    try folder.write(Self.header + Self.preparation + "\ntrain name=a epochs=1\n", to: "a.wb")
    #expect(try BuiltProgram.run(["replay", "a.wb"], in: folder.url).status == 0)
    let second = try BuiltProgram.run(["replay", "a.wb"], in: folder.url)
    #expect(second.status == 0 && second.errors.contains("'a.1'"))
    #expect(try folder.metrics("a") == folder.metrics("a.1"))
  }

  @Test func aRunIsEvaluatedAsItWasTrainedInAnotherSession() throws {
    let folder = try TestFolder()
    let trained = try BuiltProgram.run(
      [], in: folder.url, input: Self.preparation + "\ntrain name=a epochs=1\n")
    #expect(trained.status == 0, "\(trained.errors)")
    // No settings, no data, no model: the run brings its own.
    let evaluated = try BuiltProgram.run(["-c", "eval a --json"], in: folder.url)
    #expect(evaluated.status == 0, "\(evaluated.errors)")
    let row = try folder.metrics("a")[1].split(separator: ",")
    #expect(evaluated.output.contains("\"loss\":\(row[4]),"), "\(evaluated.output) \(row)")
  }

  @Test func looksChangeNothing() throws {
    let folder = try TestFolder()
    let plain = Self.preparation + "\ntrain name=plain epochs=2\n"
    let looked = """
      \(Self.preparation)
      eval
      info layers
      plot lr > lr.svg
      train name=looked epochs=2 stop-at=5
      eval
      predict picture.png
      runs
      resume
      """
    let picture = BuiltProgram.repository.appending(path: "Tests/Fixtures/data")
    let png = try FileManager.default.subpathsOfDirectory(atPath: picture.path)
      .sorted().first { $0.hasSuffix(".png") }
    let source = picture.appending(path: try #require(png))
    try FileManager.default.copyItem(at: source, to: folder.url.appending(path: "picture.png"))
    let first = try BuiltProgram.run([], in: folder.url, input: plain)
    let second = try BuiltProgram.run([], in: folder.url, input: looked)
    #expect(first.status == 0, "\(first.errors)")
    #expect(second.status == 0, "\(second.errors)")
    #expect(try folder.metrics("plain") == folder.metrics("looked"))
    #expect(try folder.weights("plain") == folder.weights("looked"))
  }
}
